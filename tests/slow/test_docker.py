"""The bake file, read and really built by docker's buildx and BuildKit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.processes import eventually

from cluster import programs
from lectern_images import listing, rendering

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 1500


def test_buildx_understands_every_target():
    program = programs.built("buildx", print)
    listed = listing.load(ROOT / "images")
    command = [program, "bake", "--print", "--file", f"images/{rendering.BAKE_FILE}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    targets = json.loads(done.stdout)["target"]
    assert set(targets) == set(listed.file.images)
    for name, target in targets.items():
        base = listed.file.images[name].base
        known = {listed.reference(base): f"target:{base}"} if base in listed.file.images else {}
        assert target.get("contexts", {}) == known
        assert target["tags"] == [listed.reference(name)]


@pytest.fixture(scope="module")
def docker(tmp_path_factory) -> Iterator[dict[str, str]]:
    """Variables with which `docker` talks to a daemon and a builder of the test's own."""
    if os.geteuid() != 0:
        pytest.skip("docker's daemon is started by root")
    folder = tmp_path_factory.mktemp("docker")
    plugins = folder / "config" / "cli-plugins"
    plugins.mkdir(parents=True)
    (plugins / "docker-buildx").symlink_to(programs.built("buildx", print))
    daemon, builder = folder / "docker.sock", folder / "buildkit.sock"
    variables = os.environ | {
        "DOCKER_HOST": f"unix://{daemon}",
        "DOCKER_CONFIG": str(folder / "config"),
    }
    dockerd = [
        "dockerd", "--host", f"unix://{daemon}", "--data-root", folder / "data", "--exec-root",
        folder / "exec", "--pidfile", folder / "pid", "--bridge=none", "--iptables=false",
    ]  # fmt: skip
    buildkitd = [
        programs.built("buildkitd", print), "--addr", f"unix://{builder}", "--root",
        folder / "buildkit", "--containerd-worker=false", "--oci-worker-net=host",
    ]  # fmt: skip
    with running(dockerd, folder / "dockerd.log"), running(buildkitd, folder / "buildkitd.log"):
        eventually(daemon.exists, "docker's daemon never came")
        eventually(builder.exists, "BuildKit never came")
        create = ["docker", "buildx", "create", "--use", "--driver=remote", f"unix://{builder}"]
        subprocess.run(create, env=variables, check=True)
        yield variables


@contextmanager
def running(command: list[str | Path], log: Path) -> Iterator[None]:
    with log.open("w") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:
        yield
        process.terminate()


def test_docker_makes_the_image_of_the_list_and_it_keeps_the_contracts(
    docker, campus_registry, tmp_path
):
    def run(*command: str) -> str:
        done = subprocess.run(
            command, cwd=ROOT, env=docker, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:]
        return done.stdout

    images = (sys.executable, "-m", "lectern_hub.cli", "images")
    run(*images, "build", "base", "--engine", "docker")
    archive = tmp_path / "base.tar"
    run("docker", "save", "lectern/base:1", "--output", str(archive))
    said = run(*images, "import", str(archive), f"{campus_registry}/docker/base:1", "--insecure")
    assert "title: JupyterLab" in said
