"""Images of others: what they are taken for, and what is missing is said with what helps."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from lectern_images import importing
from lectern_images.errors import ImageError

SINGLEUSER = "opt/conda/bin/jupyterhub-singleuser"


def archive(path: Path, *names: str) -> Path:
    with tarfile.open(path, "w") as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    return path


def found(folder: Path, *names: str, **config) -> importing.Found:
    return importing.Found((archive(folder / "layer.tar", *names),), config)


def test_archives_are_told_apart_by_what_is_in_them(tmp_path):
    oci = archive(tmp_path / "a.tar", "oci-layout", "manifest.json")
    docker = archive(tmp_path / "b.tar", "manifest.json")
    assert importing.source_of(str(oci)) == f"oci-archive:{oci}"
    assert importing.source_of(str(docker)) == f"docker-archive:{docker}"
    assert importing.source_of("quay.io/jupyter/x:1") == "docker://quay.io/jupyter/x:1"
    assert importing.source_of("oci:/srv/x") == "oci:/srv/x"
    with pytest.raises(ImageError, match="neither an OCI nor a Docker archive"):
        importing.source_of(str(archive(tmp_path / "c.tar", "else")))


def test_an_image_without_jupyterhub_is_refused_with_the_lines_that_help(tmp_path):
    (row,) = importing.looked_at(found(tmp_path, "bin/sh", User="1000"), "6.1.1")
    assert row.is_fatal
    assert "no jupyterhub-singleuser" in row.problem
    assert "pip install jupyterhub==6.1.1" in row.remedy


@pytest.mark.parametrize(("version", "problems"), [("6.1.0", 0), ("5.4.0", 1)])
def test_jupyterhub_must_be_of_the_hubs_minor_version(tmp_path, version, problems):
    record = f"opt/conda/lib/python3.13/site-packages/jupyterhub-{version}.dist-info/METADATA"
    rows = list(importing.looked_at(found(tmp_path, SINGLEUSER, record, User="1000"), "6.1.1"))
    assert len(rows) == problems
    assert all(version in row.problem and row.is_fatal for row in rows)


@pytest.mark.parametrize("user", ["", "0", "root"])
def test_an_image_that_runs_as_root_is_noted_and_taken(tmp_path, user):
    (row,) = importing.looked_at(found(tmp_path, SINGLEUSER, User=user), "6.1.1")
    assert not row.is_fatal
    assert "runs as root" in row.problem


def test_an_image_for_other_processors_is_refused(tmp_path):
    blobs = tmp_path / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    (blobs / "c").write_text(json.dumps({"architecture": "arm64"}))
    (blobs / "m").write_text(json.dumps({"config": {"digest": "sha256:c"}, "layers": []}))
    (tmp_path / "index.json").write_text(json.dumps({"manifests": [{"digest": "sha256:m"}]}))
    with pytest.raises(ImageError, match="for arm64; our nodes are amd64"):
        importing.read_layout(tmp_path)


def test_the_lines_for_the_campus_say_what_the_image_says_of_itself(tmp_path):
    labels = {"org.lectern.capabilities": "gpu,tensorboard",
              "org.opencontainers.image.title": "PyTorch"}  # fmt: skip
    lines = importing.entry("pytorch", "lab/pytorch:1@sha256:x", found(tmp_path, Labels=labels))
    assert lines == (
        "images:\n  pytorch:\n    title: PyTorch\n    ref: lab/pytorch:1@sha256:x\n"
        "    capabilities: [gpu, tensorboard]\n"
    )
