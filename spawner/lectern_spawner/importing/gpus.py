"""Carry whole GPUs over; what other mechanisms call a part of one is listed.

The other hub knows only how many cards a server gets. What cards they are stands
nowhere in its values, so the pool is written with a guess that people must mend.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lectern_spawner.importing import amounts
from lectern_spawner.importing.ledger import Ledger
from lectern_spawner.importing.settings import Setting, Settings

MOST_CARDS = 64
_VENDORS = {"nvidia.com/gpu": "nvidia", "amd.com/gpu": "amd"}
_LIMITS, _GUARANTEES = "extra_resource_limits", "extra_resource_guarantees"


@dataclass(frozen=True, slots=True)
class Gpu:
    """Whole cards of one pool."""

    pool: str
    count: int


@dataclass(slots=True)
class Pools:
    """The pools of the campus that is being made."""

    ledger: Ledger
    per_node: dict[str, int] = field(default_factory=dict)
    """Vendor to the most cards that a server gets, which a node must have."""

    def of(self, settings: Settings, target: str) -> Gpu | None:
        """Return the cards of a server, and list what else it asks for."""
        found: Gpu | None = None
        for name, setting in settings.items():
            if len(name) != 2 or name[0] != _LIMITS or name[1] in ("cpu", "memory"):
                continue
            vendor, count = _VENDORS.get(name[1], ""), _cards(setting)
            if vendor and count and found is None:
                found = self._carried(vendor, count, setting, target)
                self._carry_same(settings.get((_GUARANTEES, name[1])), count, target)
            else:
                self._leave(name[1], setting)
        for name, setting in settings.items():
            if len(name) == 2 and name[0] == _GUARANTEES and name[1] not in ("cpu", "memory"):
                self._leave(name[1], setting)
        return found

    def _carried(self, vendor: str, count: int, setting: Setting, target: str) -> Gpu:
        self.per_node[vendor] = max(count, self.per_node.get(vendor, 0))
        for place in setting.places:
            self.ledger.carry(place, f"{target}.count")
        return Gpu(vendor, count)

    def _carry_same(self, setting: Setting | None, count: int, target: str) -> None:
        # Kubernetes wants the same number of cards in both places.
        if setting is not None and _cards(setting) == count:
            for place in setting.places:
                self.ledger.carry(place, f"{target}.count")

    def _leave(self, resource: str, setting: Setting) -> None:
        for place in setting.places:
            self.ledger.leave(place, _words(resource, setting.value))


def _cards(setting: Setting) -> int:
    """Return a number of whole cards, 0 for anything else."""
    amount = amounts.kubernetes_amount(setting.value)
    if amount is None or amount.denominator != 1 or amount > MOST_CARDS:
        return 0
    return int(amount)


def _words(resource: str, value: object) -> str:
    if resource in _VENDORS:
        none = value in (None, "", 0, "0")
        return "asks for no card" if none else "is no number of cards of one kind"
    if "gpu" in resource or resource.startswith("nvidia.com/"):
        return "asks for a part of a card; describe the pool and write `gpu` by hand"
    return "is a resource of that cluster"
