"""The command line: options, answers as tables or JSON, exit codes. Imports commands."""
