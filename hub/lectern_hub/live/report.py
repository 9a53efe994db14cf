"""Show diagnostics on a page as a terminal would, colours included."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup, escape

from lectern_spawner.catalog import Diagnostic
from lectern_spawner.catalog.render import full

MOST_SHOWN = 200

_COLOURED = re.compile(r"\x1b\[([0-9;]+)m(.*?)\x1b\[0m", re.DOTALL)
_ARROWS = ("--> \x1b[0m", "::: \x1b[0m")
_CLASSES = {"1;31": "error", "1;33": "warning", "1;34": "frame", "1": "bold"}


def markup(diagnostics: Sequence[Diagnostic], campus: Path) -> Markup:
    """Return the first of some diagnostics in the full look, as HTML for a `pre` element.

    Args:
        diagnostics: what is wrong.
        campus: the campus folder; the names of its files are shown without it.
    """
    text = full(diagnostics[:MOST_SHOWN], colour=True)
    for arrow in _ARROWS:
        text = text.replace(f"{arrow}{campus}/", arrow)
    end, made = 0, Markup()
    for found in _COLOURED.finditer(text):
        made += _plain(text[end : found.start()])
        made += Markup('<span class="lectern-{}">{}</span>').format(
            _CLASSES[found[1]], _plain(found[2])
        )
        end = found.end()
    return made + _plain(text[end:]).rstrip()


def _plain(text: str) -> Markup:
    """Return text with wide characters as wide as on a terminal, so that marks stand right."""
    return Markup("").join(
        Markup('<span class="lectern-wide">{}</span>').format(character)
        if unicodedata.east_asian_width(character) in "WF"
        else escape(character)
        for character in text
    )
