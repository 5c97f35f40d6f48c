"""A file for each form that samples come in. Imports data."""
