"""`python -m evergrow` is the command `evergrow`."""

from .commands.cli.main import main

if __name__ == "__main__":
    main()
