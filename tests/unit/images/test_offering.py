"""What becomes of the list elsewhere: rendered files, a campus's entries, a plan for nodes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lectern_images import listing, offering, prepulling, rendering
from lectern_spawner.catalog import load

ROOT = Path(__file__).resolve().parents[3]
CAMPUS = """\
languages: [en, zh]
images:
  datascience: {title: Ours, ref: "harbor.example.edu/lab/ds:3"}   # by hand
  old: {title: Old, ref: "lab/old:1"}
"""


@pytest.fixture
def images(tmp_path):
    """A copy of what the list is made into, to be spoilt."""
    shutil.copytree(ROOT / "images", tmp_path / "images", symlinks=True)
    (tmp_path / "requirements").mkdir()
    for name in ("run.txt", "bootstrap.txt"):
        (tmp_path / "requirements" / name).write_text("")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path / "images"


def run(*words: str) -> int:
    from lectern_hub.cli import main

    return main(["images", *words])


def test_what_is_checked_in_says_what_the_list_says(capsys):
    assert run("render", "--check", "--images", str(ROOT / "images"), "--campus",
               str(ROOT / "profiles")) == 0, capsys.readouterr().out  # fmt: skip


def test_a_file_that_was_changed_by_hand_is_drift(images):
    file = images / "base" / "Containerfile"
    file.write_text(file.read_text() + "RUN true\n")
    (images / "gone").mkdir()
    (images / "gone" / "Containerfile").write_text("FROM x\n")
    found = rendering.differences(listing.load(images))
    assert found == [
        f"{file} is out of date: lectern images render",
        f"{images}/gone belongs to no image of {images}/images.yaml: delete it",
    ]


def test_the_bake_file_builds_every_image_from_its_base():
    bake = json.loads((ROOT / "images" / rendering.BAKE_FILE).read_text())
    targets = bake["target"]
    listed = listing.load(ROOT / "images")
    assert set(targets) == set(listed.file.images) == set(bake["group"]["default"]["targets"])
    assert targets["desktop-octave"]["contexts"] == {"lectern/desktop:1": "target:desktop"}
    assert all((ROOT / target["dockerfile"]).is_file() for target in targets.values())


def test_a_campus_gets_the_images_and_keeps_what_it_decided():
    listed = listing.load(ROOT / "images")
    text = offering.updated(listed, CAMPUS)
    assert '  datascience: {title: Ours, ref: "harbor.example.edu/lab/ds:3"}   # by hand\n' in text
    assert "ref: lectern/gpu-pytorch:1, capabilities: [gpu, tensorboard]" in text
    assert "hub" not in text
    assert offering.updated(listed, text) == text


def test_a_deprecated_image_is_said_to_the_campus_with_its_successor(images):
    file = images / "images.yaml"
    file.write_text(
        file.read_text().replace(
            "  datascience:\n", "  datascience:\n    status: deprecated\n    successor: base\n"
        )
    )
    text = offering.updated(listing.load(images), CAMPUS)
    assert "status: deprecated" in text
    assert "successor: base" in text


def test_images_with_a_gpu_go_to_the_pools_that_have_one(tmp_path):
    (tmp_path / "campus.yaml").write_text(
        "languages: [en]\n"
        "images: {cpu: {title: A, ref: 'lab/cpu:1'}, gpu: {title: B, ref: 'lab/gpu:1'}}\n"
        "gpu_pools:\n"
        "  small: {backend: hami, cards: {model: T4, memory: 15Gi, nodes: 1},"
        " node_selector: {pool: small}, tolerations: [{key: gpu}]}\n"
        "  large: {backend: hami, cards: {model: A100, memory: 40Gi, nodes: 1}}\n"
    )
    (tmp_path / "c1.yaml").write_text(
        "course: c1\ntitle: Course\ninstructors: [zhao]\n"
        "profiles:\n"
        "  a: {title: A, image: cpu, cpu: 1, memory: 1Gi}\n"
        "  b: {title: B, image: gpu, cpu: 1, memory: 1Gi, gpu: {share: 1/2, model: T4}}\n"
    )
    loaded = load(tmp_path)
    assert loaded.catalog, loaded.diagnostics
    assert prepulling.plan(loaded.catalog) == {
        "elsewhere": ["lab/cpu:1"],
        "pools": {
            "small": {
                "images": ["lab/gpu:1"],
                "node_selector": {"pool": "small"},
                "tolerations": [{"key": "gpu", "operator": "Exists"}],
            }
        },
    }


def test_an_image_that_there_is_not_is_said(capsys):
    assert run("lock", "bass", "--images", str(ROOT / "images")) == 2
    assert "there is no image bass; there are: base, hub" in capsys.readouterr().err


def test_a_broken_list_is_shown_at_its_place(tmp_path, capsys):
    (tmp_path / "images.yaml").write_text("registry: lab\ntag: 1\nimages: {}\n")
    assert run("render", "--images", str(tmp_path)) == 1
    shown = capsys.readouterr().err
    assert "images.yaml:2:6" in shown
    assert "Traceback" not in shown
