"""How long images take to build and servers to start from them, and how large they are.

Builds begin with nothing but Debian's mirror and PyPI; servers begin with their image on
the node.
"""

from __future__ import annotations

import json
import secrets
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench.record import Values
from cluster.api import wait
from cluster.cluster import Cluster
from cluster.hostnode import HostNode
from cluster.layout import Layout
from lectern_images import debian, describing, listing, oci
from lectern_images.building import Builder
from lectern_images.contract.places import INSIDE
from lectern_images.store import Store, default_folder

CHECKOUT = Path(__file__).resolve().parents[1]
_SIZED = ("base", "datascience", "desktop-octave")
_REFERENCE = "lectern.test/base:1"
_PATIENCE_SECONDS = 120.0
_ADDED = "cycler"
"""A package that the server's lock does not have and another lock of the list does."""

_POLL = """\
import sys, time, urllib.request as u
end = time.monotonic() + 60
while time.monotonic() < end:
    try:
        if b"jupyter-config-data" in u.urlopen(sys.argv[1], timeout=2).read():
            break
    except OSError:
        time.sleep(0.02)
"""
_TWICE = "set -e; for n in 1 2; do /opt/lectern/bin/python /run/contract/server.py; done"
_MOUNTS = {"home": "/home/person", "tmp": "/tmp", "scripts": "/run/contract"}


class Builds:
    """Measures builds below a folder."""

    def __init__(self, folder: Path) -> None:
        """Keep each round's cache in ``folder``."""
        self._folder = folder

    def cold(self, _order: tuple[str, str]) -> Values:
        """Measure a build of ``base`` from nothing, then one after a line of a lock was added."""
        work = self._folder / secrets.token_hex(4)
        images = work / "checkout" / "images"
        shutil.copytree(CHECKOUT / "images", images, symlinks=True)
        for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(CHECKOUT / name, images.parent)
        for name in ("requirements", "hub", "spawner"):
            shutil.copytree(CHECKOUT / name, images.parent / name)
        store = Store(work / "cache")
        cold = _seconds(lambda: _builder(images, store).build("base"))
        _add_a_line(images)
        again = _seconds(lambda: _builder(images, store).build("base"))
        shutil.rmtree(work)
        return {"image_cold": {"ours": cold}, "image_again": {"ours": again}}

    def sizes(self, _order: tuple[str, str]) -> Values:
        """Measure what images hold, unpacked."""
        builder = _builder(CHECKOUT / "images", Store(default_folder()))
        held = {name: sum(layer.packed.content for layer in builder.build(name)) for name in _SIZED}
        return {f"image_size_{name}": {"ours": size / 1e6} for name, size in held.items()}


class Starts:
    """Measures starts of servers in pods of one cluster."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        """Start a cluster with a host node that has the image ``base``."""
        self._cluster = Cluster(Layout(folder / "cluster"), _tell)
        self._cluster.start()
        stack.callback(self._cluster.stop)
        node = HostNode(self._cluster)
        node.start()
        store = Store(default_folder())
        builder = _builder(CHECKOUT / "images", store)
        image = describing.whole(builder.listed, "base", builder.build("base"), _REFERENCE)
        archive = folder / "base.tar"
        oci.write_archive([image], archive)
        node.load(archive)
        data = {path.name: path.read_text() for path in INSIDE.glob("*.py")}
        self._core = self._cluster.api.core
        self._core.create_namespaced_config_map(
            "default", {"metadata": {"name": "scripts"}, "data": data}
        )

    def measure(self, order: tuple[str, str]) -> Values:
        """Measure a pod until JupyterLab answers, and a first start beside a second."""
        return {**self._pod(order), **self._twice(order)}

    def _pod(self, _order: tuple[str, str]) -> Values:
        words = ["jupyter-lab", "--ip=0.0.0.0", "--port=8888", "--IdentityProvider.token=t"]
        began = time.monotonic()
        name = self._create(args=words)
        wait(lambda: self._address(name), "the pod has no address", _PATIENCE_SECONDS, 0.02)
        where = f"http://{self._address(name)}:8888/lab?token=t"
        self._cluster.run(sys.executable, "-c", _POLL, where)
        seconds = time.monotonic() - began
        self._core.delete_namespaced_pod(name, "default", grace_period_seconds=1)
        return {"image_pod": {"ours": seconds}}

    def _twice(self, _order: tuple[str, str]) -> Values:
        name = self._create(command=["tini", "--", "lectern-entry", "sh", "-c", _TWICE])
        wait(lambda: self._phase(name) == "Succeeded", "no result", _PATIENCE_SECONDS, 0.2)
        log = self._core.read_namespaced_pod_log(name, "default")
        found = [json.loads(line) for line in log.splitlines() if line.startswith('{"person')]
        self._core.delete_namespaced_pod(name, "default")
        first, second = (row["answers_after_seconds"] for row in found)
        return {"image_first_start": {"ours": first, "peer": second}}

    def _create(self, **container: list[str]) -> str:
        name = f"p-{secrets.token_hex(4)}"
        security = {"runAsUser": 20001, "runAsGroup": 100, "readOnlyRootFilesystem": True}
        variables = {"HOME": _MOUNTS["home"], "JUPYTERHUB_USER": "person"}
        sources = {"home": {"emptyDir": {}}, "tmp": {"emptyDir": {}},
                   "scripts": {"configMap": {"name": "scripts"}}}  # fmt: skip
        main = {
            "name": "main",
            "image": _REFERENCE,
            "imagePullPolicy": "Never",
            "securityContext": security,
            "env": [{"name": key, "value": value} for key, value in variables.items()],
            "volumeMounts": [{"name": key, "mountPath": path} for key, path in _MOUNTS.items()],
            **container,
        }
        volumes = [{"name": key, **source} for key, source in sources.items()]
        spec = {"restartPolicy": "Never", "containers": [main], "volumes": volumes}
        self._core.create_namespaced_pod("default", {"metadata": {"name": name}, "spec": spec})
        return name

    def _address(self, name: str) -> str:
        return self._core.read_namespaced_pod(name, "default").status.pod_ip or ""

    def _phase(self, name: str) -> str:
        return str(self._core.read_namespaced_pod(name, "default").status.phase)


def _builder(images: Path, store: Store) -> Builder:
    return Builder(listing.load(images), store, _tell, debian.sources())


def _add_a_line(images: Path) -> None:
    """Add a package of another lock to the server's."""
    text = (images / "datascience" / "python.txt").read_text()
    start = text.index(f"\n{_ADDED}==") + 1
    pin = text[start:].partition("\n\n")[0]
    lines = pin.splitlines()
    end = next((n for n, line in enumerate(lines) if n and not line.startswith(" ")), len(lines))
    with (images / "base" / "server.txt").open("a") as file:
        file.write("\n".join([*lines[:end], ""]))


def _seconds(action: Callable[[], object]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
