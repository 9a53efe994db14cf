"""`lectern images import`, into a real registry on this machine's loopback address."""

from __future__ import annotations

import subprocess
import sys

import pytest
import requests

from cluster import images as cluster_images
from lectern_images import oci

PATIENCE_SECONDS = 300


@pytest.fixture(scope="module")
def archive(built_image, tmp_path_factory):
    """The image `base`, as somebody might send it."""
    path = tmp_path_factory.mktemp("sent") / "base.tar"
    oci.write_archive([built_image("base").image], path)
    return path


def lectern(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lectern_hub.cli", "images", "import", *map(str, words)]
    return subprocess.run(
        [*command, "--insecure"], capture_output=True, text=True, check=False,
        timeout=PATIENCE_SECONDS,
    )  # fmt: skip


def tags(address: str, name: str) -> list[str]:
    found = requests.get(f"http://{address}/v2/{name}/tags/list", timeout=5)
    return found.json()["tags"] if found.ok else []


def test_an_image_that_keeps_its_contracts_gets_into_the_registry(
    campus_registry, archive, built_image
):
    done = lectern(archive, f"{campus_registry}/lab/base:2")
    assert done.returncode == 0, done.stdout + done.stderr
    image = built_image("base").image
    assert f"    ref: {campus_registry}/lab/base:2@{image.digest}\n" in done.stdout
    assert "    title: JupyterLab\n" in done.stdout
    kept = requests.head(
        f"http://{campus_registry}/v2/lab/base/manifests/2", timeout=5,
        headers={"Accept": "application/vnd.oci.image.manifest.v1+json"},
    )  # fmt: skip
    assert kept.headers["Docker-Content-Digest"] == image.digest


@pytest.mark.slow
def test_an_image_of_a_registry_is_taken_by_its_name(campus_registry, archive):
    if "2" not in tags(campus_registry, "lab/base"):
        assert lectern(archive, f"{campus_registry}/lab/base:2").returncode == 0
    done = lectern(f"{campus_registry}/lab/base:2", f"{campus_registry}/other/base:3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert tags(campus_registry, "other/base") == ["3"]


def test_an_image_of_docker_without_jupyterhub_is_refused_with_what_helps(
    campus_registry, tmp_path
):
    sent = tmp_path / "docker.tar"
    subprocess.run(
        ["skopeo", "--insecure-policy", "copy", f"oci-archive:{cluster_images.busybox()}",
         f"docker-archive:{sent}:lab/busybox:1"], check=True, capture_output=True,
    )  # fmt: skip
    done = lectern(sent, f"{campus_registry}/lab/busybox:1")
    assert done.returncode == 1
    assert "problem: it has no jupyterhub-singleuser" in done.stdout
    assert "RUN pip install jupyterhub==" in done.stdout
    assert "was not imported" in done.stdout
    assert tags(campus_registry, "lab/busybox") == []


@pytest.mark.parametrize(
    ("source", "words"),
    [("nowhere/x:1", "could not be copied"), ("setup.cfg", "neither an OCI nor a Docker archive")],
)
def test_what_cannot_be_had_is_said(campus_registry, source, words):
    name = f"{campus_registry}/{source}" if source.startswith("nowhere") else source
    done = lectern(name, f"{campus_registry}/lab/x:1")
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
