"""Work out the new text of a file in which one place has another value.

Called by `lectern set`. Pure: nothing is read from disk and nothing written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ruamel.yaml.error import YAMLError

from lectern_spawner.catalog import nodes
from lectern_spawner.edit import splice, values
from lectern_spawner.edit.data import UNSET, NoPlaceError, Unset, at, changed, same
from lectern_spawner.edit.splice import CannotSpliceError, Edit
from lectern_spawner.edit.tree import Entry, Tree, build, line_of, walk
from lectern_spawner.paths import Where, show


class RefusedChangeError(Exception):
    """A change that is not made; the message is a sentence for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a user wants to have changed."""

    where: Where
    value: object | Unset
    typed: str = ""
    """The value as the user wrote it."""

    here: bool = False
    """Give this place a value of its own where an anchor brings the present one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change that was worked out and compared."""

    old_text: str
    new_text: str
    old: object
    new: object | Unset
    line: int
    """Number of the first line that changes."""


def plan(text: str, wish: Wish) -> Change:
    """Return the change of a file's text.

    Args:
        text: a file that the catalog's reader accepts.
        wish: the place and its new value.

    Raises:
        RefusedChangeError: when the place does not exist, when the change would
            reach further than this place, or when it cannot be made alone.
    """
    source, found = nodes.parse(text, "")
    if found:
        raise RefusedChangeError(f"the file cannot be read: {found[0].message}")
    try:
        wanted = changed(source.data, wish.where, wish.value)
    except NoPlaceError as error:
        raise RefusedChangeError(str(error)) from None
    old = at(source.data, wish.where)
    if same(source.data, wanted):
        return Change(old_text=text, new_text=text, old=old, new=wish.value, line=0)
    try:
        planner = _Planner(text, source.data, wanted, wish)
    except YAMLError:
        # A text that libyaml reads and ruamel.yaml does not.
        raise RefusedChangeError("the file is YAML of a rare kind; change it by hand") from None
    for edits in planner.attempts():
        new_text = splice.apply(text, edits)
        if _reads_as(new_text, wanted):
            line = _first_line(text, edits)
            return Change(old_text=text, new_text=new_text, old=old, new=wish.value, line=line)
    raise RefusedChangeError(_why_not(text, wish.where))


def _first_line(text: str, edits: Sequence[Edit]) -> int:
    first = min(edits, key=lambda edit: edit.start)
    # A new line begins behind the line before it.
    return line_of(text, first.start) + first.text.startswith(("\r", "\n"))


def _reads_as(text: str, wanted: object) -> bool:
    source, found = nodes.parse(text, "")
    return not found and same(source.data, wanted)


class _Planner:
    """Follows the place down the tree as far as it is written there itself."""

    def __init__(self, text: str, data: object, wanted: object, wish: Wish) -> None:
        self.text = text
        self.data = data
        self.wanted = wanted
        self.wish = wish
        self.where = wish.where
        self.parents: list[tuple[Tree, Entry]] = []
        tree = build(text)
        while (entry := _own(tree, self._next)) is not None:
            self.parents.append((tree, entry))
            tree = entry.value
        self.tree = tree
        self.root = self.parents[0][0] if self.parents else tree

    @property
    def _next(self) -> str | int | None:
        depth = len(self.parents)
        return self.where[depth] if depth < len(self.where) else None

    def attempts(self) -> Iterator[Sequence[Edit]]:
        """Yield edits to try, the best first."""
        depth = len(self.parents)
        if self._next is None and self.wish.value is UNSET:
            yield from self._unset(depth)
        elif self.tree.kind == "alias":
            self._refuse_shared(self.tree, depth)
            yield from self._set(depth)
        elif self._next is None or (self.tree.kind == "scalar" and depth):
            yield from self._set(depth)
        else:
            self._refuse_merged(depth)
            yield from self._add(depth)

    def _set(self, depth: int) -> Iterator[Sequence[Edit]]:
        _, entry = self.parents[-1]
        for new in self._texts(depth, entry.value.style):
            yield splice.replace(self.text, entry, new)

    def _add(self, depth: int) -> Iterator[Sequence[Edit]]:
        name = self.where[depth]
        for new in self._texts(depth + 1, ""):
            entry = new if isinstance(name, int) else f"{values.key(name)}: {new}"
            yield splice.add(self.text, self.tree, entry)
            if self.tree.kind == "map" and not self.tree.flow:
                yield splice.add_first(self.text, self.tree, entry)

    def _unset(self, depth: int) -> Iterator[Sequence[Edit]]:
        parent, entry = self.parents[-1]
        if len(parent.entries) > 1:
            index = parent.entries.index(entry)
            # Text in several lines before it may need the line break.
            for bare_end in (True, False):
                with contextlib.suppress(CannotSpliceError):
                    yield splice.remove(self.text, parent, index, bare_end=bare_end)
        elif depth > 1:
            empty = "{}" if parent.kind == "map" else "[]"
            yield splice.replace(self.text, self.parents[-2][1], empty)

    def _texts(self, depth: int, style: str) -> Iterator[str]:
        """Yield ways to write what shall stand at the first `depth` parts of the place."""
        value = at(self.wanted, self.where[:depth])
        typed = self.wish.typed if depth == len(self.where) else ""
        yield from values.candidates(value, style, typed)
        yield values.flow(value)

    def _refuse_shared(self, alias: Tree, depth: int) -> None:
        if not self.wish.here:
            place = show(self.where[:depth])
            raise RefusedChangeError(self._shared(place, alias.anchor, alias.start))

    def _refuse_merged(self, depth: int) -> None:
        here = self.where[: depth + 1]
        present = at(self.data, self.where[:depth])
        merges = [entry for entry in self.tree.entries if entry.merge]
        if not isinstance(present, dict) or here[-1] not in present or not merges:
            return
        if self.wish.here and not (self.wish.value is UNSET and len(here) == len(self.where)):
            return
        aliases = [tree for entry in merges for tree in walk(entry.value) if tree.kind == "alias"]
        if not aliases:
            raise RefusedChangeError(f"`{show(here)}` is merged in with `<<`")
        raise RefusedChangeError(self._shared(show(here), aliases[0].anchor, merges[0].start))

    def _shared(self, place: str, anchor: str, use: int) -> str:
        defined = [
            tree
            for tree in walk(self.root)
            if tree.kind != "alias" and tree.anchor == anchor and tree.start < use
        ]
        line = line_of(self.text, defined[-1].mark) if defined else line_of(self.text, use)
        words = f"`{place}` comes from the anchor `&{anchor}` on line {line}"
        if self.wish.value is UNSET and self.wish.here:
            return f"{words} and cannot be taken away here alone"
        return f"{words}; give this place a value of its own with --here"


def _own(tree: Tree, part: str | int | None) -> Entry | None:
    fits = (isinstance(part, str) and tree.kind == "map") or (
        isinstance(part, int) and tree.kind == "list"
    )
    return tree.own(part) if fits and part is not None else None


def _why_not(text: str, where: Where) -> str:
    """Return why no attempt gave exactly this change."""
    root = build(text)
    around, line = _way_to(root, text, where)
    whole = len(around) > len(where)
    inside = list(walk(around[-1]))[1:] if whole else []
    uses = {tree.anchor: tree for tree in walk(root) if tree.kind == "alias"}
    for verb, trees in (("holds", inside), ("belongs to", reversed(around))):
        for tree in trees:
            use = uses.get(tree.anchor) if tree.kind != "alias" else None
            if use is not None:
                here, there = line_of(text, tree.mark), line_of(text, use.mark)
                return (
                    f"`{show(where)}` {verb} the anchor `&{tree.anchor}` on line {here}, "
                    f"which line {there} uses too; change both by hand"
                )
    return f"`{show(where)}` on line {line} cannot be changed alone; change it by hand"


def _way_to(root: Tree, text: str, where: Where) -> tuple[list[Tree], int]:
    """Return the values around a place, the outermost first, and the line of the innermost."""
    around, line = [root], 1
    for part in where:
        entry = _own(around[-1], part)
        if entry is None:
            break
        around.append(entry.value)
        line = line_of(text, entry.start)
    return around, line
