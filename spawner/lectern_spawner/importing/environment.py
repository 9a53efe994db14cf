"""Carry environment variables over."""

from __future__ import annotations

import re

from lectern_spawner.catalog import units
from lectern_spawner.importing.ledger import Ledger
from lectern_spawner.importing.settings import Setting, Settings
from lectern_spawner.paths import Where

Environment = dict[str, str]

# KubeSpawner fills in {username}, Kubernetes $(NAME); nothing does so here.
_FILLED_IN = re.compile(r"\{[a-z_]+\}|\$\([A-Za-z_][A-Za-z0-9_]*\)")


def environment(settings: Settings, target: str, ledger: Ledger) -> Environment:
    """Return the variables of a server, as text."""
    found: Environment = {}
    for name, setting in settings.items():
        if len(name) == 2 and name[0] == "environment":
            text = _usable(name[1], setting, ledger)
            if text is not None:
                found[name[1]] = text
                _note(setting, f"{target}.{name[1]}", ledger)
    return found


def _usable(name: str, setting: Setting, ledger: Ledger) -> str | None:
    why = _why_not(name, setting.value)
    for place in setting.places if why else ():
        ledger.leave(place, why)
    return None if why else str(setting.value)


def _why_not(name: str, value: object) -> str:
    if value is None:
        return "takes a variable away; here a variable that nobody sets is not there"
    if isinstance(value, dict | list):
        return "takes its value from elsewhere in the cluster"
    if _FILLED_IN.search(str(value)):
        return "has a place that KubeSpawner or Kubernetes fills in; nothing does so here"
    try:
        units.environment_name(name)
        units.environment_value(str(value))
    except ValueError as error:
        return f"`{name[:60]}`: {error}"
    return ""


def _note(setting: Setting, target: str, ledger: Ledger) -> None:
    places: tuple[Where, ...] = setting.places
    for place in places:
        if isinstance(setting.value, bool):
            ledger.change(place, f"became the text `{setting.value}`, as JupyterHub gives it")
        else:
            ledger.carry(place, target)
