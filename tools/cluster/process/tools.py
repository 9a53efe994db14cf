"""What all pods of one process share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cluster.process.addresses import Addresses
from cluster.process.client import Client
from cluster.process.events import Events
from cluster.process.faults import Faults
from cluster.process.guard import Guard
from cluster.process.objects import Objects
from cluster.process.settings import Settings
from lectern_spawner.local.cgroups import Hierarchy


@dataclass(slots=True, frozen=True)
class Tools:
    """Handed to every pod."""

    settings: Settings
    client: Client
    faults: Faults
    events: Events
    objects: Objects
    addresses: Addresses
    groups: Hierarchy | None
    """Where limits of memory and CPU can be set, if anywhere."""

    guard: Guard | None = None
    """Ends containers with this process; there is none in mode pretend."""

    @property
    def folder(self) -> Path:
        """Where pods' folders lie."""
        return Path(self.settings.folder)
