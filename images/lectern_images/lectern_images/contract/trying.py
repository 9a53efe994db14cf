"""The contracts that an image keeps when it runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from lectern_images.contract.places import Place
from lectern_images.errors import ImageError
from lectern_images.layers import PYTHON, SERVER
from lectern_images.listing import ImageList
from lectern_images.locks import locks, read
from lectern_images.wheels import pins

FOREIGN = "jupyter, built by others"
"""The contract of an image that does not know our entry point."""

_LAB = ("sh", "-c", 'exec "$(sed -n "1s/^#! *//p" "$(command -v jupyter-lab)")" "$@"', "sh")
"""The Python that JupyterLab of an image runs with, wherever that is."""

INTERPRETERS = {SERVER: "/opt/lectern/bin/python", PYTHON: "/usr/bin/python3"}


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one contract."""

    contract: str
    problem: str = ""
    """What is wrong; empty when it is kept."""

    facts: Mapping[str, Any] | None = None
    """What was measured on the way."""


def tried(listed: ImageList, name: str, place: Place) -> Iterator[Result]:
    """Yield the results of an image's contracts."""
    yield from kept(listed.all_of(name, "tests"), place)
    for kind, python in INTERPRETERS.items():
        if names := _locked(listed, name, kind):
            yield _result(f"imports of {kind}", partial(_imports, place, python, names))


def kept(contracts: Iterable[str], place: Place) -> Iterator[Result]:
    """Yield the results of some contracts; those that nobody here knows are passed over."""
    for contract in contracts:
        if contract in _CONTRACTS:
            yield _result(contract, partial(_CONTRACTS[contract], place))


def _locked(listed: ImageList, name: str, kind: str) -> list[str]:
    """Return the packages of one set that an image has, with those of its bases."""
    return [
        pin.name
        for lock in locks(listed)
        if lock.kind == kind and lock.image in listed.line(name)
        for pin in pins(read(lock))
    ]


def _result(contract: str, attempt: Callable[[], Mapping[str, Any]]) -> Result:
    try:
        return Result(contract, facts=attempt())
    except ImageError as error:
        return Result(contract, str(error))


def _said(printed: str) -> Mapping[str, Any]:
    """Return what a program of ours says in its last line; a pod's log has warnings before it."""
    found: Mapping[str, Any] = json.loads(printed.strip().splitlines()[-1])
    return found


def _jupyter(place: Place) -> Mapping[str, Any]:
    return _said(place.run("server.py", python=_LAB))


def _desktop(place: Place) -> Mapping[str, Any]:
    return _said(place.run("desktop.py"))


def _octave(place: Place) -> Mapping[str, Any]:
    plot = ["--eval", "plot(1:10)", "--persist"]
    return _said(place.run("desktop.py", ["Octave", "Figure 1", "--", "octave", "--gui", *plot]))


def _vscode(place: Place) -> Mapping[str, Any]:
    return _said(place.run("vscode.py"))


def _hub(place: Place) -> Mapping[str, Any]:
    return _said(place.run("hub.py", python=(INTERPRETERS[SERVER],)))


def _proxy(place: Place) -> Mapping[str, Any]:
    return _said(place.run("proxy.py"))


def _imports(place: Place, python: str, names: list[str]) -> Mapping[str, Any]:
    failed = _said(place.run("imports.py", names, (python,)))
    if failed:
        raise ImageError("; ".join(f"{key} ({why})" for key, why in failed.items()))
    return {"packages": len(names)}


def _foreign(place: Place) -> Mapping[str, Any]:
    return _said(place.run("server.py", ["foreign"], python=_LAB))


_CONTRACTS: Mapping[str, Callable[[Place], Mapping[str, Any]]] = {
    "jupyter": _jupyter,
    "desktop": _desktop,
    "octave": _octave,
    "vscode": _vscode,
    "hub": _hub,
    "proxy": _proxy,
    FOREIGN: _foreign,
}
