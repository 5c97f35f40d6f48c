"""The command line: options, answers in tables or JSON, exit codes. Imports commands."""
