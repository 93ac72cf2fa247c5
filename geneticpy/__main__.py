"""Run the command line: ``python -m geneticpy``."""

import sys

from geneticpy.cli import main

if __name__ == "__main__":
    sys.exit(main())
