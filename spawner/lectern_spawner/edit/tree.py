"""What stands where in a YAML text, in just enough detail to change one piece of it.

The catalog's reader gives data and spans; an edit must also know the style of each
collection, and which aliases and merges lead where. Built from ruamel.yaml's events.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)

MERGE = "<<"
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)+")
_ONLY_PROPERTIES = re.compile(r"(?:[&!]\S*\s*)+")
_ANCHOR = r"(?:[ \t]+[&!][^\s,\[\]{}]*)*"
_COLON = re.compile(r"[ \t]*:" + _ANCHOR)
_DASH = re.compile(r"(?:\s|#[^\r\n]*)*(-)" + _ANCHOR)


@dataclass(slots=True)
class Tree:
    """A value as it is written."""

    kind: str
    """``scalar``, ``map``, ``list`` or ``alias``."""

    start: int
    """Offset of the first character, behind anchor and tag."""

    end: int
    """Offset behind the last character; the same as `start` for an empty value."""

    anchor: str = ""
    """The name behind ``&``, or behind ``*`` for an alias."""

    style: str = ""
    """The quote or ``|`` or ``>`` of a scalar."""

    flow: bool = False
    mark: int = 0
    """Offset at which the anchor or alias stands, else the same as `start`."""

    entries: list[Entry] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether nothing is written here at all."""
        return self.start == self.end

    def own(self, part: str | int) -> Entry | None:
        """Return the entry that is written here itself, not merged in."""
        if isinstance(part, int):
            return self.entries[part] if part < len(self.entries) else None
        found = [entry for entry in self.entries if entry.name == part and not entry.merge]
        return found[0] if found else None


@dataclass(slots=True)
class Entry:
    """An item of a list, or a key with its value."""

    start: int
    """Offset of the key, or of the dash."""

    value: Tree
    name: str = ""
    name_end: int = 0
    merge: bool = False

    @property
    def end(self) -> int:
        """Offset behind the entry's last character."""
        return max(self.value.end, self.name_end)


def build(text: str) -> Tree:
    """Return the tree of a text that the catalog's reader accepts."""
    return _Builder(text).tree


def line_of(text: str, offset: int) -> int:
    """Return the number of the line that an offset is on, from 1."""
    return len(re.findall(r"\r\n|\n|\r", text[:offset])) + 1


def walk(tree: Tree) -> Iterator[Tree]:
    """Yield a value and everything inside it."""
    yield tree
    for entry in tree.entries:
        yield from walk(entry.value)


def _is_nothing(event: Event) -> bool:
    return isinstance(event, ScalarEvent) and not event.value and not event.style


class _Builder:
    """One pass over the events."""

    def __init__(self, text: str) -> None:
        self.text = text
        events: Iterator[Event] = YAML(typ="rt").parse(text)
        self.events = (
            event for event in events if isinstance(event, NodeEvent | CollectionEndEvent)
        )
        self.tree = self._value(next(self.events))

    def _value(self, event: Event) -> Tree:
        found = self._plain_value(event)
        found.mark = event.start_mark.index
        return found

    def _plain_value(self, event: Event) -> Tree:
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, AliasEvent):
            return Tree("alias", start, end, event.anchor)
        anchor = str(getattr(event, "anchor", None) or "")
        if isinstance(event, ScalarEvent):
            return self._scalar(event, start, end, anchor)
        kind = "map" if isinstance(event, MappingStartEvent) else "list"
        flow = bool(getattr(event, "flow_style", False))
        found = Tree(kind, self._content(start, end), end, anchor, flow=flow)
        closing = self._entries(event, found)
        found.end = closing.end_mark.index if found.flow else self._last(found)
        if found.flow:
            found.start = self.text.index("{" if kind == "map" else "[", found.start)
        else:
            found.start = found.entries[0].start
        return found

    def _scalar(self, event: ScalarEvent, start: int, end: int, anchor: str) -> Tree:
        style = str(event.style or "")
        trimmed = start + len(self.text[start:end].rstrip())
        begin = self._content(start, trimmed)
        return Tree("scalar", begin, max(begin, trimmed), anchor, style)

    def _content(self, start: int, end: int) -> int:
        """Return where a value begins behind its anchor and tag."""
        if self.text[start : start + 1] not in ("&", "!"):
            return start
        only = _ONLY_PROPERTIES.fullmatch(self.text, start, end)
        if only is not None:
            return start + len(only.group().rstrip())
        found = _PROPERTIES.match(self.text, start)
        return found.end() if found else start

    def _entries(self, opening: Event, found: Tree) -> Event:
        for event in self.events:
            if isinstance(event, CollectionEndEvent):
                return event
            if isinstance(opening, SequenceStartEvent):
                found.entries.append(self._item(event, found))
            else:
                found.entries.append(self._pair(event))
        raise ValueError("a collection is never closed")

    def _item(self, event: Event, found: Tree) -> Entry:
        value = self._value(event)
        if found.flow:
            return Entry(value.mark, value)
        before = found.entries[-1].end if found.entries else found.start
        dash = _DASH.match(self.text, before)
        if _is_nothing(event):
            self._move(value, dash, before)
        return Entry(dash.start(1) if dash else value.mark, value)

    def _pair(self, event: Event) -> Entry:
        key = self._value(event)
        name = str(getattr(event, "value", ""))
        follower = next(self.events)
        value = self._value(follower)
        if _is_nothing(follower):
            self._move(value, _COLON.match(self.text, key.end), key.end)
        merge = name == MERGE and not key.style
        return Entry(event.start_mark.index, value, name, key.end, merge)

    @staticmethod
    def _move(value: Tree, found: re.Match[str] | None, otherwise: int) -> None:
        # ruamel.yaml puts an empty value behind the comment that follows it.
        value.start = value.end = found.end() if found else otherwise

    def _last(self, found: Tree) -> int:
        return found.entries[-1].end if found.entries else found.start
