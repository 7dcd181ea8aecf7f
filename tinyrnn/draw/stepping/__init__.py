"""The stepper page: a pass, run again and written down, as one HTML file.

The chapters, in order: `replay` (the pass, from the engine), `labels` (names), `formula` (rules as text),
`grid` and `grid_svg` (the picture), `arrays` and `data` (what the page is told), `page` (the file).
"""

from tinyrnn.draw.stepping.page import Stepper, stepper

__all__ = ["Stepper", "stepper"]
