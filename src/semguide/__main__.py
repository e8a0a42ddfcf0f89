"""`python -m semguide`: the command line, where the script `semguide` is not on the path."""

from semguide.cli.main import main

if __name__ == "__main__":
    main()
