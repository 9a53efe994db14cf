"""Turn the text of a YAML file into plain data that knows its places.

Called by `reading`; `events`, `compose` and `walk` do the work, in this order.
"""

from __future__ import annotations

from lectern_spawner.catalog.diagnostics import Diagnostic
from lectern_spawner.catalog.source import Source
from lectern_spawner.catalog.walk import document


def parse(text: str, file: str) -> tuple[Source, list[Diagnostic]]:
    """Return the source of a YAML text and its problems; data is None when unusable."""
    found = document(text, file)
    return Source(file, text, found.broken), list(found.diagnostics)
