"""Faults: matched by the names of nodes and pods, so that nobody under test knows of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any

SLOW, CRASH, OOM = "slow-start", "crash", "oom-killed"
PULL, CREATE, EVICT = "image-pull-backoff", "create-container-error", "eviction"
NOT_READY, SKEW = "not-ready", "clock-skew"

_EVERY = {"nodes", "count"}
_PODS = _EVERY | {"pods"}
_CONTAINERS = _PODS | {"containers"}
TAKES: Mapping[str, set[str]] = {
    SLOW: _PODS | {"seconds"},
    CRASH: _CONTAINERS | {"seconds", "exit_code"},
    OOM: _CONTAINERS | {"seconds"},
    PULL: _CONTAINERS | {"message"},
    CREATE: _CONTAINERS | {"message"},
    EVICT: _PODS | {"message", "pressure"},
    NOT_READY: {"nodes", "message", "silent"},
    SKEW: {"nodes", "seconds"},
}
"""What can go wrong, and what may be said about each."""


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong until it is cleared."""

    kind: str
    nodes: str = "*"
    """Pattern of nodes' names."""

    pods: str = "*"
    """Pattern of ``NAMESPACE/NAME``."""

    containers: str = "*"
    count: int | None = None
    """How often it happens; always if not given."""

    seconds: float = 0.0
    """How long a start is held up, how long a container lives, how much a clock is ahead."""

    exit_code: int = 1
    message: str = ""
    silent: bool = False
    """Whether a node that is not ready says nothing at all, as after a power cut."""

    pressure: bool = False
    """Whether the node reports MemoryPressure for as long as it evicts."""

    def holds(self, node: str, pod: str = "", container: str = "") -> bool:
        """Whether it concerns something; a fault of a node concerns every pod."""
        return (
            self.count != 0
            and fnmatchcase(node, self.nodes)
            and (not pod or fnmatchcase(pod, self.pods))
            and (not container or fnmatchcase(container, self.containers))
        )


def fault_of(words: Mapping[str, Any]) -> Fault:
    """Return a fault from what somebody asked for.

    Raises:
        ValueError: in a sentence that says what is possible.
    """
    kind = str(words.get("kind"))
    if kind not in TAKES:
        raise ValueError(f"There is no fault {kind}. There are: {', '.join(TAKES)}")
    if unknown := sorted(set(words) - TAKES[kind] - {"kind"}):
        raise ValueError(
            f"A fault {kind} has no {unknown[0]}. It has: {', '.join(sorted(TAKES[kind]))}"
        )
    return Fault(**{row.name: words[row.name] for row in fields(Fault) if row.name in words})


class Faults:
    """All that goes wrong at present."""

    def __init__(self) -> None:
        """Let all go well."""
        self._active: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let something go wrong from now on."""
        self._active.append(fault)

    def clear(self) -> None:
        """Let all go well."""
        self._active.clear()

    def find(self, kind: str, node: str, pod: str = "", container: str = "") -> Fault | None:
        """Return the first fault of a kind that concerns something."""
        for fault in self._active:
            if fault.kind == kind and fault.holds(node, pod, container):
                return fault
        return None

    def take(self, kind: str, node: str, pod: str = "", container: str = "") -> Fault | None:
        """Return such a fault and count that it happened."""
        fault = self.find(kind, node, pod, container)
        if fault and fault.count is not None:
            fault.count -= 1
        return fault
