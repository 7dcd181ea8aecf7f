"""``python -m tinyrnn`` is the command ``tinyrnn``."""

import sys

from tinyrnn.cli import main

if __name__ == "__main__":
    sys.exit(main())
