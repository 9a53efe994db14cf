"""Faults, refusals, probes, certificates and terminals of process nodes."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

from cluster.errors import ClusterError
from cluster.process.client import Client
from cluster.process.events import Allowance
from cluster.process.faults import Faults, fault_of
from cluster.process.kubelet_api import common_name
from cluster.process.node import Node, conditions, foreign_resources, report
from cluster.process.probes import Tally
from cluster.process.refusals import refusals
from cluster.process.remote import outcome, size_of
from cluster.process.settings import Settings


def test_a_fault_concerns_what_its_patterns_name():
    faults = Faults()
    faults.add(fault_of({"kind": "crash", "nodes": "a-1*", "pods": "ns/web-*", "containers": "m"}))
    assert faults.find("crash", "a-12", "ns/web-x", "m")
    assert not faults.find("crash", "a-2", "ns/web-x", "m")
    assert not faults.find("crash", "a-1", "other/web-x", "m")
    assert not faults.find("crash", "a-1", "ns/web-x", "n")
    assert not faults.find("oom-killed", "a-1", "ns/web-x", "m")
    faults.clear()
    assert not faults.find("crash", "a-12", "ns/web-x", "m")


def test_a_fault_happens_as_often_as_it_says():
    faults = Faults()
    faults.add(fault_of({"kind": "crash", "count": 2, "exit_code": 7}))
    assert [bool(faults.take("crash", "n", "ns/p")) for _ in range(3)] == [True, True, False]


def test_a_node_reports_what_its_faults_say():
    faults, node = Faults(), Node("n", 0)
    assert node.obey(faults)
    assert not node.obey(faults)
    faults.add(fault_of({"kind": "clock-skew", "seconds": 500}))
    before = node.now()
    assert node.obey(faults)
    assert node.now() - before > 490
    faults.add(fault_of({"kind": "not-ready", "silent": True, "message": "gone"}))
    node.obey(faults)
    assert not node.online.is_set()
    ready = next(row for row in conditions(node) if row["type"] == "Ready")
    assert (ready["status"], ready["message"]) == ("False", "gone")
    faults.clear()
    node.obey(faults)
    assert node.online.is_set()


class SlowAtFirst:
    """An API server whose first answer takes longer than the ones after it."""

    def __init__(self) -> None:
        self.arrived: list[str] = []
        self._delays = iter((0.05, 0.0))

    async def insist(self, method: str, path: str, body: dict, *, form: str) -> None:
        await asyncio.sleep(next(self._delays))
        rows = body["status"]["conditions"]
        self.arrived += [row["status"] for row in rows if row["type"] == "Ready"]


def test_the_newest_report_arrives_last_even_if_an_older_one_is_slow():
    faults, node, server = Faults(), Node("n", 0), SlowAtFirst()

    async def fail_and_recover() -> None:
        faults.add(fault_of({"kind": "not-ready"}))
        node.obey(faults)
        first = asyncio.create_task(report(server, node))
        await asyncio.sleep(0)
        faults.clear()
        node.obey(faults)
        await asyncio.gather(first, report(server, node))

    asyncio.run(fail_and_recover())
    assert server.arrived == ["False", "True"]


def test_resources_of_others_become_allocatable_and_ours_are_left_alone():
    status = {
        "capacity": {"cpu": "9", "x/y": "2", "z/z": "1"},
        "allocatable": {"cpu": "8", "z/z": "1"},
    }
    assert foreign_resources({"status": status}, {"cpu": "8"}) == {"x/y": "2"}


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"hostNetwork": True}, "spec.hostNetwork"),
        ({"hostUsers": False}, "spec.hostUsers"),
        ({"os": {"name": "windows"}}, "spec.os"),
        ({"runtimeClassName": "kata"}, "spec.runtimeClassName"),
        ({"securityContext": {"sysctls": [{"name": "a"}]}}, "spec.securityContext.sysctls"),
        ({"volumes": [{"name": "v", "nfs": {}}]}, "spec.volumes[0].nfs"),
        (
            {"volumes": [{"name": "v", "hostPath": {"type": "Socket"}}]},
            "spec.volumes[0].hostPath.type",
        ),
        (
            {"volumes": [{"name": "v", "projected": {"sources": [{"clusterTrustBundle": {}}]}}]},
            "spec.volumes[0].projected.sources[0].clusterTrustBundle",
        ),
        ({"initContainers": [{"restartPolicy": "Always"}]}, "spec.initContainers[0].restartPolicy"),
        ({"containers": [{"volumeDevices": [{}]}]}, "spec.containers[0].volumeDevices"),
        (
            {"containers": [{"ports": [{}, {"hostPort": 1}]}]},
            "spec.containers[0].ports[1].hostPort",
        ),
        ({"containers": [{"startupProbe": {"grpc": {}}}]}, "spec.containers[0].startupProbe.grpc"),
        (
            {"containers": [{"volumeMounts": [{"mountPropagation": "HostToContainer"}]}]},
            "spec.containers[0].volumeMounts[0].mountPropagation",
        ),
    ],
)
def test_what_cannot_be_honoured_is_named_by_its_path(spec, path):
    found = list(refusals(spec))
    assert [row.split(": ")[0] for row in found] == [path]


def test_what_can_be_honoured_is_not_refused():
    spec = {
        "hostNetwork": False,
        "hostUsers": True,
        "os": {"name": "linux"},
        "volumes": [{"name": "v", "emptyDir": {}}, {"name": "h", "hostPath": {"path": "/x"}}],
        "containers": [
            {"ports": [{"containerPort": 1}], "volumeMounts": [{"mountPropagation": "None"}]}
        ],
    }
    assert list(refusals(spec)) == []


def test_a_probe_counts_answers_in_a_row():
    tally = Tally.of({"successThreshold": 2, "failureThreshold": 3})
    answers = [False, False, True, False, False, False, True, True]
    verdicts = [tally.count(is_good=answer) for answer in answers]
    assert verdicts == [None, None, None, None, None, False, None, True]


def test_events_about_one_thing_are_few_after_a_burst():
    allowance = Allowance()
    assert sum(allowance.allows("a", 0.0) for _ in range(100)) == 25
    assert allowance.allows("b", 0.0)
    assert not allowance.allows("a", 200.0)
    assert allowance.allows("a", 400.0)


def test_the_name_in_a_certificate():
    subject = ((("organizationName", "o"),), (("commonName", "who"),))
    assert common_name({"subject": subject}) == "who"
    assert common_name({}) == ""


def test_how_a_command_ended_is_told_as_a_status():
    assert json.loads(outcome(0))["status"] == "Success"
    failure = json.loads(outcome(7))
    assert failure["reason"] == "NonZeroExitCode"
    assert failure["details"]["causes"] == [{"reason": "ExitCode", "message": "7"}]


@pytest.mark.parametrize(
    ("message", "size"),
    [
        (b'{"Width": 80, "Height": 24}', (24, 80)),
        (b'{"Width": 0, "Height": 24}', None),
        (b'{"Width": 99999, "Height": 24}', None),
        (b"{}", None),
        (b"[]", None),
        (b"nonsense", None),
    ],
)
def test_a_terminals_size(message, size):
    assert size_of(message) == size


def test_settings_are_read_as_they_were_written(tmp_path):
    made = Settings("k", "f", "s", "p", 2, "run", "127.64.0.0/16", images={"*": ["a"]})
    made.write(tmp_path / "x")
    assert Settings.read(tmp_path / "x") == made
    assert made.names == ["p-1", "p-2"]


async def test_a_kubeconfig_that_cannot_be_used_is_refused_in_a_sentence(tmp_path):
    path = tmp_path / "config"
    content = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": "https://x"}}],
        "users": [{"name": "u", "user": {"exec": {"command": "login"}}}],
    }
    path.write_text(json.dumps(content))
    with pytest.raises(ClusterError, match="logs in by way of a program"):
        Client(path)
    path.write_text(json.dumps(content | {"current-context": "other"}))
    with pytest.raises(ClusterError, match=re.escape(f"{path} has no current context")):
        Client(path)
