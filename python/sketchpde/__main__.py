"""The command line program: ``sketchpde``, or ``python -m sketchpde``."""

import sys
from typing import NoReturn

from ._native import main as _main


def main() -> NoReturn:
    """Reads the arguments of the process, does what they say and exits with its code."""
    words = ["sketchpde", *sys.argv[1:]]
    sys.exit(_main(words, [sys.executable, "-m", "sketchpde"]))


if __name__ == "__main__":
    main()
