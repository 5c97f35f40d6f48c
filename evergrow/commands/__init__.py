"""What can be done to a model folder: a file a command. Imports every wing before it."""
