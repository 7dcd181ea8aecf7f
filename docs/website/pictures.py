"""Each picture is a link to itself: wide ones are small on a page, and full size where they are alone."""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx

__all__ = ["setup"]


def link(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Put each picture of a page into a link, unless it is in one."""
    for picture in list(doctree.findall(nodes.image)):
        if not isinstance(picture.parent, nodes.reference) and picture["uri"] in app.env.images:
            name = app.env.images[picture["uri"]][1]
            uri = "../" * page.count("/") + f"{app.builder.imagedir}/{name}"
            reference = nodes.reference("", "", internal=True, refuri=uri)
            picture.replace_self(reference)
            reference += picture


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of it."""
    app.connect("doctree-resolved", link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
