r"""A picture as TikZ: a LaTeX file that compiles alone, or goes into a paper by ``\input``.

Every box is a node with its name (``t3-l0-cell``), so that a paper can draw arrows of its own to it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from tinyrnn.draw.writing.shapes import Part, Shape, pairs, parts_of, scale_of

__all__ = ["tikz_of"]

HEAD = r"""% Drawn by tinyrnn; pdflatex compiles it. A paper takes it in by \input,
% with \usepackage{standalone,tikz} and, for these letters, \usepackage[T1]{fontenc} and \usepackage{helvet}.
\documentclass[border=0pt]{standalone}
\usepackage[T1]{fontenc}
\usepackage{tikz}
\IfFileExists{helvet.sty}{\usepackage{helvet}}{}
\begin{document}%
% A character that only the newer engines may have.
\providecommand{\character}[1]{\ifdefined\Umathcode\char"#1\else[#1]\fi}%"""
NAMED = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_",
    "%": r"\%", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": "$<$", ">": "$>$", "|": "$|$",
    '"': r"\textquotedbl{}", "[": "{[}", "]": "{]}", "‖": r"$\|$", "∂": r"$\partial$", "·": r"$\cdot$",
    "…": r"\dots{}", "−": "$-$", "×": r"$\times$", "÷": r"$\div$", "±": r"$\pm$", "√": r"$\surd$",
    "∑": r"$\Sigma$", "∏": r"$\Pi$", "∫": r"$\int$", "∇": r"$\nabla$", "∞": r"$\infty$", "≤": r"$\le$",
    "≥": r"$\ge$", "≠": r"$\ne$", "≈": r"$\approx$", "∈": r"$\in$", "←": r"$\leftarrow$", "→": r"$\to$",
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "↔": r"$\leftrightarrow$", "⊙": r"$\odot$", "⊗": r"$\otimes$",
    "⊕": r"$\oplus$", "∘": r"$\circ$", "⋯": r"$\cdots$", "½": r"$\frac12$", "′": "$'$", "ϵ": r"$\epsilon$",
    "λ": r"$\lambda$", "Λ": r"$\Lambda$", "\xa0": "~",
}  # fmt: skip
ACCENTS = {
    "\u0300": "grave", "\u0301": "acute", "\u0302": "hat", "\u0303": "tilde", "\u0304": "bar",
    "\u0307": "dot", "\u0308": "ddot", "\u20d7": "vec",
}  # fmt: skip
LATIN = {  # Greek letters for which TeX has no command, for they look like these
    "ALPHA": "A", "BETA": "B", "EPSILON": "E", "ZETA": "Z", "ETA": "H", "IOTA": "I", "KAPPA": "K", "MU": "M",
    "NU": "N", "OMICRON": "O", "RHO": "P", "TAU": "T", "CHI": "X",
}  # fmt: skip
COLOURS = {"black": "000000", "white": "FFFFFF", "lightgrey": "D3D3D3", "red": "FF0000", "blue": "0000FF"}
DASHES = {"5,2": "dash pattern=on 5bp off 2bp", "1,5": "dash pattern=on 1bp off 3bp"}
ANCHORS = {"middle": "base", "start": "base west", "end": "base east"}


def tikz_of(svg: str) -> str:
    """Write the picture of an SVG as a LaTeX document.

    Raises
    ------
    ValueError
        The picture has a colour by a name that is not known here.
    """
    parts = parts_of(svg)
    shapes = [shape for part in parts for shape in part.shapes]
    used = dict.fromkeys(colour for shape in shapes for colour in (_fill(shape), _stroke(shape)))
    names = Counter[str]()
    body = [line for part in parts for line in _part(part, names)]
    picture = [
        r"\begin{tikzpicture}[x=1bp,y=-1bp,every node/.style={inner sep=0pt,outer sep=0pt}]",
        *(rf"\definecolor{{{colour}}}{{HTML}}{{{colour[1:]}}}" for colour in used if colour),
        *body,
        r"\end{tikzpicture}",
    ]
    scale = scale_of(svg)
    if scale != 1:
        picture = [rf"\scalebox{{{scale:.5f}}}{{%", *picture, "}"]
    return "\n".join([HEAD, *picture, r"\end{document}"]) + "\n"


def _part(part: Part, names: Counter[str]) -> list[str]:
    lines = ["% " + " ".join([part.kind, *part.classes, part.id]).strip()]
    lines += [_text(shape) if shape.tag == "text" else _drawn(shape) for shape in part.shapes]
    if part.kind == "node":
        left, top, right, bottom = part.ends
        lines.append(
            rf"\node[minimum width={right - left:.2f}bp,minimum height={bottom - top:.2f}bp] "
            rf"({_name(part.id, names)}) at ({(left + right) / 2:.2f},{(top + bottom) / 2:.2f}) {{}};"
        )
    return lines


