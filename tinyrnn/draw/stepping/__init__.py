"""The stepper page: a pass, run again and written down, as one HTML file.

The chapters, in order: `kept` (values that are missing), `replay` (the pass, from the engine), `labels`
(names), `formula` (rules as text), `grid` and `picture` (where things stand), `arrays` and `data` (what the
page is told), `packing` (in little room), `page` (the file).
"""

from tinyrnn.draw.stepping.page import Stepper, stepper

__all__ = ["Stepper", "stepper"]
