"""A file for each form that samples come in. Imports other files of data alone."""
