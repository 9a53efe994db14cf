"""Carry CPU and memory over: the other hub's limits may be missing, ours must be there."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from lectern_spawner.catalog.rules.sizes import LEAST_MEMORY_BYTES
from lectern_spawner.catalog.units import FEWEST_CORES, MOST_CORES
from lectern_spawner.importing import amounts
from lectern_spawner.importing.ledger import Ledger
from lectern_spawner.importing.settings import Setting, Settings

_UNREADABLE = "is not an amount that can be read"
_CHARTS = "the guarantee is the default of the other hub's chart"
_NOTHING = "sets nothing; here a profile has a limit and a guarantee"


@dataclass(frozen=True, slots=True)
class Range:
    """What a server is sure of and what it may use, ready to be written."""

    guarantee: str | int | float
    limit: str | int | float
    remark: str = ""


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one resource is read, bounded and written."""

    trait: str
    resource: str
    read: Callable[[object], Fraction | None]
    rounded: Callable[[Fraction], Fraction]
    least: Fraction
    most: Fraction
    write: Callable[[Fraction], str | int | float]


_MEMORY = _Kind(
    "mem",
    "memory",
    amounts.jupyterhub_bytes,
    lambda amount: Fraction(amounts.whole_mib(amount)),
    Fraction(LEAST_MEMORY_BYTES),
    Fraction(amounts.LARGEST_BYTES),
    lambda amount: amounts.memory_text(int(amount)),
)
_CORES = _Kind(
    "cpu",
    "cpu",
    amounts.cores,
    amounts.thousandths,
    FEWEST_CORES,
    Fraction(MOST_CORES),
    amounts.cores_value,
)


def memory(settings: Settings, target: str, ledger: Ledger) -> Range:
    """Return the memory of a server; without any limit its guarantee is the limit."""
    carry = _Carry(_MEMORY, settings, target, ledger)
    guarantee, limit = carry.amounts()
    if limit is not None:
        return carry.range(guarantee, limit)
    if guarantee is not None:
        return carry.range(guarantee, guarantee, "no limit was set; the guarantee became the limit")
    return carry.range(None, Fraction(2**30), "no memory was set")


def cores(settings: Settings, target: str, ledger: Ledger) -> Range:
    """Return the CPU of a server; without any limit at least one whole core."""
    carry = _Carry(_CORES, settings, target, ledger)
    guarantee, limit = carry.amounts()
    if limit is not None:
        return carry.range(guarantee, limit)
    whole = Fraction(max(1, math.ceil(guarantee or 0)))
    remark = "no cpu was set" if guarantee is None else "no limit was set"
    return carry.range(guarantee, whole, remark)


class _Carry:
    """Carries one resource of one server over."""

    def __init__(self, kind: _Kind, settings: Settings, target: str, ledger: Ledger) -> None:
        self.kind = kind
        self.settings = settings
        self.target = target
        self.ledger = ledger
        self.sources: dict[str, tuple[Setting, Fraction]] = {}

    def amounts(self) -> tuple[Fraction | None, Fraction | None]:
        """Return the guarantee and the limit, where they are set, within our bounds."""
        return self._amount("guarantee"), self._amount("limit")

    def _amount(self, which: str) -> Fraction | None:
        # Kubernetes' own resources come last in KubeSpawner, so that they win.
        extra = self.settings.get((f"extra_resource_{which}s", self.kind.resource))
        setting = extra or self.settings.get((f"{self.kind.trait}_{which}",))
        if setting is None or setting.value in (None, "", 0):
            self._leave(setting, _NOTHING)
            return None
        read = amounts.kubernetes_amount if extra else self.kind.read
        amount = read(setting.value)
        if amount == 0:
            self._leave(setting, _NOTHING)
            return None
        if amount is None or amount > self.kind.most:
            self._leave(setting, _UNREADABLE if amount is None else "is more than can be asked for")
            return None
        self.sources[which] = (setting, amount)
        return max(self.kind.rounded(amount), self.kind.least)

    def _leave(self, setting: Setting | None, words: str) -> None:
        for place in setting.places if setting else ():
            self.ledger.leave(place, words)

    def range(self, guarantee: Fraction | None, limit: Fraction, remark: str = "") -> Range:
        """Return what is written, and note what became of each amount."""
        sure = limit if guarantee is None else min(guarantee, limit)
        self._note("guarantee", sure)
        self._note("limit", limit)
        setting, _ = self.sources.get("guarantee", (None, 0))
        if setting is not None and not setting.places:
            remark = f"{remark}; {_CHARTS}" if remark else _CHARTS
        return Range(self.kind.write(sure), self.kind.write(limit), remark)

    def _note(self, which: str, written: Fraction) -> None:
        setting, amount = self.sources.get(which, (None, Fraction(0)))
        for place in setting.places if setting else ():
            if amount == written:
                self.ledger.carry(place, self.target)
            elif written < amount:
                self.ledger.change(place, f"was more than the limit: {self.kind.write(written)}")
            else:
                exact = self.kind.write(self.kind.rounded(amount))
                why = "rounded up" if exact == self.kind.write(written) else "the least there is"
                self.ledger.change(place, f"became {self.kind.write(written)}, {why}")
