"""Whether pictures can be read, measured in a browser.

No text leaves its box or lies on another or on a line, no arrow goes through a box, no two arrows in opposite
directions lie on one line, no arrowhead floats.
"""

from pathlib import Path

import pytest
from draw_table import MODELS

import tinyrnn as tr
from tinyrnn.draw.layout import available_engines

SCRIPT = (Path(__file__).parent / "legible.js").read_text("utf-8")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif("graphviz-pure" not in available_engines(), reason="graphviz-pure is not installed"),
]


@pytest.mark.parametrize("level", ["gate", "cell", "layer", "rolled"])
def test_pictures_can_be_read(browser, level):
    page = browser.new_page()
    try:
        for name, make in MODELS.items():
            svg = tr.draw.unrolled(make(), level, engine="graphviz-pure").pipe("svg").decode()
            page.set_content(f'<body style="margin:0">{svg[svg.index("<svg") :]}</body>')
            found = {kind: where for kind, where in page.evaluate(SCRIPT).items() if where}
            assert not found, name
    finally:
        page.close()
