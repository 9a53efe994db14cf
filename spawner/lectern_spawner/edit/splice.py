"""Work out which characters of a YAML text to replace, so that one place gets another value.

Nothing here is trusted: `change` reads the result again and compares all data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lectern_spawner.edit.tree import Entry, Tree

_COLON = re.compile(r"[ \t]*:(?:[ \t]+[&!]\S+)*")
_LINE_END = re.compile(r"\r\n|\n|\r|\Z")
_COMMA = re.compile(r"(?:\s|#[^\r\n]*)*,")


class CannotSpliceError(ValueError):
    """The text is written in a way that this module does not take apart."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace what lies between two offsets."""

    start: int
    end: int
    text: str


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with edits that do not overlap."""
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def replace(text: str, entry: Entry, new: str) -> list[Edit]:
    """Give an entry another value."""
    old = entry.value
    if old.empty:
        # An empty value may lack even its colon, as `b` in `{a: 1, b}`.
        bare = entry.name_end and ":" not in text[entry.name_end : old.start]
        at = entry.name_end if bare else old.start
        return [Edit(at, at, f": {new}" if bare else f" {new}")]
    colon = _COLON.match(text, entry.name_end) if entry.name_end else None
    if colon is None or old.flow or old.kind not in ("map", "list"):
        return [Edit(old.start, old.end, new)]
    line_end = _line_end(text, colon.end())
    if old.start < line_end:
        return [Edit(old.start, old.end, new)]
    # The section below the key goes, and a comment beside the key stays.
    beside = text[colon.end() : line_end]
    return [Edit(colon.end(), old.end, f" {new}{beside}")]


def add(text: str, parent: Tree, new: str) -> list[Edit]:
    """Put an entry, such as ``key: value`` or ``value``, behind the last one."""
    if parent.flow:
        return [_add_in_line(text, parent, new)]
    last = parent.entries[-1]
    line_end = _line_end(text, last.end)
    dash = "- " if parent.kind == "list" else ""
    indent = _indentation(text, parent)
    return [Edit(line_end, line_end, f"{_line_break(text)}{indent}{dash}{new}")]


def add_first(text: str, parent: Tree, new: str) -> list[Edit]:
    """Put a key before the others, where text in the last one reaches to the end of the file."""
    start = parent.entries[0].start
    return [Edit(start, start, f"{new}{_line_break(text)}{_indentation(text, parent)}")]


def _add_in_line(text: str, parent: Tree, new: str) -> Edit:
    if not parent.entries:
        return Edit(parent.start + 1, parent.start + 1, new)
    end = parent.entries[-1].end
    comma = _COMMA.match(text, end, parent.end - 1)
    if comma is not None:
        return Edit(comma.end(), comma.end(), f" {new}")
    return Edit(end, end, f", {new}")


def remove(text: str, parent: Tree, index: int, *, bare_end: bool) -> list[Edit]:
    """Take away an entry; the caller replaces a collection that would become empty.

    Args:
        text: the whole text.
        parent: the collection.
        index: position of the entry.
        bare_end: when the last line goes and had no line break, let the new last line have none.
    """
    entry = parent.entries[index]
    following = parent.entries[index + 1] if index + 1 < len(parent.entries) else None
    if parent.flow:
        if following is not None:
            return [Edit(entry.start, following.start, "")]
        return [Edit(parent.entries[index - 1].end, entry.end, "")]
    start = _line_start(text, entry.start)
    if not text[start : entry.start].strip():
        return [_lines(text, start, entry.end, bare_end)]
    if following is None:
        raise CannotSpliceError
    return [Edit(entry.start, following.start, "")]


def _lines(text: str, start: int, end: int, bare_end: bool) -> Edit:
    """Return the removal of whole lines."""
    line_end = _line_end(text, end)
    found = _LINE_END.match(text, line_end)
    behind = found.end() if found else line_end
    if bare_end and behind == line_end and start > 0:
        start -= 2 if text[:start].endswith("\r\n") else 1
    return Edit(start, behind, "")


def _indentation(text: str, parent: Tree) -> str:
    """Return what stands before a further entry of a block collection."""
    start = parent.entries[0].start
    before = text[_line_start(text, start) : start]
    return before if not before.strip() else " " * len(before)


def _line_start(text: str, offset: int) -> int:
    return max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1


def _line_end(text: str, offset: int) -> int:
    found = _LINE_END.search(text, offset)
    return found.start() if found else len(text)


def _line_break(text: str) -> str:
    found = _LINE_END.search(text)
    return (found.group() if found else "") or "\n"
