"""What pods ask for on a process node is what they get, seen through the API server."""

from __future__ import annotations

import base64
import shutil
import tempfile
import time
from pathlib import Path

import pytest
from tests.support.pods import RESTRICTED
from tests.support.processpods import Pods, execute

LOOP = "trap 'echo bye; exit 0' TERM; echo begun; while :; do sleep 0.1; done"
SERVE = "cd /tmp; exec python3 -m http.server --bind 0.0.0.0 8000"


@pytest.fixture
def pods(own_cluster, namespace, process_nodes):
    return Pods(own_cluster, namespace, process_nodes(2))


def test_a_pod_computes(pods):
    assert pods.result("computes", "echo $((6 * 7)); id -u; hostname") == "42\n1000\ncomputes\n"
    row = pods.container("computes")
    assert row["state"]["terminated"]["reason"] == "Completed"
    assert row["restartCount"] == 0
    assert pods.condition("computes", "Ready")["reason"] == "PodCompleted"
    assert {"Scheduled", "Pulled", "Created", "Started"} <= pods.reasons("computes")


def test_each_pod_has_an_address_of_its_own_at_which_it_is_reached(pods):
    probe = {"httpGet": {"port": 8000}, "periodSeconds": 1}
    for name in ("one", "two"):
        pods.start(name, SERVE, container={"readinessProbe": probe})
    for name in ("one", "two"):
        pods.until_ready(name)
    addresses = [pods.status(name)["podIP"] for name in ("one", "two")]
    assert len(set(addresses)) == 2
    assert all(address.startswith("127.64.") for address in addresses)
    asks = [f"wget -q -O /dev/null http://{address}:8000/" for address in addresses]
    assert pods.result("asks", " && ".join([*asks, "echo both"])) == "both\n"


def test_variables_come_from_all_their_sources(pods):
    pods.core.create_namespaced_config_map(
        pods.namespace, {"metadata": {"name": "words"}, "data": {"A": "from map", "B": "b"}}
    )
    pods.core.create_namespaced_secret(
        pods.namespace, {"metadata": {"name": "hidden"}, "stringData": {"KEY": "s3cret"}}
    )

    def field(path: str) -> dict:
        return {"valueFrom": {"fieldRef": {"fieldPath": path}}}

    keyed = {"name": "words", "key": "A"}
    limits = {"memory": "64Mi", "cpu": "500m"}
    container = {
        "resources": {"limits": limits, "requests": {"memory": "1Mi", "cpu": "10m"}},
        "envFrom": [{"prefix": "P_", "configMapRef": {"name": "words"}}],
        "env": [
            {"name": "PLAIN", "value": "x"},
            {"name": "BOTH", "value": "$(PLAIN)-$(P_B)-$(NONE)-$$(PLAIN)"},
            {"name": "KEYED", "valueFrom": {"configMapKeyRef": keyed}},
            {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "hidden", "key": "KEY"}}},
            {
                "name": "OPTIONAL",
                "valueFrom": {"secretKeyRef": {"name": "no", "key": "no", "optional": True}},
            },
            {"name": "WHERE", **field("spec.nodeName")},
            {"name": "WHO", **field("metadata.name")},
            {"name": "APP", **field("metadata.labels['app']")},
            {"name": "IP", **field("status.podIP")},
            {
                "name": "MIB",
                "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}},
            },
        ],
        "command": ["sh", "-c", ('echo "$0|$BOTH|$KEYED|$SECRET|${OPTIONAL-unset}|$MIB|$APP|$WHO"; '
                    'echo "$WHERE $IP"'), "$(PLAIN)"],
    }  # fmt: skip
    first, second = pods.result("env", "", container=container).splitlines()
    assert first == "x|x-b-$(NONE)-$(PLAIN)|from map|s3cret|unset|64|env|env"
    assert second.split() == [pods.core.read_namespaced_pod("env", pods.namespace).spec.node_name,
                              pods.status("env")["podIP"]]  # fmt: skip


def test_a_missing_secret_is_waited_for(pods):
    source = {"secretKeyRef": {"name": "late", "key": "k"}}
    pods.start("waits", "echo $K", container={"env": [{"name": "K", "valueFrom": source}]})
    pods.until_waiting("waits", "CreateContainerConfigError")
    assert 'secret "late" not found' in pods.container("waits")["state"]["waiting"]["message"]
    pods.core.create_namespaced_secret(
        pods.namespace, {"metadata": {"name": "late"}, "stringData": {"k": "here"}}
    )
    pods.until_phase("waits", "Succeeded")
    assert pods.log("waits") == "here\n"


