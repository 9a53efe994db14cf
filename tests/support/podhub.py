"""A real hub whose servers are pods of the test's cluster.

It runs inside the cluster's namespaces, where pods reach it and it reaches them; people
come in through the cluster's relay.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests
import yaml

from cluster import network
from cluster.cluster import Cluster
from cluster.supervision import Program
from lectern_spawner.kubernetes import rights
from tests.support.running import START_SECONDS, RunningHub, hub_env, open_folder

HUB_PORT = 8081
TOKEN_SECONDS = 7200
NAME = "hub"
LOG_CHARACTERS = 8000


@dataclass(kw_only=True)
class PodHub(RunningHub):
    """A hub of a cluster."""

    cluster: Cluster
    namespace: str

    def up(self) -> None:
        """Start and wait until the login page answers."""
        command = self.command("up", "--port", str(network.WEB_PORT))
        command = ["sh", "-c", 'exec "$@" >>"$0" 2>&1', str(self.output), *command]
        variables = hub_env() | {"KUBECONFIG": str(self.kubeconfig)}
        self.cluster.control.start(Program(NAME, command, variables))
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and not self.cluster.control.failed(NAME):
            with contextlib.suppress(requests.RequestException):
                if requests.get(f"{self.base}/hub/login", timeout=5).status_code == 200:
                    return
            time.sleep(0.1)
        raise AssertionError(f"the hub did not start:\n{self.output.read_text()[-3000:]}")

    def down(self, *_: object) -> int:
        """Stop as a service manager does."""
        self.cluster.control.stop(NAME, 40)
        return 0

    def kill(self) -> None:
        """Let the hub die as in a crash."""
        self.cluster.control.stop(NAME, 0)

    @property
    def kubeconfig(self) -> Path:
        return self.state.with_name("kubeconfig")

    def write_kubeconfig(self) -> None:
        """Give the hub what it may do, and no more."""
        api = self.cluster.api
        api.apply(rights.role(self.namespace))
        request = {"spec": {"expirationSeconds": TOKEN_SECONDS}}
        made = api.core.create_namespaced_service_account_token(
            "lectern-hub", self.namespace, request
        )
        admin = yaml.safe_load(self.cluster.layout.kubeconfig_of("admin").read_text())
        admin["users"][0]["user"] = {"token": made.status.token}
        self.kubeconfig.write_text(yaml.safe_dump(admin))


@contextlib.contextmanager
def pod_hub(
    cluster: Cluster, node: str, namespace: str, campus: dict[str, str]
) -> Iterator[PodHub]:
    """Run a hub in a cluster.

    Args:
        cluster: whose hub it is.
        node: which has the images; the cluster's others may have no real containers.
        namespace: of the pods.
        campus: the files of the campus folder by name.
    """
    with open_folder() as folder:
        (folder / "profiles").mkdir()
        for name, text in campus.items():
            (folder / "profiles" / name).write_text(text)
        servers = {
            "backend": "kubernetes",
            "namespace": namespace,
            "hub_url": f"http://{network.MACHINE}:{HUB_PORT}",
        }
        selector = {"kubernetes.io/hostname": node}
        (folder / "site.py").write_text(f"c.KubeSpawner.node_selector = {selector}\n")
        settings = {
            "servers": servers,
            "address": {"host": network.MACHINE},
            "extra_config": "site.py",
        }
        (folder / "lectern.yaml").write_text(yaml.safe_dump(settings))
        hub = PodHub(
            folder / "state", folder / "profiles", cluster.life.web_port,
            cluster=cluster, namespace=namespace,
        )  # fmt: skip
        hub.write_kubeconfig()
        try:
            hub.up()
            yield hub
        finally:
            with contextlib.suppress(Exception):
                hub.down()
            # Shown with a test that failed.
            print(hub.log[-LOG_CHARACTERS:])
