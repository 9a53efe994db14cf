"""Walk the nodes of a YAML document and build plain data with positions.

Called by `reading` only. What ruamel.yaml composes without complaint but a
campus's files must not contain (duplicate keys, tags, directives, keys that are
not text, anchors that explode) is found here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Unpack

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from lectern_spawner.catalog import scalars, yaml_errors
from lectern_spawner.catalog.diagnostics import Diagnostic, More, Note, Span, shorten
from lectern_spawner.catalog.source import Lines, Source, Where, blank

STANDARD = "tag:yaml.org,2002:"
DEEPEST = 40
# Anchors let a small file describe an enormous tree; a course needs a few hundred values.
MOST_VALUES = 50_000

_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*[ \t]+)+")


class _Stop(Exception):
    """The walk cannot go on; the diagnostic was already recorded."""


class _AliasComposer(Composer):
    """Composer that remembers where each alias stands; the nodes alone do not tell."""

    def __init__(self, loader: object = None) -> None:
        """Take the arguments of ruamel.yaml's own composer."""
        super().__init__(loader=loader)
        self.warn_double_anchors = False
        self.alias_marks: dict[tuple[int, int], tuple[int, int]] = {}
        self.level = 0

    def compose_node(self, parent: object, index: object) -> Node:
        """Compose one node, noting the marks when it is an alias."""
        if self.parser.check_event(AliasEvent):
            event = self.parser.peek_event()
            slot = index if isinstance(index, int) else id(index)
            marks = (event.start_mark.index, event.end_mark.index)
            self.alias_marks[id(parent), slot] = marks
            target: Node = super().compose_node(parent, index)
            return target
        if self.level >= DEEPEST:
            raise yaml_errors.TooDeep(self.parser.peek_event().start_mark.index)
        self.level += 1
        node: Node = super().compose_node(parent, index)
        self.level -= 1
        return node


def parse(text: str, file: str) -> tuple[Source, list[Diagnostic]]:
    """Return the source of a YAML text and its problems; data is None when unusable."""
    bare = blank(file, text)
    lines = Lines(text)
    directive = yaml_errors.directive(bare, lines)
    if directive is not None:
        return bare, [directive]
    yaml = YAML(typ="rt")
    yaml.Composer = _AliasComposer
    try:
        root = yaml.compose(text)
    except (YAMLError, yaml_errors.TooDeep) as error:
        return bare, [yaml_errors.translate(error, bare, lines)]
    except (RecursionError, ValueError, AttributeError, AssertionError) as error:
        # ruamel.yaml fails like this on a few malformed inputs instead of
        # raising its own error.
        return bare, [yaml_errors.broken(error, bare)]
    if root is None or (isinstance(root, ScalarNode) and root.value == ""):
        return bare, [Diagnostic(code="LEC010", message="the file is empty", file=file)]
    walk = _Walk(bare, lines, yaml.composer.alias_marks)
    try:
        data = walk.value(root, ())
    except _Stop:
        return bare, walk.diagnostics
    places = (walk.keys, walk.values, walk.uses)
    return Source(file, text, data, *places, frozenset(walk.broken)), walk.diagnostics


