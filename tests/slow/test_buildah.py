"""The rendered Containerfiles, really built by buildah, held to the same contracts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="images are tried by root"),
]

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 1500
ISOLATED = """\
[storage]
driver = "overlay"
graphroot = "{folder}/graph"
runroot = "{folder}/run"
"""


@pytest.fixture(scope="module")
def lectern(tmp_path_factory):
    """`lectern images` with a buildah whose images lie in a folder of the test's own."""
    folder = tmp_path_factory.mktemp("buildah")
    (folder / "storage.conf").write_text(ISOLATED.format(folder=folder))
    variables = os.environ | {"CONTAINERS_STORAGE_CONF": str(folder / "storage.conf")}

    def run(*words: str, program: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        command = program or (sys.executable, "-m", "lectern_hub.cli", "images")
        return subprocess.run(
            [*command, *words], cwd=ROOT, env=variables, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE_SECONDS,
        )  # fmt: skip

    yield run
    run("--all", program=("buildah", "rmi"))


def test_buildah_makes_the_image_of_the_list_and_it_keeps_the_contracts(
    lectern, campus_registry, tmp_path
):
    built = lectern("build", "base", "--engine", "buildah")
    assert built.returncode == 0, built.stdout[-3000:]
    archive = tmp_path / "base.tar"
    reference = "lectern/base:1"
    pushed = lectern("push", reference, f"oci-archive:{archive}:{reference}", program=("buildah",))
    assert pushed.returncode == 0, pushed.stdout
    tried = lectern("import", str(archive), f"{campus_registry}/built/base:1", "--insecure")
    assert tried.returncode == 0, tried.stdout
    assert "title: JupyterLab" in tried.stdout
