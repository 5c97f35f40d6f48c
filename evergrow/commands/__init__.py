"""What can be done to a model folder: a command, a function. Imports any wing."""