class _Walk:
    """One pass over the nodes of a document."""

    def __init__(
        self, source: Source, lines: Lines, aliases: dict[tuple[int, int], tuple[int, int]]
    ) -> None:
        self.source = source
        self.lines = lines
        self.aliases = aliases
        self.diagnostics: list[Diagnostic] = []
        self.keys: dict[Where, Span] = {}
        self.values: dict[Where, Span] = {}
        self.uses: dict[Where, Span] = {}
        self.broken: set[Where] = set()
        self.open: set[int] = set()
        self.seen = 0

    def value(self, node: Node, where: Where) -> object:
        """Return the plain data of a node and record the spans below it."""
        self.seen += 1
        span = self.values[where] = self.span(node)
        if id(node) in self.open:
            self.report("LEC011", "an anchor contains itself", span)
            raise _Stop
        if self.seen > MOST_VALUES or len(where) > 2 * DEEPEST:
            self.report("LEC011", "anchors make this file too large", span)
            raise _Stop
        if self._has_foreign_tag(node):
            self._foreign(node)
            self.broken.add(where)
            return None
        if isinstance(node, ScalarNode):
            return self._scalar(node, where, span)
        self.open.add(id(node))
        data: object = None
        if isinstance(node, MappingNode):
            data = self._mapping(node, where)
        elif isinstance(node, SequenceNode):
            data = [self._item(node, i, child, where) for i, child in enumerate(node.value)]
        self.open.discard(id(node))
        return data

    def _foreign(self, node: Node) -> None:
        start = node.start_mark.index
        found = _PROPERTIES.match(self.lines.text + " ", start)
        end = start + len(found.group().rstrip()) if found else start + 1
        tag = shorten(str(node.tag).replace(STANDARD, "!!"))
        span = self.lines.span(start, min(end, len(self.lines.text)))
        self.report("LEC007", f"tag `{tag}` has no meaning here", span)

    def _scalar(self, node: ScalarNode, where: Where, span: Span) -> object:
        try:
            return scalars.plain(node)
        except ValueError as error:
            self.report(getattr(error, "code", "LEC001"), str(error), span)
            self.broken.add(where)
            return None

    def _item(self, parent: Node, index: int, node: Node, where: Where) -> object:
        self._note_alias(parent, index, (*where, index))
        return self.value(node, (*where, index))

    def _mapping(self, node: MappingNode, where: Where) -> dict[str, object]:
        data: dict[str, object] = {}
        merges: list[tuple[Node, Node]] = []
        for key, child in node.value:
            if key.tag == STANDARD + "merge":
                merges.append((key, child))
            elif (name := self._key(key)) is not None:
                place = (*where, name)
                if name in data:
                    self._twice(name, self.keys[place], self.span(key))
                    continue
                self.keys[place] = self.span(key)
                self._note_alias(node, id(key), place)
                data[name] = self.value(child, place)
        for key, child in merges:
            self._merge(key, child, where, data)
        return data

    def _merge(self, key: Node, node: Node, where: Where, data: dict[str, object]) -> None:
        for name, name_node, child in self._merged(key, node, 0):
            place = (*where, name)
            if name in data:
                continue
            self.keys[place] = self.span(name_node)
            self.uses[place] = self.span(key)
            data[name] = self.value(child, place)

    def _merged(self, key: Node, node: Node, depth: int) -> Iterator[tuple[str, Node, Node]]:
        """Yield what a merged mapping brings in, the nearest definition of a key first."""
        if depth > DEEPEST:
            self.report("LEC011", "an anchor contains itself", self.span(key))
            raise _Stop
        sources = node.value if isinstance(node, SequenceNode) else [node]
        for source in sources:
            if not isinstance(source, MappingNode):
                self.report("LEC011", "`<<` can only merge mappings", self.span(key))
                continue
            for inner_key, child in source.value:
                if inner_key.tag != STANDARD + "merge":
                    name = self._key(inner_key)
                    if name is not None:
                        yield name, inner_key, child
            for inner_key, child in source.value:
                if inner_key.tag == STANDARD + "merge":
                    yield from self._merged(inner_key, child, depth + 1)

    def _key(self, node: Node) -> str | None:
        span = self.span(node)
        if isinstance(node, ScalarNode) and node.tag in (STANDARD + "str", STANDARD + "value"):
            return str(node.value)
        if isinstance(node, ScalarNode):
            shown = shorten(node.value)
            self.report("LEC012", f"key `{shown}` is not text", span, help=f'write `"{shown}"`')
        else:
            self.report("LEC012", "a list or mapping cannot be a key", span)
        return None

    def _twice(self, name: str, first: Span, second: Span) -> None:
        note = Note("first set here", self.source.place(first))
        message = f"key `{shorten(name)}` is set twice"
        self.report("LEC002", message, second, label="second value", notes=(note,))

    def _note_alias(self, parent: Node, slot: int, where: Where) -> None:
        marks = self.aliases.get((id(parent), slot))
        if marks is not None:
            self.uses[where] = self.lines.span(*marks)

    def _has_foreign_tag(self, node: Node) -> bool:
        tag = str(node.tag)
        if isinstance(node, ScalarNode):
            return tag.removeprefix(STANDARD) not in scalars.KINDS
        return tag != STANDARD + ("map" if isinstance(node, MappingNode) else "seq")

    def span(self, node: Node) -> Span:
        """Return the span of a node without its anchor and without trailing blank lines."""
        start = node.start_mark.index
        properties = _PROPERTIES.match(self.lines.text, start, node.end_mark.index)
        plain = getattr(node, "style", None) in (None, "|", ">")
        if properties and (plain or self.lines.text[start] in "&!"):
            start = properties.end()
        return self.lines.span(start, max(start, self._end(node)))

    def _end(self, node: Node) -> int:
        """Return the offset behind a node's last character.

        ruamel.yaml ends a block where the next token starts; the text between
        is blank lines and comments.
        """
        if isinstance(node, ScalarNode) or getattr(node, "flow_style", False):
            text = self.lines.text[node.start_mark.index : node.end_mark.index]
            return int(node.start_mark.index) + len(text.rstrip())
        if not node.value:
            return int(node.start_mark.index)
        last = node.value[-1]
        children = last if isinstance(last, tuple) else (last,)
        inside = [self._end(child) for child in children if self._is_inside(node, child)]
        return max(inside, default=int(node.start_mark.index) + 1)

    @staticmethod
    def _is_inside(node: Node, child: Node) -> bool:
        # The target of an alias stands earlier in the file than the alias.
        return bool(node.start_mark.index <= child.start_mark.index < node.end_mark.index)

    def report(self, code: str, message: str, span: Span, **more: Unpack[More]) -> None:
        """Record an error at a span of this file."""
        at = self.source.place(span)
        item = Diagnostic(code=code, message=message, file=self.source.file, at=at, **more)
        self.diagnostics.append(item)
