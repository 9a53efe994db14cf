"""Put parse events together into the nodes of one document, with their offsets.

Called by `walk`. The events come from either parser of `events`; from here on it
makes no difference which one it was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lectern_spawner.catalog import scalars
from lectern_spawner.catalog.events import Event, Events, Fault
from lectern_spawner.catalog.lines import BLANKS

DEEPEST = 40
_STANDARD = "tag:yaml.org,2002:"
# From the end of what was read before to behind the sign that a value follows.
_SIGN = re.compile(rf"(?:[{BLANKS}]|#[^\r\n]*)*[-:?]")
_PROPERTIES = re.compile(rf"[^{BLANKS},\[\]{{}}]*(?:[ \t]+[&!][^{BLANKS},\[\]{{}}]*)*")
_COLLECTIONS = {"SequenceStartEvent": "seq", "MappingStartEvent": "map"}

Offsets = tuple[int, int]


@dataclass(slots=True, eq=False)
class Node:
    """A scalar, list or mapping as it is written."""

    kind: str
    """``map``, ``seq``, one of `scalars.KINDS`, ``merge``, or a foreign tag."""

    start: int
    end: int
    """Behind the last character; a block may end where the next token starts."""

    is_scalar: bool = True
    is_flow: bool = False
    text: str = ""
    """Of a scalar."""

    children: list[Node] = field(default_factory=list)
    """Items of a list; key, value, key, value and so on of a mapping."""

    aliases: dict[int, Offsets] = field(default_factory=dict)
    """Position among the children -> where the alias stands that brings it."""


def compose(events: Events, text: str) -> Node | None:
    """Return the root of the only document, or None when there is none.

    Args:
        events: of either parser.
        text: what the parser reads.

    Raises:
        Fault: when lists and mappings lie in each other too deeply, an alias has no
            anchor, or there is a second document.
    """
    return _Composer(events, text).document()


class _Composer:
    """Takes the events of one text."""

    def __init__(self, events: Events, text: str) -> None:
        self.events = events
        self.source = text
        self.behind = 0
        """The offset behind the last scalar, alias, bracket or beginning of a block."""

        self.anchors: dict[str, Node] = {}

    def document(self) -> Node | None:
        next(self.events)
        if _name(next(self.events)) == "StreamEndEvent":
            return None
        root = self.node(next(self.events), 0)
        next(self.events)
        after = next(self.events)
        if _name(after) != "StreamEndEvent":
            message = "the file holds more than one document"
            raise Fault("LEC009", message, after.start_mark.index, "second one")
        return root

    def node(self, event: Event, level: int) -> Node:
        name = _name(event)
        if name == "AliasEvent":
            return self._target(event)
        start = event.start_mark.index
        if level >= DEEPEST:
            raise Fault("LEC005", "lists and mappings are nested too deeply", start)
        if name == "ScalarEvent":
            made = self._scalar(event, start)
        else:
            made = Node(_kind(event, _COLLECTIONS[name]), start, start, is_scalar=False)
            made.is_flow = bool(event.flow_style)
            self.behind = start + made.is_flow
        if event.anchor is not None:
            self.anchors[event.anchor] = made
        if not made.is_scalar:
            made.end = self._children(made, level)
        return made

    def _scalar(self, event: Event, start: int) -> Node:
        if event.value or not event.implicit[0]:
            self.behind = end = event.end_mark.index
        elif start != event.end_mark.index:
            # Only an anchor or a tag stands there.
            self.behind = end = start + _properties(self.source, start)
        else:
            # Each parser has its own idea of where a value that is not there begins.
            sign = _SIGN.match(self.source, self.behind)
            self.behind = start = end = sign.end() if sign else self.behind
        return Node(_scalar_kind(event), start, end, text=event.value)

    def _children(self, parent: Node, level: int) -> int:
        """Take what is inside a list or mapping and return the offset of its end."""
        children = parent.children
        for event in self.events:
            name = _name(event)
            if name in ("SequenceEndEvent", "MappingEndEvent"):
                if parent.is_flow:
                    self.behind = event.end_mark.index
                return int(event.end_mark.index)
            if name == "AliasEvent":
                marks = (event.start_mark.index, event.end_mark.index)
                parent.aliases[len(children)] = marks
                self.behind = marks[1]
            children.append(self.node(event, level + 1))
        return parent.start

    def _target(self, event: Event) -> Node:
        target = self.anchors.get(event.anchor)
        if target is None:
            message = "an alias names an anchor that does not exist"
            raise Fault("LEC011", message, event.start_mark.index)
        return target


def _properties(text: str, start: int) -> int:
    """Return how long an anchor, a tag or both are."""
    found = _PROPERTIES.match(text, start)
    return len(found.group()) if found else 0


def _name(event: object) -> str:
    return type(event).__name__


def _scalar_kind(event: Event) -> str:
    if event.tag in (None, "!"):
        return scalars.kind_of(event.value) if event.implicit[0] else "str"
    return str(event.tag).removeprefix(_STANDARD)


def _kind(event: Event, usual: str) -> str:
    return usual if event.tag in (None, "!") else str(event.tag).removeprefix(_STANDARD)
