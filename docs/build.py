"""Build the site from README and docs; draw the pictures of pages; or write chapters as notebooks.

Nothing is asked of the network, here or when the site is read; a warning fails.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from website.blocks import committed, run
from website.notebooks import notebook

DOCS = Path(__file__).parent


def site(out: Path) -> int:
    """Write the site into a folder, and return 0 where nothing was wrong."""
    try:
        from sphinx.cmd.build import main as sphinx
        from website.source import EXTRA, put_together
    except ImportError as error:
        sys.exit(f'build.py: {error}; pip install ".[docs]"')

    if out.exists():
        if any(out.iterdir()) and not (out / "objects.inv").exists():
            sys.exit(f"build.py: {out} is not empty, and no site that was built before")
        shutil.rmtree(out)
    with tempfile.TemporaryDirectory() as folder:
        source, read = Path(folder, "source"), Path(folder, "read")
        put_together(source)
        options = ["-q", "-W", "-j", "auto", "--keep-going", "-c", DOCS / "website", "-d", read]
        extra = f"html_extra_path={source / EXTRA}"
        return sphinx([str(option) for option in [*options, "-D", extra, source, out]])


def pictures(pages: list[Path]) -> None:
    """Write each picture that a page's block saves under the name of one that the page shows."""
    for page in pages:
        with tempfile.TemporaryDirectory() as folder:
            for name, path in committed(page, run(page, Path(folder))).items():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes((Path(folder) / name).read_bytes())
                print(path)


def notebooks(folder: Path) -> None:
    """Write each chapter as a notebook."""
    folder.mkdir(parents=True, exist_ok=True)
    for page in sorted((DOCS / "learn").glob("[0-9]*.md")):
        path = folder / f"{page.stem}.ipynb"
        path.write_text(notebook(page), encoding="utf-8")
        print(path)


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", nargs="?", type=Path, default=DOCS.parent / "site", help="where to (site/)")
    parser.add_argument("--pictures", nargs="*", type=Path, metavar="PAGE", help="draw pages' pictures")
    parser.add_argument("--notebooks", type=Path, metavar="FOLDER", help="write the chapters as notebooks")
    asked = parser.parse_args()
    os.environ["TINYRNN_BACKEND"] = "numpy"  # the plans on the pages are of its calls
    if asked.notebooks:
        notebooks(asked.notebooks)
        return 0
    if asked.pictures is None:
        return site(asked.out)
    pictures(asked.pictures or [DOCS.parent / "README.md", *sorted(DOCS.rglob("*.md"))])
    return 0


if __name__ == "__main__":
    sys.exit(main())
