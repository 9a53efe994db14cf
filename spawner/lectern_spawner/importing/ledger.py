"""Account for every value of the input: carried over, carried with a change, or left out.

A value here is a leaf: text, a number, nothing, or an empty list or mapping.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from lectern_spawner.paths import Where

Kind = Literal["carried", "changed", "left"]
_STRENGTH: dict[Kind, int] = {"left": 0, "carried": 1, "changed": 2}


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one leaf."""

    kind: Kind
    words: str
    """For a carried leaf where it went, else what was changed or why it was left out."""


@dataclass(frozen=True, slots=True)
class Totals:
    """How many leaves had which fate."""

    leaves: int
    carried: int
    changed: int
    left: int

    @property
    def listed(self) -> int:
        """How many leaves are in the list that people must read."""
        return self.changed + self.left


def leaves(data: object, where: Where = ()) -> Iterator[tuple[Where, object]]:
    """Yield the place and value of every leaf, in the order of the file."""
    if isinstance(data, dict) and data:
        for key, value in data.items():
            yield from leaves(value, (*where, key))
    elif isinstance(data, list) and data:
        for index, value in enumerate(data):
            yield from leaves(value, (*where, index))
    else:
        yield where, data


class Ledger:
    """The fates of all leaves of one input."""

    def __init__(self, data: object) -> None:
        """List the leaves; none has a fate yet."""
        self._fates: dict[Where, Fate | None] = {where: None for where, _ in leaves(data)}

    def carry(self, where: Where, target: str) -> None:
        """Note that a leaf is in the result, exactly."""
        self._note(where, Fate("carried", target))

    def change(self, where: Where, words: str) -> None:
        """Note that a leaf is in the result in another form."""
        self._note(where, Fate("changed", words))

    def leave(self, where: Where, words: str) -> None:
        """Note why a leaf, or all leaves below a place, have no part in the result."""
        for leaf in self._below(where):
            self._note(leaf, Fate("left", words))

    def settle(self, reason: Callable[[Where], str]) -> None:
        """Leave out what has no fate yet, for the reason that a function gives."""
        for where, fate in self._fates.items():
            if fate is None:
                self._fates[where] = Fate("left", reason(where))

    def fates(self) -> dict[Where, Fate]:
        """Return the fates that are known, in the order of the file."""
        return {where: fate for where, fate in self._fates.items() if fate is not None}

    def totals(self) -> Totals:
        """Count the leaves."""
        kinds = [fate.kind for fate in self.fates().values()]
        counts = (kinds.count("carried"), kinds.count("changed"), kinds.count("left"))
        return Totals(len(self._fates), *counts)

    def _below(self, where: Where) -> list[Where]:
        return [leaf for leaf in self._fates if leaf[: len(where)] == where]

    def _note(self, where: Where, fate: Fate) -> None:
        if where not in self._fates:
            return
        known = self._fates[where]
        # One leaf may serve several profiles; a change in any of them must be read.
        if known is None or _STRENGTH[fate.kind] > _STRENGTH[known.kind]:
            self._fates[where] = fate
