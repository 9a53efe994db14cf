"""Images for the tests: built by our own engine when they are not in the cache yet."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.support.processes import eventually

from cluster import programs
from lectern_images import debian, describing, listing, oci
from lectern_images.building import Builder
from lectern_images.store import Built, Store, default_folder

IMAGES = Path(__file__).resolve().parents[2] / "images"
REGISTRY = "lectern.test"


@dataclass(frozen=True)
class TestImage:
    """An image that was really built."""

    __test__ = False

    name: str
    listed: listing.ImageList
    layers: list[Built]
    image: oci.Image

    @property
    def config(self) -> dict[str, Any]:
        return dict(self.image.config)


@pytest.fixture(scope="session")
def built_image() -> Callable[[str], TestImage]:
    """Build an image of the list, or take it from the cache."""
    if os.geteuid() != 0:
        pytest.skip("images are built by root")
    listed, made = listing.load(IMAGES), {}
    builder = Builder(listed, Store(default_folder()), say, debian.sources())

    def get(name: str) -> TestImage:
        if name not in made:
            with builder.store.alone(say):
                layers = builder.build(name)
            image = describing.whole(listed, name, layers, f"{REGISTRY}/{name}:1")
            made[name] = TestImage(name, listed, layers, image)
        return made[name]

    return get


@pytest.fixture(scope="session")
def loaded_image(
    built_image, own_cluster, host_node, tmp_path_factory
) -> Callable[[str], TestImage]:
    """Build an image and make it known to the host node."""
    loaded: set[str] = set()
    layers: set[str] = set()

    def get(name: str) -> TestImage:
        found = built_image(name)
        if name not in loaded:
            archive = tmp_path_factory.mktemp("image") / "archive.tar"
            oci.write_archive([found.image], archive, layers)
            host_node.load(archive)
            archive.unlink()
            loaded.add(name)
            layers.update(layer.digest for layer in found.image.layers)
        return found

    return get


@pytest.fixture(scope="session")
def campus_registry(tmp_path_factory):
    """A registry at a loopback address of this machine."""
    folder = tmp_path_factory.mktemp("registry")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    settings = {
        "version": "0.1",
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": address},
    }
    (folder / "config.yaml").write_text(json.dumps(settings))
    command = [programs.built("registry", print), "serve", folder / "config.yaml"]
    with subprocess.Popen(command, env={"OTEL_TRACES_EXPORTER": "none"}) as process:
        eventually(lambda: answers(address), "the registry did not answer")
        yield address
        process.terminate()


def answers(address: str) -> bool:
    try:
        return requests.get(f"http://{address}/v2/", timeout=5).ok
    except requests.ConnectionError:
        return False


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
