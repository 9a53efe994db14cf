"""A pod's status from the states of its containers; nothing here asks or waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cluster.process import times
from cluster.process.node import ADDRESS
from cluster.process.records import Pod

WAITING, RUNNING, TERMINATED = "waiting", "running", "terminated"
CREATING, INITIALIZING, LOOPING = "ContainerCreating", "PodInitializing", "CrashLoopBackOff"


@dataclass(slots=True, frozen=True)
class Ending:
    """How a container ended."""

    exit_code: int
    reason: str = ""
    message: str = ""
    started_at: float = 0.0
    finished_at: float = 0.0
    identity: str = ""

    @property
    def title(self) -> str:
        """The reason as the API server gets it."""
        return self.reason or ("Error" if self.exit_code else "Completed")


@dataclass(slots=True)
class State:
    """A container at this moment."""

    name: str
    image: str
    is_init: bool = False
    phase: str = WAITING
    reason: str = CREATING
    message: str = ""
    started_at: float = 0.0
    restarts: int = 0
    identity: str = ""
    is_started: bool = False
    is_ready: bool = False
    ending: Ending | None = None
    """The present end while terminated."""

    last: Ending | None = None

    def wait(self, reason: str, message: str = "") -> None:
        """Say why it does not run; an end becomes the last one."""
        if self.ending:
            self.last, self.ending = self.ending, None
        self.phase, self.reason, self.message = WAITING, reason, message
        self.is_started = self.is_ready = False

    def run(self, identity: str, moment: float) -> None:
        """Say that it runs."""
        if self.ending:
            self.last, self.ending = self.ending, None
        if self.last:
            self.restarts += 1
        self.phase, self.identity, self.started_at = RUNNING, identity, moment

    def end(self, ending: Ending) -> None:
        """Say that it has ended."""
        self.phase, self.ending = TERMINATED, ending
        self.is_started = self.is_ready = False

    @property
    def outcome(self) -> int | None:
        """Exit code of its end, or of the last one while it waits; None if it never ended."""
        ended = self.ending or (self.last if self.phase == WAITING else None)
        return ended.exit_code if ended else None


@dataclass(slots=True)
class Verdict:
    """What happened to a pod as a whole, from which there is no way back."""

    reason: str
    message: str
    is_disruption: bool = False


@dataclass(slots=True)
class View:
    """A pod at this moment."""

    pod: Pod
    inits: Sequence[State]
    mains: Sequence[State]
    now: float
    address: str = ""
    started_at: float = 0.0
    is_set_up: bool = False
    """Whether there is a sandbox with a network and volumes."""

    is_ending: bool = False
    verdict: Verdict | None = None
    since: dict[str, tuple[bool, float]] = field(default_factory=dict)
    """Condition -> its value and since when; kept up to date by `status_of`."""


def phase_of(view: View) -> str:
    """Return Pending, Running, Succeeded or Failed."""
    policy = view.pod.restart_policy
    if view.verdict:
        return "Failed"
    if (
        any(state.phase == TERMINATED and state.outcome for state in view.inits)
        and policy == "Never"
    ):
        return "Failed"
    if any(state.phase == RUNNING for state in view.mains):
        return "Running"
    outcomes = [state.outcome for state in view.mains]
    if not are_initialized(view) or None in outcomes:
        return "Failed" if view.is_ending and _have_ended(view) else "Pending"
    if view.is_ending or policy == "Never":
        return "Failed" if any(outcomes) else "Succeeded"
    return "Running" if policy == "Always" or any(outcomes) else "Succeeded"


def _have_ended(view: View) -> bool:
    """Whether nothing of a pod that ends early runs any more."""
    return not any(state.phase == RUNNING for state in view.inits)


def are_initialized(view: View) -> bool:
    """Whether all init containers have succeeded."""
    return all(state.phase == TERMINATED and state.outcome == 0 for state in view.inits)


def status_of(view: View) -> dict[str, Any]:
    """Return a pod's status for a strategic merge patch."""
    phase = phase_of(view)
    verdict = view.verdict
    status: dict[str, Any] = {
        "phase": phase,
        "reason": verdict.reason if verdict else None,
        "message": verdict.message if verdict else None,
        "hostIP": ADDRESS,
        "hostIPs": [{"ip": ADDRESS}],
        "startTime": times.whole(view.started_at),
        "conditions": _conditions(view, phase),
        "observedGeneration": view.pod.generation,
        "containerStatuses": [_row(state) for state in view.mains],
    }
    if view.inits:
        status["initContainerStatuses"] = [_row(state) for state in view.inits]
    if view.address:
        # Merged by address, that of an earlier sandbox would stay.
        status |= {"podIP": view.address, "podIPs": [{"ip": view.address}, {"$patch": "replace"}]}
    return status


