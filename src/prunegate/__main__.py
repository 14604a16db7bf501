"""``python -m prunegate``: the command line."""

from prunegate.cli import main

if __name__ == "__main__":
    main()
