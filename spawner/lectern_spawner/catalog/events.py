"""Parse events of a YAML text: quickly from libyaml, or carefully from ruamel.yaml.

Called by `walk`. Both parsers speak the same events. libyaml is some fifty times
faster; ruamel.yaml is YAML 1.2 and its words for mistakes are the ones that
`yaml_errors` knows, so it has the last word on all that libyaml refuses or would
read differently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Protocol

from ruamel.yaml import YAML

try:
    from yaml import cyaml
except ImportError:  # PyYAML without libyaml
    cyaml = None  # type: ignore[assignment]

# What the two were seen to read differently.
_DIFFERENT = re.compile(
    r"""[\t\x85\u2028\u2029\ufeff]          # tabs; line ends of YAML 1.1; byte order marks
    | (?:^|[\r\n]) (?:%|\.\.\.)            # directives, ends of documents
    | [&*][0-9A-Za-z_-]+[?:%@`]           # such a sign in the name of an anchor
    | (?<![^\s\[\]{},:]) (?:!|\?[^ \w])    # tags; what begins with a question mark
    | [|>][-+0-9]*\x20*(?:\#|[\r\n]|$)      # blocks of text: blank lines, comments behind the head
    """,
    re.VERBOSE,
)


# A course has some hundred. Of a file that is packed with values beyond this, libyaml
# may say that it is good, but ruamel.yaml would take seconds to say what is wrong.
MOST_CAREFUL_EVENTS = 15_000


class Fault(Exception):
    """A text that is YAML, but not of a kind that a file here may hold."""

    def __init__(self, code: str, message: str, offset: int, label: str = "") -> None:
        """Keep what a diagnostic needs; the offset is where it was noticed."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.offset = offset
        self.label = label


class Mark(Protocol):
    """A position in the text."""

    index: int
    """Offset in characters."""


class Event(Protocol):
    """One step of a parser; which attributes there are depends on the class.

    `StreamStartEvent`, `ScalarEvent` and so on have the same names in both parsers.
    """

    start_mark: Mark
    end_mark: Mark
    anchor: str
    tag: str | None
    implicit: tuple[bool, bool]
    """Of a scalar: whether it is plain, and whether it is in quotes; no tag counts."""

    value: str
    flow_style: bool | None
    style: str | None


Events = Iterator[Event]


def quick(text: str) -> Events | None:
    """Return libyaml's events, or None where only ruamel.yaml may read this text.

    The iteration raises `yaml.YAMLError` or ValueError where libyaml does not
    understand the text; that says nothing about whether ruamel.yaml does.
    """
    if cyaml is None or _DIFFERENT.search(text):
        return None
    parser: Any = cyaml.CParser(text)  # type: ignore[attr-defined]
    return iter(parser.get_event, None)


def careful(text: str) -> Events:
    """Yield ruamel.yaml's events; the iteration raises its errors, or a `Fault`."""
    # The round-trip parser looks further ahead than the plain one, and finds better words.
    for count, event in enumerate(YAML(typ="rt").parse(text)):
        if count >= MOST_CAREFUL_EVENTS:
            message = "too many values to find what is wrong"
            raise Fault("LEC005", message, event.start_mark.index, "read up to here")
        if getattr(event, "style", None) == ">":
            # Its marks for where a line was folded.
            event.value = event.value.replace("\a", "")
        yield event