def test_volumes_of_all_kinds_are_there(pods, request):
    folder = Path(tempfile.mkdtemp(prefix="lectern-hostpath-"))
    request.addfinalizer(lambda: shutil.rmtree(folder))
    folder.chmod(0o777)
    (folder / "file").write_text("from the host\n")
    pods.core.create_namespaced_config_map(
        pods.namespace, {"metadata": {"name": "m"}, "data": {"a.txt": "A\n", "b.txt": "B\n"}}
    )
    pods.core.create_namespaced_secret(
        pods.namespace,
        {"metadata": {"name": "s"}, "data": {"k": base64.b64encode(b"\xff\x00").decode()}},
    )
    about = [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]
    token = {"path": "token", "audience": "lectern", "expirationSeconds": 600}
    sources = [{"serviceAccountToken": token}, {"configMap": {"name": "m", "optional": True}}]
    items = [{"key": "a.txt", "path": "deep/a", "mode": 0o400}]
    mounts = {"/empty": "empty", "/mem": "mem", "/map": "map", "/sec": "sec", "/about": "about",
              "/all": "all", "/host": "host"}  # fmt: skip
    extra = [
        {"name": "empty", "mountPath": "/part/of", "subPath": "in/side"},
        {"name": "empty", "mountPath": "/closed", "readOnly": True},
        {"name": "host", "mountPath": "/etc/new/file", "subPath": "file", "readOnly": True},
    ]
    script = """
    cat /map/deep/a; ls /map; od -An -tx1 /sec/k; cat /about/labels; echo; ls /all
    wc -c </all/token | awk '{print ($1 > 100)}'; cat /etc/new/file
    echo x >/empty/x && echo y >/part/of/y && cat /empty/in/side/y
    echo z >/host/written; grep -c ' /mem ' /proc/mounts; stat -c '%g %a' /empty /map/deep/a
    touch /closed/no 2>/dev/null || echo readonly; touch /usr/no 2>/dev/null || echo readonly
    """
    printed = pods.result(
        "volumes",
        script,
        securityContext={"fsGroup": 4242, "runAsUser": 1001, "runAsGroup": 1001},
        volumes=[
            {"name": "empty", "emptyDir": {}},
            {"name": "mem", "emptyDir": {"medium": "Memory"}},
            {"name": "map", "configMap": {"name": "m", "items": items}},
            {"name": "sec", "secret": {"secretName": "s"}},
            {"name": "about", "downwardAPI": {"items": about}},
            {"name": "all", "projected": {"sources": sources}},
            {"name": "host", "hostPath": {"path": str(folder), "type": "Directory"}},
        ],
        container={
            "volumeMounts": [
                *({"name": name, "mountPath": path} for path, name in mounts.items()),
                *extra,
            ]
        },
    )
    assert printed.splitlines() == [
        "A", "deep", " ff 00", 'app="volumes"', "a.txt", "b.txt", "token", "1", "from the host",
        "y", "1", "4242 2777", "4242 440", "readonly", "readonly",
    ]  # fmt: skip
    assert (folder / "written").read_text() == "z\n"


def test_a_claim_leads_to_the_volume_it_is_bound_to(pods, request):
    folder = Path(tempfile.mkdtemp(prefix="lectern-claim-"))
    request.addfinalizer(lambda: shutil.rmtree(folder))
    folder.chmod(0o777)
    name = pods.namespace
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "",
    }
    pods.core.create_persistent_volume(
        {"metadata": {"name": name}, "spec": {**spec, "hostPath": {"path": str(folder)}}}
    )
    request.addfinalizer(lambda: pods.core.delete_persistent_volume(name))
    del spec["capacity"]
    wish = {**spec, "volumeName": name, "resources": {"requests": {"storage": "1Gi"}}}
    pods.core.create_namespaced_persistent_volume_claim(
        pods.namespace, {"metadata": {"name": "home"}, "spec": wish}
    )
    volumes = [{"name": "home", "persistentVolumeClaim": {"claimName": "home"}}]
    mounts = {"volumeMounts": [{"name": "home", "mountPath": "/home/jovyan"}]}
    container = {**mounts, "workingDir": "/home/jovyan"}
    assert pods.result("writes", "pwd; echo kept >note", volumes=volumes, container=container)
    assert pods.result("reads", "cat note", volumes=volumes, container=container) == "kept\n"
    assert (folder / "note").read_text() == "kept\n"


def test_a_volume_that_is_missing_is_waited_for(pods):
    volumes = [{"name": "v", "configMap": {"name": "later"}}]
    mounts = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    pods.start("waits", "cat /v/k", volumes=volumes, container=mounts)
    pods.until(lambda: "FailedMount" in pods.reasons("waits"), "nothing was said")
    assert pods.waiting("waits") == "ContainerCreating"
    pods.core.create_namespaced_config_map(
        pods.namespace, {"metadata": {"name": "later"}, "data": {"k": "now"}}
    )
    pods.until_phase("waits", "Succeeded")
    assert pods.log("waits") == "now"


