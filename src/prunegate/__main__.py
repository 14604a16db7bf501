"""``python -m prunegate``: the command line."""

from prunegate.cli.program import program

if __name__ == "__main__":
    program()
