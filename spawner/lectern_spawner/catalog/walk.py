"""Walk the nodes of a YAML document and build plain data with positions.

Called by `source` and `nodes`. What a YAML parser takes without complaint but a
campus's files must not contain (duplicate keys, tags, directives, keys that are
not text, anchors that explode) is found here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn, Unpack

import yaml
from ruamel.yaml.error import YAMLError

from lectern_spawner.catalog import events, scalars, yaml_errors
from lectern_spawner.catalog.compose import DEEPEST, Node, Offsets, compose
from lectern_spawner.catalog.diagnostics import Diagnostic, More, Note, Span, shorten
from lectern_spawner.catalog.events import Fault
from lectern_spawner.catalog.lines import BLANKS, Lines

Where = tuple[str | int, ...]
# Anchors let a small file describe an enormous tree; a course needs a few hundred values.
MOST_VALUES = 50_000
# Far more than are shown; only a file that nobody wrote by hand has more.
MOST_PROBLEMS = 500

# The places of a clean file are wanted rarely, and then many at once.
_DOCUMENTS_KEPT = 4
_PROPERTIES = re.compile(rf"(?:[&!][^{BLANKS},\[\]{{}}]*[ \t]+)+")


class _Stop(Exception):
    """The walk cannot go on; the diagnostic was already recorded."""


@dataclass(frozen=True, slots=True)
class Document:
    """What became of one text."""

    lines: Lines
    data: object
    """None when unusable."""

    keys: Mapping[Where, Node]
    values: Mapping[Where, Node]
    uses: Mapping[Where, Offsets]
    broken: frozenset[Where]
    diagnostics: tuple[Diagnostic, ...]

    def span(self, node: Node) -> Span:
        """Return the span of a node without its anchor and without trailing blank lines."""
        return _span(self.lines, node)


@lru_cache(maxsize=_DOCUMENTS_KEPT)
def document(text: str, file: str) -> Document:
    """Return the data and problems of a YAML text; `file` is only shown.

    The last few are remembered, so that the same text may be asked for again when
    the places of its values are needed after all.
    """
    lines = Lines(text, file)
    directive = yaml_errors.directive(lines)
    if directive is not None:
        return _unusable(lines, directive)
    try:
        root = _quickly(text) or compose(events.careful(text), text)
    except (YAMLError, Fault) as error:
        return _unusable(lines, yaml_errors.translate(error, lines))
    except (RecursionError, ValueError, AttributeError, AssertionError) as error:
        # ruamel.yaml fails like this on a few malformed inputs instead of
        # raising its own error.
        return _unusable(lines, yaml_errors.broken(error, lines))
    if root is None or (root.is_scalar and root.text == ""):
        empty = Diagnostic(code="LEC010", message="the file is empty", file=file)
        return _unusable(lines, empty)
    return _Walk(lines).document(root)


def _quickly(text: str) -> Node | None:
    """Return what libyaml makes of a text, or None where ruamel.yaml must be asked."""
    found = events.quick(text)
    if found is None:
        return None
    try:
        return compose(found, text)
    except (yaml.YAMLError, Fault, ValueError):
        return None


def _unusable(lines: Lines, problem: Diagnostic) -> Document:
    return Document(lines, None, {}, {}, {}, frozenset(), (problem,))


class _Walk:
    """One pass over the nodes of a document."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.diagnostics: list[Diagnostic] = []
        self.keys: dict[Where, Node] = {}
        self.values: dict[Where, Node] = {}
        self.uses: dict[Where, Offsets] = {}
        self.broken: set[Where] = set()
        self.open: set[int] = set()
        self.seen = 0

    def document(self, root: Node) -> Document:
        """Return everything that the walk from a root finds."""
        try:
            data = self.value(root, ())
        except _Stop:
            self.keys, self.values, self.uses, self.broken = {}, {}, {}, set()
            data = None
        places = (self.keys, self.values, self.uses)
        broken = frozenset(self.broken)
        return Document(self.lines, data, *places, broken, tuple(self.diagnostics))

    def value(self, node: Node, where: Where) -> object:
        """Return the plain data of a node and record the nodes below it."""
        self.values[where] = node
        if id(node) in self.open:
            self._stop("an anchor contains itself", node)
        self._count(node)
        if len(where) > 2 * DEEPEST:
            self._stop("anchors make this file too large", node)
        if node.is_scalar:
            return self._scalar(node, where)
        if node.kind not in ("map", "seq"):
            return self._foreign(node, where)
        self.open.add(id(node))
        data = self._mapping(node, where) if node.kind == "map" else self._list(node, where)
        self.open.discard(id(node))
        return data

    def _scalar(self, node: Node, where: Where) -> object:
        if node.kind == "str":
            return node.text
        if node.kind not in scalars.KINDS:
            return self._foreign(node, where)
        try:
            return scalars.plain(node.kind, node.text)
        except ValueError as error:
            self.report(getattr(error, "code", "LEC001"), str(error), node)
            self.broken.add(where)
            return None

    def _foreign(self, node: Node, where: Where) -> object:
        found = _PROPERTIES.match(self.lines.text + " ", node.start)
        end = node.start + (len(found.group().rstrip()) if found else 1)
        tag = node.kind if node.kind[:1] == "!" or ":" in node.kind else f"!!{node.kind}"
        span = self.lines.span(node.start, min(end, len(self.lines.text)))
        self._report_at("LEC007", f"tag `{shorten(tag)}` has no meaning here", span)
        self.broken.add(where)
        return None

    def _list(self, node: Node, where: Where) -> list[object]:
        for index, marks in node.aliases.items():
            self.uses[*where, index] = marks
        return [self.value(child, (*where, index)) for index, child in enumerate(node.children)]

    def _mapping(self, node: Node, where: Where) -> dict[str, object]:
        data: dict[str, object] = {}
        merges: list[tuple[Node, Node]] = []
        for index in range(0, len(node.children), 2):
            key, child = node.children[index : index + 2]
            if key.kind == "merge":
                merges.append((key, child))
            elif (name := self._key(key)) is not None:
                place = (*where, name)
                if name in data:
                    self._twice(name, self.keys[place], key)
                    continue
                self.keys[place] = key
                if index + 1 in node.aliases:
                    self.uses[place] = node.aliases[index + 1]
                data[name] = self.value(child, place)
        for key, child in merges:
            self._merge(key, child, where, data)
        return data

    def _merge(self, key: Node, node: Node, where: Where, data: dict[str, object]) -> None:
        for name, name_node, child in self._merged(key, node, 0):
            place = (*where, name)
            if name in data:
                continue
            self.keys[place] = name_node
            self.uses[place] = (_start(self.lines, key), _end(self.lines, key))
            data[name] = self.value(child, place)

    def _merged(self, key: Node, node: Node, depth: int) -> Iterator[tuple[str, Node, Node]]:
        """Yield what a merged mapping brings in, the nearest definition of a key first."""
        if depth > DEEPEST:
            self._stop("an anchor contains itself", key)
        for source in node.children if _is(node, "seq") else [node]:
            if not _is(source, "map"):
                self.report("LEC011", "`<<` can only merge mappings", key)
                continue
            pairs = list(zip(source.children[::2], source.children[1::2], strict=True))
            for inner_key, child in pairs:
                self._count(key)
                if inner_key.kind != "merge":
                    name = self._key(inner_key)
                    if name is not None:
                        yield name, inner_key, child
            for inner_key, child in pairs:
                if inner_key.kind == "merge":
                    yield from self._merged(inner_key, child, depth + 1)

    def _key(self, node: Node) -> str | None:
        if node.is_scalar and node.kind in ("str", "value"):
            return node.text
        if node.is_scalar:
            shown = shorten(node.text)
            message = f"key `{shown}` is not text"
            self.report("LEC012", message, node, help=f'write `"{shown}"`')
        else:
            self.report("LEC012", "a list or mapping cannot be a key", node)
        return None

    def _twice(self, name: str, first: Node, second: Node) -> None:
        note = Note("first set here", self.lines.place(_span(self.lines, first)))
        message = f"key `{shorten(name)}` is set twice"
        self.report("LEC002", message, second, label="second value", notes=(note,))

    def _count(self, node: Node) -> None:
        self.seen += 1
        if self.seen > MOST_VALUES:
            self._stop("anchors make this file too large", node)

    def _stop(self, message: str, node: Node) -> NoReturn:
        # It comes last, and must be told however much else is wrong.
        del self.diagnostics[MOST_PROBLEMS - 1 :]
        self.report("LEC011", message, node)
        raise _Stop

    def report(self, code: str, message: str, node: Node, **more: Unpack[More]) -> None:
        """Record an error at a node of this file."""
        if len(self.diagnostics) >= MOST_PROBLEMS:
            return
        self._report_at(code, message, _span(self.lines, node), **more)

    def _report_at(self, code: str, message: str, span: Span, **more: Unpack[More]) -> None:
        file, at = self.lines.file, self.lines.place(span)
        self.diagnostics.append(Diagnostic(code=code, message=message, file=file, at=at, **more))


def _is(node: Node, kind: str) -> bool:
    return node.kind == kind and not node.is_scalar


def _span(lines: Lines, node: Node) -> Span:
    start = _start(lines, node)
    return lines.span(start, max(start, _end(lines, node)))


def _start(lines: Lines, node: Node) -> int:
    properties = _PROPERTIES.match(lines.text, node.start, node.end)
    return properties.end() if properties else node.start


def _end(lines: Lines, node: Node) -> int:
    """Return the offset behind a node's last character.

    The parsers end a block where the next token starts; the text between is blank
    lines and comments.
    """
    if node.is_scalar or node.is_flow:
        return node.start + len(lines.text[node.start : node.end].rstrip(BLANKS))
    count = len(node.children)
    inside = [_child_end(lines, node, index) for index in range(max(0, count - 2), count)]
    return max(inside, default=node.start)


def _child_end(lines: Lines, node: Node, index: int) -> int:
    # What an alias stands for lies elsewhere in the file.
    alias = node.aliases.get(index)
    return alias[1] if alias else _end(lines, node.children[index])