def test_users_groups_and_a_closed_root_are_honoured(pods):
    script = "id; touch /tmp/x 2>/dev/null || echo closed; touch /d/x && echo open"
    printed = pods.result(
        "who",
        script,
        securityContext={"runAsUser": 1234, "runAsGroup": 567, "supplementalGroups": [8, 9]},
        volumes=[{"name": "d", "emptyDir": {}}],
        container={
            "securityContext": {"readOnlyRootFilesystem": True},
            "volumeMounts": [{"name": "d", "mountPath": "/d"}],
        },
    )
    first, *rest = printed.splitlines()
    assert first.startswith("uid=1234")
    assert "gid=567" in first
    assert {"8", "9"} <= set(first.split("groups=")[1].replace("(", ",").split(","))
    assert rest == ["closed", "open"]


def test_root_has_few_capabilities_and_no_way_to_the_machine(pods, own_cluster):
    keys = own_cluster.layout.certificates
    script = f"id -u; grep CapEff /proc/self/status; chown 5 /tmp && echo may; ls {keys} 2>&1"
    container = {"securityContext": {"runAsUser": 0, "capabilities": {"drop": ["CHOWN"]}}}
    user, may, *rest = pods.result("root", script + "; true", container=container).splitlines()
    assert user == "0"
    assert int(may.split()[1], 16) & 1 == 0, "it may chown"
    assert int(may.split()[1], 16) & (1 << 21) == 0, "it may administrate the system"
    assert "may" not in rest
    assert not any(".key" in row for row in rest)


def test_a_pod_that_must_not_be_root_and_is_does_not_start(pods):
    pods.start(
        "root", "true", container={"securityContext": {"runAsUser": 0, "runAsNonRoot": True}}
    )
    pods.until_waiting("root", "CreateContainerConfigError")


def test_a_restricted_pod_runs_where_pod_security_demands_it(pods):
    level = {"pod-security.kubernetes.io/enforce": "restricted"}
    pods.core.patch_namespace(pods.namespace, {"metadata": {"labels": level}})
    assert pods.result("strict", "id -u", container={"securityContext": RESTRICTED}) == "20001\n"


def test_init_containers_run_first_and_in_order(pods):
    volumes = [{"name": "v", "emptyDir": {}}]
    mount = [{"name": "v", "mountPath": "/v"}]

    def step(name: str, script: str) -> dict:
        return {"name": name, "image": "x", "command": ["sh", "-c", script], "volumeMounts": mount}

    inits = [step("a", "sleep 0.3; echo a >>/v/x"), step("b", "echo b >>/v/x")]
    mounts = {"volumeMounts": mount}
    printed = pods.result("c", "cat /v/x", volumes=volumes, initContainers=inits, container=mounts)
    assert printed == "a\nb\n"
    assert pods.condition("c", "Initialized")["status"] == "True"
    pods.start("d", "true", volumes=volumes, initContainers=[step("a", "exit 4")])
    pods.until_phase("d", "Failed")
    assert pods.container("d", "a")["state"]["terminated"]["exitCode"] == 4
    assert pods.waiting("d") == "PodInitializing"


def test_several_containers_share_address_and_volumes(pods):
    mount = {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    other = {
        "name": "other",
        "image": "x",
        "command": ["sh", "-c", "while ! cat /v/x; do sleep 0.1; done"],
        **mount,
    }
    main = {"name": "main", "image": "x", "command": ["sh", "-c", "echo hi >/v/x"], **mount}
    pods.start("both", "", volumes=[{"name": "v", "emptyDir": {}}], containers=[main, other])
    pods.until_phase("both", "Succeeded")
    assert pods.log("both", container="other").endswith("hi\n")


@pytest.mark.parametrize(
    ("policy", "code", "comes_back"),
    [("Always", 0, True), ("OnFailure", 0, False), ("OnFailure", 1, True), ("Never", 1, False)],
)
def test_the_restart_policy_is_kept(pods, policy, code, comes_back):
    pods.start("p", f"echo run; exit {code}", restartPolicy=policy)
    if comes_back:
        pods.until_waiting("p", "CrashLoopBackOff")
        pods.until(lambda: pods.container("p")["restartCount"] >= 2, "it was not restarted")
        assert pods.container("p")["lastState"]["terminated"]["exitCode"] == code
        assert "BackOff" in pods.reasons("p")
        assert pods.log("p", previous=True) == "run\n"
    else:
        pods.until_phase("p", "Succeeded" if code == 0 else "Failed")
        assert pods.container("p")["restartCount"] == 0


def test_readiness_follows_its_probe(pods):
    probe = {
        "exec": {"command": ["test", "-e", "/tmp/ok"]},
        "periodSeconds": 1,
        "failureThreshold": 1,
    }
    pods.start("r", LOOP, container={"readinessProbe": probe})
    pods.until(lambda: "Unhealthy" in pods.reasons("r"), "no probe failed")
    assert pods.condition("r", "ContainersReady")["reason"] == "ContainersNotReady"
    execute(pods, "r", "touch", "/tmp/ok")
    pods.until_ready("r")
    execute(pods, "r", "rm", "/tmp/ok")
    pods.until(lambda: not pods.is_ready("r"), "it stayed ready")


def test_a_container_that_fails_its_liveness_probe_is_restarted(pods):
    probe = {"tcpSocket": {"port": 9}, "periodSeconds": 1, "failureThreshold": 2}
    container = {"livenessProbe": probe}
    pods.start("l", LOOP, restartPolicy="Always", container=container)
    pods.until(lambda: pods.container("l").get("restartCount", 0) >= 1, "it was not restarted")
    assert {"Unhealthy", "Killing"} <= pods.reasons("l")
    assert pods.log("l", previous=True) == "begun\nbye\n"


def test_other_probes_wait_for_the_startup_probe(pods):
    started = {
        "exec": {"command": ["test", "-e", "/tmp/up"]},
        "periodSeconds": 1,
        "failureThreshold": 99,
    }
    dead = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 1}
    container = {"startupProbe": started, "livenessProbe": dead}
    pods.start("s", LOOP, restartPolicy="Always", container=container)
    pods.until(lambda: "Unhealthy" in pods.reasons("s"), "no probe failed")
    assert pods.container("s")["restartCount"] == 0
    assert pods.container("s")["started"] is False
    execute(pods, "s", "touch", "/tmp/up")
    pods.until(lambda: pods.container("s")["restartCount"] >= 1, "liveness was not asked")


