"""What Sphinx reads: README, docs and the reference in one folder, with what their blocks wrote."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from website import cells, command, operations, reference
from website.blocks import Block, blocks, run
from website.listing import linked, listings
from website.notebooks import notebook

__all__ = ["EXTRA", "ROOT", "put_together"]

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FILES = ".files"  # what the blocks of page.md write stands in page.files/
LEARN = DOCS / "learn"  # whose pages are notebooks too
EXTRA = "_written"  # the folder of what blocks wrote, which goes into the site as it is
GENERATED = (operations, cells, command)  # pages of the reference that read the library itself
# Where a page of docs/ stands in the navigation. Folders and all that is not named here are found.
GALLERY = ["gallery", "gallery_styles", "tasks", "claims"]
BUILT = ["architecture", "autograd"]
USE = ["modules", "training", "sequences", "truncated_bptt", "drawing", "stepper", "dynamics", "rtrl"]


def put_together(folder: Path) -> None:
    """Write all pages into a folder, each under the path that it has in the repository."""
    shutil.copytree(DOCS / "pictures", folder / "docs" / "pictures")
    pages = {Path("index.md"): ROOT / "README.md"}
    pages |= {page.relative_to(ROOT): page for page in [ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]}
    pages |= {page.relative_to(ROOT): page for page in DOCS.rglob("*.md")}
    shown: set[Path] = set()  # files of the repository that pages link to
    for name, page in pages.items():
        shown |= _put(page, name, folder)
    described = {f"reference/{name}.rst": text for name, text in reference.pages().items()}
    described |= {f"reference/{each.__name__.rpartition('.')[2]}.rst": each.page() for each in GENERATED}
    for name, text in (described | listings(shown, ROOT)).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    with open(folder / "index.md", "a", encoding="utf-8") as home:
        home.write(_navigation([name.removesuffix(".rst") for name in described]))


def _put(page: Path, name: Path, folder: Path) -> set[Path]:
    """Copy a page, and return the files to which it links.

    Where its blocks write pages of their own they are run, and each such page is shown after its block.
    """
    text = page.read_text(encoding="utf-8")
    if any(".html" in block.code for block in blocks(text)):
        written = folder / EXTRA / name.with_suffix(FILES)
        written.mkdir(parents=True)
        text = _with_frames(text, run(page, written), written.name)
        for path in written.rglob("*"):
            if path.is_file() and path.suffix != ".html":
                path.unlink()
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    text, files = linked(text, page, ROOT)
    if page.parent == LEARN and page.stem != "index":
        title, below, rest = text.partition("\n")
        text = f"{title}{below}\n[This chapter as a notebook]({page.stem}.ipynb)\n{rest}"
        (folder / name).with_suffix(".ipynb").write_text(notebook(page), encoding="utf-8")
    (folder / name).write_text(text, encoding="utf-8")
    return files


def _with_frames(text: str, ran: list[Block], folder: str) -> str:
    for block in reversed(ran):
        frames = [
            f'<div class="shown"><iframe src="{folder}/{name}" title="{name}" loading="lazy"></iframe>\n'
            f'<a href="{folder}/{name}">{name} on a page of its own</a></div>\n\n'
            for name in block.written
            if name.endswith(".html")
        ]
        if frames:
            text = text[: block.end] + "\n\n" + "".join(frames) + text[block.end :]
    return text


def _navigation(names: list[str]) -> str:
    """Return the tables of contents that Sphinx makes the navigation of."""

    def found(folder: str) -> list[str]:
        """Return the pages of a folder: its index, and the others in the order in which that names them."""
        index = ROOT / folder / "index.md"
        text = index.read_text(encoding="utf-8") if index.exists() else ""
        stems = sorted(path.stem for path in (ROOT / folder).glob("*.md"))
        stems.sort(key=lambda stem: (stem != "index", text.find(f"]({stem}.md") % (len(text) + 1)))
        return [f"{folder}/{stem}" for stem in stems]

    placed = {f"docs/{name}" for name in [*GALLERY, *BUILT, *USE]}
    rest = [name for name in found("docs") if name not in placed]
    sections = {
        "Learn": found("docs/learn"),
        "Use": [*found("docs/use"), *_docs(USE), *rest],
        "Reference": names,
        "Gallery": _docs(GALLERY),
        "How it is built": [*_docs(BUILT), "CONTRIBUTING", "CHANGELOG"],
    }
    toctree = "\n```{{toctree}}\n:hidden:\n:caption: {}\n\n{}\n```\n"
    return "".join(toctree.format(title, "\n".join(listed)) for title, listed in sections.items() if listed)


def _docs(names: Iterable[str]) -> list[str]:
    return [f"docs/{name}" for name in names]
