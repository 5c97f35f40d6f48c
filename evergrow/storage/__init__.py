"""Files that survive a crash, and the model folder made of them. Imports data."""
