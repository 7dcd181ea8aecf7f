"""Draw the pictures that pages draw of themselves: of all pages, or of those that are named."""

import argparse
import sys
import tempfile
from pathlib import Path

from website.blocks import committed, run

DOCS = Path(__file__).parent


def pictures(pages: list[Path]) -> None:
    """Write each picture that a page's block saves under the name of one that the page shows."""
    for page in pages:
        with tempfile.TemporaryDirectory() as folder:
            for name, path in committed(page, run(page, Path(folder))).items():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes((Path(folder) / name).read_bytes())
                print(path)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--pictures", nargs="*", type=Path, metavar="PAGE", help="draw pages' pictures")
    asked = parser.parse_args()
    if asked.pictures is not None:
        pictures(asked.pictures or [DOCS.parent / "README.md", *sorted(DOCS.rglob("*.md"))])


if __name__ == "__main__":
    main()