def _name(id: str, names: Counter[str]) -> str:
    """Return a name that TikZ takes, and that no other node has."""
    name = re.sub(r"[^0-9A-Za-z]+", "-", id).strip("-") or "box"
    names[name] += 1
    return name if names[name] == 1 else f"{name}--{names[name]}"


def _drawn(shape: Shape) -> str:
    options: list[str] = []
    if fill := _fill(shape):
        options.append(f"fill={fill}")
    if stroke := _stroke(shape):
        options += [f"draw={stroke}", f"line width={shape.length('stroke-width', 1.0):g}bp"]
        dashes = shape.style.get("stroke-dasharray", "")
        options += [DASHES[dashes]] if dashes in DASHES else []
    return rf"\path[{','.join(options)}] {_way(shape)};"


def _way(shape: Shape) -> str:
    if shape.tag == "ellipse":
        x, y, rx, ry = (shape.length(name) for name in ("cx", "cy", "rx", "ry"))
        return f"({x:g},{y:g}) ellipse [x radius={rx:g}bp,y radius={ry:g}bp]"
    if shape.tag != "path":
        return " -- ".join(map(_point, shape.points)) + (" -- cycle" if shape.tag == "polygon" else "")
    way = ""
    for command, rest in re.findall(r"([MCLZz])([^MCLZz]*)", shape.style["d"]):
        points = list(map(_point, pairs(rest)))
        if command == "C":
            curves = zip(points[::3], points[1::3], points[2::3])
            way += "".join(f" .. controls {a} and {b} .. {c}" for a, b, c in curves)
        elif command == "L":
            way += "".join(f" -- {point}" for point in points)
        else:
            way += " " + " -- ".join(points) if command == "M" else " -- cycle"
    return way.strip()


def _point(point: tuple[float, float]) -> str:
    return f"({point[0]:g},{point[1]:g})"


def _text(shape: Shape) -> str:
    size = shape.length("font-size", 14.0)
    anchor = ANCHORS[shape.style.get("text-anchor", "start")]
    bold = r"\bfseries" if shape.style.get("font-weight") == "bold" else ""
    options = rf"anchor={anchor},font=\fontsize{{{size:g}bp}}{{{size:g}bp}}\sffamily{bold}\selectfont"
    if fill := _fill(shape):
        options += f",text={fill}"
    return rf"\node[{options}] at ({shape.length('x'):g},{shape.length('y'):g}) {{{_latex(shape.text)}}};"


def _latex(text: str) -> str:
    """Write letters as LaTeX does: what is not a letter of Europe is set in mathematics."""
    found: list[str] = []
    for c in unicodedata.normalize("NFC", text):
        if c in ACCENTS and found:
            found[-1] = rf"$\{ACCENTS[c]}{{\mbox{{{found[-1]}}}}}$"
        else:
            found.append(_letter(c))
    return "".join(found)


def _letter(c: str) -> str:
    if c in NAMED:
        return NAMED[c]
    accented = ord(c) < 0x180 and unicodedata.decomposition(c)[:1] not in ("", "<")
    if c.isprintable() and (ord(c) < 0x100 or c in "ıłŁđĐœŒŋŊ" or accented):
        return c
    how, *codes = unicodedata.decomposition(c).split() or [""]
    if how in ("<sub>", "<super>"):
        inside = "".join(_letter(chr(int(code, 16))) for code in codes).replace("$", "")
        return f"${'_' if how == '<sub>' else '^'}{{{inside}}}$"
    words = unicodedata.name(c, "").split()
    if "Α" <= c <= "ω" and len(words) == 4:  # not those with accents, nor the final sigma
        if words[3] in LATIN and (words[1] == "CAPITAL" or words[3] == "OMICRON"):
            return LATIN[words[3]] if words[1] == "CAPITAL" else "o"
        return rf"$\{words[3].capitalize() if words[1] == 'CAPITAL' else words[3].lower()}$"
    return rf"\character{{{ord(c):04X}}}"


def _fill(shape: Shape) -> str:
    return _colour(shape.style.get("fill", "black"))


def _stroke(shape: Shape) -> str:
    return _colour(shape.style.get("stroke", "none"))


def _colour(name: str) -> str:
    """Return the name of a colour in the file; empty for none."""
    if name in ("none", "transparent"):
        return ""
    code = name.removeprefix("#").upper() if name.startswith("#") else COLOURS.get(name)
    if code is None:
        raise ValueError(
            f"tex: the colour {name!r} is not known; expected #rrggbb or one of {', '.join(COLOURS)}"
        )
    return f"c{code}"
