"""Find the settings of a hub in a values file, whatever chart they are nested in."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from lectern_spawner.paths import Where

# How deep charts of charts nest it, such as `daskhub.basehub.jupyterhub`.
DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Found:
    """Where the settings of a hub are in the input."""

    data: object
    """The whole input."""

    hub: Where
    """The place of `singleuser`, `hub` and their like."""

    profiles: Where
    """The place of the list of profiles, whether there is one or not."""

    chart: bool
    """Whether Zero to JupyterHub's own defaults are below these settings."""

    def section(self, *keys: str) -> tuple[dict[str, object], Where]:
        """Return a section of the hub and its place; empty when there is none."""
        where = (*self.hub, *keys)
        return mapping(look(self.data, where)), where


def find(data: object) -> Found | None:
    """Return where a hub's settings are, or None when there are none.

    Understands values of Zero to JupyterHub, alone or below the name of another
    chart, a bare list of profiles, and Nebari's `profiles.jupyterlab`.
    """
    if _is_profiles(data):
        return Found(data, (), (), chart=False)
    queue: deque[tuple[Where, dict[str, object]]] = deque([((), mapping(data))])
    while queue:
        where, section = queue.popleft()
        if isinstance(section.get("singleuser"), dict) or _is_hub(section):
            return Found(data, where, (*where, "singleuser", "profileList"), chart=True)
        for key, value in section.items():
            if isinstance(value, dict) and len(where) < DEEPEST:
                queue.append(((*where, key), value))
    nebari: Where = ("profiles", "jupyterlab")
    if _is_profiles(look(data, nebari)):
        return Found(data, (), nebari, chart=False)
    return None


def _is_hub(section: dict[str, object]) -> bool:
    hub = section.get("hub")
    return isinstance(hub, dict) and not {"config", "extraConfig", "db"}.isdisjoint(hub)


def _is_profiles(data: object) -> bool:
    if not isinstance(data, list) or not data:
        return False
    signs = ("display_name", "kubespawner_override", "profile_options")
    return all(isinstance(item, dict) for item in data) and any(
        sign in item for item in data for sign in signs
    )


def mapping(value: object) -> dict[str, object]:
    """Return a mapping, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def entries(value: object) -> list[tuple[str | int, object]]:
    """Return the items of a list or a mapping with their keys; nothing for anything else."""
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def look(data: object, where: Where) -> object:
    """Return the value at a place, or None."""
    for part in where:
        if isinstance(part, int) and isinstance(data, list) and part < len(data):
            data = data[part]
        elif isinstance(part, str) and isinstance(data, dict):
            data = data.get(part)
        else:
            return None
    return data