def test_a_readiness_gate_is_waited_for(pods):
    pods.start("g", LOOP, readinessGates=[{"conditionType": "lectern/gate"}])
    pods.until(lambda: pods.condition("g", "ContainersReady").get("status") == "True", "never up")
    assert pods.condition("g", "Ready")["reason"] == "ReadinessGatesNotReady"
    row = {"type": "lectern/gate", "status": "True"}
    pods.core.patch_namespaced_pod_status("g", pods.namespace, {"status": {"conditions": [row]}})
    pods.until_ready("g")


def test_a_deleted_pod_may_end_in_peace_until_its_grace_is_over(pods, request):
    volumes = [{"name": "h", "hostPath": {"path": tempfile.mkdtemp(prefix="lectern-grace-")}}]
    path = Path(volumes[0]["hostPath"]["path"])
    request.addfinalizer(lambda: shutil.rmtree(path))
    path.chmod(0o777)
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "echo hook >>/h/said"]}}}
    mount = {"volumeMounts": [{"name": "h", "mountPath": "/h"}], "lifecycle": hook}
    polite = "trap 'echo bye >>/h/said; exit 0' TERM; while :; do sleep 0.1; done"
    pods.start("polite", polite, volumes=volumes, container=mount, terminationGracePeriodSeconds=30)
    pods.until_ready("polite")
    pods.delete("polite")
    pods.until_gone("polite")
    assert (path / "said").read_text() == "hook\nbye\n"
    stubborn = "trap '' TERM; (trap '' TERM; while :; do date >>/h/tick; sleep 0.1; done) & wait"
    pods.start(
        "stubborn", stubborn, volumes=volumes, container={"volumeMounts": mount["volumeMounts"]}
    )
    pods.until_ready("stubborn")
    pods.delete("stubborn")
    pods.until_gone("stubborn")
    size = (path / "tick").stat().st_size
    time.sleep(0.5)
    assert (path / "tick").stat().st_size == size, "a descendant went on"


def test_a_pod_ends_at_its_deadline(pods):
    pods.start("late", LOOP, activeDeadlineSeconds=1)
    pods.until_phase("late", "Failed")
    assert pods.status("late")["reason"] == "DeadlineExceeded"


def test_the_message_of_an_end_is_reported(pods):
    pods.start("says", "echo why >/dev/termination-log; exit 3")
    pods.start("logs", "echo from the log; exit 3",
               container={"terminationMessagePolicy": "FallbackToLogsOnError"})  # fmt: skip
    for name, message in (("says", "why\n"), ("logs", "from the log\n")):
        pods.until_phase(name, "Failed")
        assert pods.container(name)["state"]["terminated"]["message"] == message


def test_a_memory_limit_is_kept_where_the_machine_has_groups(pods):
    limits = {"resources": {"limits": {"memory": "32Mi"}}}
    pods.start(
        "greedy", "exec python3 -c 'x = bytearray(200 * 2**20); print(len(x))'", container=limits
    )
    pods.until(lambda: pods.status("greedy").get("phase") in ("Failed", "Succeeded"), "it went on")
    end = pods.container("greedy")["state"]["terminated"]
    assert (end["reason"], end["exitCode"]) == ("OOMKilled", 137)
