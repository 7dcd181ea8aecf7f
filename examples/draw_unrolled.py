"""Draw the gallery of docs/gallery.md and docs/gallery_styles.md, with the code that stands there.

    python examples/draw_unrolled.py              # into docs/pictures
    python examples/draw_unrolled.py DIR

Each picture of a page is drawn by the code above it. The pictures are the same, byte for byte, wherever
this runs with the same version of the layout engine.
"""

import argparse
import re
from pathlib import Path
from typing import Any

import tinyrnn as tr

ENGINE = "graphviz-pure"  # draws the same picture on every machine; in the extra tinyrnn[draw]
PAGES = [Path(__file__).parent.parent / "docs" / name for name in ("gallery.md", "gallery_styles.md")]
PICTURE = r"\n*!\[[^]]*\]\(pictures/(\w+)\.svg\)"
BLOCK = re.compile(rf"^```python\n(.*?)^```$(?:{PICTURE})?", re.DOTALL | re.MULTILINE)


def gallery() -> dict[str, str]:
    """Return the code of each picture by its name, each with the lines that come first on its page."""
    found: dict[str, str] = {}
    for page in PAGES:
        (first, _), *rest = BLOCK.findall(page.read_text(encoding="utf-8"))
        found |= {name: f"{first}\n{code}" for code, name in rest}
    return found


def draw(code: str) -> tr.draw.Drawing:
    """Run the code of a picture."""
    found: dict[str, Any] = {}
    before = tr.get_default_dtype()
    try:
        exec(code, found)
    finally:
        tr.set_default_dtype(before)
    drawing: tr.draw.Drawing = found["drawing"]
    drawing.engine = ENGINE
    return drawing


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the pictures of the gallery, as SVG.")
    parser.add_argument("directory", nargs="?", default="docs/pictures", help="where to (docs/pictures)")
    directory = Path(parser.parse_args().directory)
    for name, code in gallery().items():
        print(draw(code).render(directory / f"{name}.svg"))


if __name__ == "__main__":
    main()
