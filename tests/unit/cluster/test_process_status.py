"""A pod's phase, conditions and containers' states on a process node."""

from __future__ import annotations

import pytest

from cluster.process.records import pod_of
from cluster.process.status import Ending, State, Verdict, View, is_ready, phase_of, status_of

ENDED, FAILED = Ending(0), Ending(1)


def state(kind: str, *, is_init: bool = False) -> State:
    """Return a container that waits, runs, is done, has failed, or waits for its next start."""
    made = State("c", "image", is_init)
    if kind != "waits":
        made.run("id", 1.0)
    if kind in ("done", "failed", "loops", "loops well"):
        made.end(FAILED if kind in ("failed", "loops") else ENDED)
    if kind.startswith("loops"):
        made.wait("CrashLoopBackOff")
    return made


def view(*mains: str, inits: tuple[str, ...] = (), policy: str = "Always", **more) -> View:
    spec = {"restartPolicy": policy, "containers": [], "readinessGates": more.pop("gates", [])}
    content = {"metadata": {"namespace": "n", "name": "p", "uid": "u"}, "spec": spec}
    rows = [state(kind) for kind in mains]
    return View(
        pod_of(content, whole=True), [state(k, is_init=True) for k in inits], rows, 5.0, **more
    )


@pytest.mark.parametrize(
    ("mains", "policy", "phase"),
    [
        (("waits",), "Always", "Pending"),
        (("waits", "done"), "Never", "Pending"),
        (("runs", "waits"), "Always", "Running"),
        (("runs", "failed"), "Never", "Running"),
        (("done", "done"), "Never", "Succeeded"),
        (("done", "failed"), "Never", "Failed"),
        (("done",), "OnFailure", "Succeeded"),
        (("failed",), "OnFailure", "Running"),
        (("loops",), "OnFailure", "Running"),
        (("done",), "Always", "Running"),
        (("loops well",), "Always", "Running"),
    ],
)
def test_the_phase_follows_from_the_containers(mains, policy, phase):
    assert phase_of(view(*mains, policy=policy)) == phase


@pytest.mark.parametrize(
    ("inits", "policy", "phase"),
    [
        (("runs",), "Always", "Pending"),
        (("done", "waits"), "Always", "Pending"),
        (("failed", "waits"), "Never", "Failed"),
        (("loops", "waits"), "Always", "Pending"),
    ],
)
def test_init_containers_keep_a_pod_pending_or_fail_it(inits, policy, phase):
    assert phase_of(view("waits", inits=inits, policy=policy)) == phase


@pytest.mark.parametrize(
    ("mains", "phase"), [(("done",), "Succeeded"), (("failed",), "Failed"), (("waits",), "Failed")]
)
def test_a_pod_that_is_ended_early_is_over_whatever_its_policy(mains, phase):
    assert phase_of(view(*mains, is_ending=True)) == phase


def test_restarts_are_counted_and_the_last_end_is_kept():
    row = state("failed")
    row.run("id2", 3.0)
    assert (row.restarts, row.last, row.ending) == (1, FAILED, None)
    row.wait("ErrImagePull")
    assert row.restarts == 1
    row.run("id3", 4.0)
    assert row.restarts == 2


def conditions(shown: View) -> dict[str, tuple[str, str | None]]:
    return {row["type"]: (row["status"], row["reason"]) for row in status_of(shown)["conditions"]}


def test_conditions_say_why_they_do_not_hold():
    shown = view("runs", is_set_up=True)
    assert conditions(shown) == {
        "PodReadyToStartContainers": ("True", None),
        "Initialized": ("True", None),
        "ContainersReady": ("False", "ContainersNotReady"),
        "Ready": ("False", "ContainersNotReady"),
    }
    shown.mains[0].is_ready = True
    assert conditions(shown)["Ready"] == ("True", None)
    assert conditions(view("done", policy="Never"))["Ready"] == ("False", "PodCompleted")


def test_a_condition_keeps_the_time_of_its_last_change():
    shown = view("runs")

    def since() -> str:
        return next(row for row in status_of(shown)["conditions"] if row["type"] == "Ready")[
            "lastTransitionTime"
        ]

    first = since()
    shown.now = 100.0
    assert since() == first
    shown.mains[0].is_ready = True
    assert since() == "1970-01-01T00:01:40Z"


def test_readiness_waits_for_gates():
    shown = view("runs", gates=[{"conditionType": "x"}])
    shown.mains[0].is_ready = True
    assert not is_ready(shown)
    assert conditions(shown)["Ready"] == ("False", "ReadinessGatesNotReady")
    shown.pod.gates["x"] = True
    assert is_ready(shown)


def test_an_eviction_is_a_disruption():
    shown = view("runs", verdict=Verdict("Evicted", "low on memory", is_disruption=True))
    status = status_of(shown)
    assert (status["phase"], status["reason"], status["message"]) == (
        "Failed",
        "Evicted",
        "low on memory",
    )
    assert conditions(shown)["DisruptionTarget"] == ("True", "TerminationByKubelet")
    assert conditions(shown)["Ready"][0] == "False"


def test_an_old_address_is_replaced_and_not_added_to():
    status = status_of(view("runs", address="127.64.0.1"))
    assert status["podIPs"] == [{"ip": "127.64.0.1"}, {"$patch": "replace"}]
    assert "podIP" not in status_of(view("waits"))


def test_a_finished_init_container_counts_as_ready():
    row = status_of(view("waits", inits=("done",)))["initContainerStatuses"][0]
    assert row["ready"] is True
    assert row["state"]["terminated"]["reason"] == "Completed"