def is_ready(view: View) -> bool:
    """Whether a pod gets traffic."""
    gates = [row["conditionType"] for row in view.pod.spec.get("readinessGates", [])]
    return _are_ready(view) and all(view.pod.gates.get(gate) for gate in gates)


def _are_ready(view: View) -> bool:
    return not view.verdict and all(state.is_ready for state in view.mains)


def _conditions(view: View, phase: str) -> list[dict[str, Any]]:
    over = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(phase, "")
    unready = " ".join(state.name for state in view.mains if not state.is_ready)
    why = (
        over or "ContainersNotReady",
        "" if over else f"containers with unready status: [{unready}]",
    )
    pending = " ".join(state.name for state in view.inits if state.outcome != 0)
    gated = "the status of pod readiness gates is not True"
    rows = {
        "PodReadyToStartContainers": (view.is_set_up and not over, "", ""),
        "Initialized": (
            bool(view.is_set_up or not view.inits) and are_initialized(view),
            "ContainersNotInitialized",
            f"containers with incomplete status: [{pending}]",
        ),
        "ContainersReady": (_are_ready(view), *why),
        "Ready": (
            is_ready(view),
            *(("ReadinessGatesNotReady", gated) if _are_ready(view) else why),
        ),
    }
    made = [_condition(view, kind, *row) for kind, row in rows.items()]
    if view.verdict and view.verdict.is_disruption:
        row = (True, "TerminationByKubelet", view.verdict.message)
        made.append(_condition(view, "DisruptionTarget", *row, always=True))
    return made


def _condition(
    view: View, kind: str, holds: bool, reason: str, message: str, *, always: bool = False
) -> dict[str, Any]:
    """Return a condition; its reason explains why it does not hold, or ``always``."""
    value, since = view.since.get(kind, (None, 0.0))
    if value is not holds:
        since = view.now
        view.since[kind] = (holds, since)
    explains = always or not holds
    return {
        "type": kind,
        "status": str(holds),
        "lastProbeTime": None,
        "lastTransitionTime": times.whole(since),
        "reason": (reason or None) if explains else None,
        "message": (message or None) if explains else None,
        "observedGeneration": view.pod.generation,
    }


def _row(state: State) -> dict[str, Any]:
    """Return one container's status."""
    succeeded = state.is_init and state.phase == TERMINATED and state.outcome == 0
    row: dict[str, Any] = {
        "name": state.name,
        "image": state.image,
        "imageID": f"lectern-process://{state.image}" if state.identity else "",
        "restartCount": state.restarts,
        "ready": succeeded or state.is_ready,
        "started": state.is_started,
        "state": {state.phase: _details(state)},
        "lastState": {"terminated": _terminated(state.last)} if state.last else {},
    }
    if state.identity:
        row["containerID"] = state.identity
    return row


def _details(state: State) -> dict[str, Any]:
    if state.phase == RUNNING:
        return {"startedAt": times.whole(state.started_at)}
    if state.phase == TERMINATED and state.ending:
        return _terminated(state.ending)
    return {"reason": state.reason} | ({"message": state.message} if state.message else {})


def _terminated(ending: Ending) -> dict[str, Any]:
    row: dict[str, Any] = {
        "exitCode": ending.exit_code,
        "reason": ending.title,
        "startedAt": times.whole(ending.started_at) if ending.started_at else None,
        "finishedAt": times.whole(ending.finished_at) if ending.finished_at else None,
    }
    if ending.message:
        row["message"] = ending.message
    if ending.identity:
        row["containerID"] = ending.identity
    return row
