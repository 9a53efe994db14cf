"""GPUs of the other hub. The one place to change when profiles know the key `gpu`."""

from __future__ import annotations

from lectern_spawner.importing.ledger import Ledger
from lectern_spawner.importing.settings import Settings

_TRAITS = ("extra_resource_limits", "extra_resource_guarantees")


def note(settings: Settings, ledger: Ledger) -> None:
    """List what a server asks for beyond CPU and memory, such as ``nvidia.com/gpu: "1"``."""
    for name, setting in settings.items():
        if len(name) == 2 and name[0] in _TRAITS and name[1] not in ("cpu", "memory"):
            for place in setting.places:
                ledger.leave(place, _words(name[1], setting.value))


def _words(resource: str, value: object) -> str:
    if resource.endswith("/gpu"):
        return "asks for whole GPUs; describe them with `gpu` and a pool when the campus has them"
    if "gpu" in resource or resource.startswith("nvidia.com/"):
        return "asks for a part of a GPU; describe it with `gpu` when the campus has pools"
    return "is a resource of that cluster"
