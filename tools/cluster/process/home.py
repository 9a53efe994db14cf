"""The pod that containers belong to, as they see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cluster.process.faults import Fault
from cluster.process.node import Node
from cluster.process.orders import Place
from cluster.process.records import Pod
from cluster.process.status import State
from cluster.process.tools import Tools


@dataclass(slots=True)
class Home:
    """Shared by a pod's containers."""

    pod: Pod
    node: Node
    tools: Tools
    changed: Callable[[], None]
    """To be called when a state has changed."""

    place: Place | None = None
    """Set once the pod is set up; never in mode pretend."""

    @property
    def runs(self) -> bool:
        """Whether containers really run."""
        return self.tools.settings.runs

    @property
    def backoff_seconds(self) -> float:
        """The first wait before something is tried again."""
        return self.tools.settings.backoff_seconds

    def say(self, kind: str, reason: str, message: str, about: State | None = None) -> None:
        """Send an event about the pod, or about one of its containers."""
        field = ""
        if about:
            group = "initContainers" if about.is_init else "containers"
            field = f"spec.{group}{{{about.name}}}"
        now = self.node.now()
        self.tools.events.add(self.pod, kind, reason, message, now=now, field=field)

    def take_fault(self, kind: str, about: State | None = None) -> Fault | None:
        """Return a fault that concerns the pod or one of its containers, and count it."""
        container = about.name if about else ""
        return self.tools.faults.take(kind, self.node.name, self.pod.key, container)
