"""`python -m evergrow` is the command `evergrow`."""

from .cli import main

if __name__ == "__main__":
    main()
