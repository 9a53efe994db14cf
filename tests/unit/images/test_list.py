"""images.yaml: what is read, what is refused, and what each image is made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from lectern_images import describing, layers, listing
from lectern_images.model import size_bytes
from lectern_spawner.catalog import CatalogError

IMAGES = Path(__file__).resolve().parents[3] / "images"
HEAD = "registry: lab\ntag: '1'\ncontext: .\nimages:\n"
BASE = "  base: {title: Base, from: 'debian:12', size: 1 MB, apt: [git], env: {A: a, B: b}}\n"


def load(folder: Path, text: str) -> listing.ImageList:
    (folder / "images.yaml").write_text(HEAD + text, encoding="utf-8")
    return listing.load(folder)


def problems(folder: Path, text: str) -> list[tuple[str, str, str | None]]:
    with pytest.raises(CatalogError) as caught:
        load(folder, text)
    return [(item.code, item.message, item.help) for item in caught.value.diagnostics]


def test_images_inherit_from_what_they_are_made_from(tmp_path):
    text = BASE + (
        "  more: {title: More, from: base, size: 2 MB, env: {B: c}, capabilities: [desktop]}\n"
        "  most: {title: Most, from: more, size: 3 MB, capabilities: [octave], command: [x]}\n"
    )
    listed = load(tmp_path, text)
    assert listed.line("most") == ("base", "more", "most")
    assert listed.all_of("most", "capabilities") == ("desktop", "octave")
    assert listed.environment("most") == {"A": "a", "B": "c"}
    assert listed.last_of("most", "command") == ("x",)
    assert listed.reference("most") == "lab/most:1"
    assert describing.labels(listed, "most")["org.opencontainers.image.base.name"] == "lab/more:1"


def test_an_image_comes_after_its_base_whatever_the_order_of_the_file(tmp_path):
    text = "  late: {title: Late, from: base, size: 1 MB}\n" + BASE
    assert load(tmp_path, text).order == ("base", "late")


@pytest.mark.parametrize(
    ("image", "code", "words", "help_"),
    [
        ("{title: T, from: bass, size: 1 MB}", "LEC301", "unknown image `bass`", "base"),
        ("{title: T, from: x, size: 1 MB}", "LEC109", "made from itself: x -> x", None),
        ("{title: T, from: base, size: 1 MiB}", "LEC109", "must be a size", None),
        ("{title: T, from: base, size: 1.2.3 GB}", "LEC109", "must be a size", None),
        ("{title: T, from: base, size: 1 MB, tests: [x]}", "LEC104", "", None),
        ("{title: T, from: base, size: 1 MB, pip: [x]}", "LEC101", "", None),
        ("{title: T, from: base, size: 1 MB, status: deprecated, successor: y}", "LEC301",
         "unknown image `y`", None),
        ("{title: T, from: base, size: 1 MB, files: [{from: gone, to: /}]}", "LEC109",
         "there is no `gone`", None),
        ("{title: T, from: base, size: 1 MB, script: {file: lost.sh}}", "LEC109",
         "there is no `lost.sh`", None),
        ("{title: T, from: base, size: 1 MB, files: [{from: /etc/passwd, to: /x}]}", "LEC109",
         "`/etc/passwd` does not lie in the context", None),
        ("{title: T, from: base, size: 1 MB, files: [{from: ../x, to: /x}]}", "LEC109",
         "`../x` does not lie in the context", None),
        ("{title: T, from: base, size: 1 MB, files: [{from: images.yaml, to: x y}]}", "LEC109",
         "must be a folder of the image", None),
        ("{title: T, from: base, size: 1 MB, env: {A B: c}}", "LEC109", "name of a variable", None),
        ("{title: T, from: base, size: 1 MB, apt: ['-o x']}", "LEC109", "Debian package", None),
        ("{title: T, from: base, size: 1 MB, python: ['-r /etc/passwd']}", "LEC109",
         "Python package", None),
        ("{title: T, from: base, size: 1 MB, node: [is-odd]}", "LEC109", "its version", None),
        ("{title: T, from: base, size: 1 MB, successor: base}", "LEC109",
         "only a deprecated image", "status: deprecated"),
        ("{title: T, from: base, size: 1 MB, status: deprecated, successor: x}", "LEC109",
         "cannot come after itself", None),
        ("{title: T, from: 'debian:latest', size: 1 MB}", "LEC301", "debian:latest", "debian:12"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_at_its_place(tmp_path, image, code, words, help_):
    found = problems(tmp_path, f"{BASE}  x: {image}\n")
    assert any(
        code == row[0] and words in row[1] and (help_ or "") in (row[2] or "") for row in found
    ), found


def test_an_image_of_a_registry_needs_a_digest(tmp_path):
    digest = "a" * 64
    good = f"  x: {{title: T, from: 'quay.io/jupyter/base-notebook@sha256:{digest}', size: 1 MB}}\n"
    assert load(tmp_path, good).order
    (code, *_), *_ = problems(tmp_path, good.replace(f"@sha256:{digest}", ":latest"))
    assert code == "LEC301"


@pytest.mark.parametrize(("text", "value"), [("650 MB", 650_000_000), ("1.6 GB", 1_600_000_000)])
def test_sizes_are_decimal(text, value):
    assert size_bytes(text) == value


def test_each_kind_of_content_is_a_layer_that_reads_only_what_it_needs():
    listed = listing.load(IMAGES)
    made = layers.layers(listed, "base")
    assert [layer.script for layer in made] == ["apt.sh", "python.sh", "python.sh", "files.sh"]
    assert made[1].reads == ("images/base/server.txt",)
    assert [layer.needs_network for layer in made] == [True, True, True, False]


def test_the_scripts_of_all_layers_exist():
    listed = listing.load(IMAGES)
    for name in listed.file.images:
        for layer in layers.layers(listed, name):
            assert (layers.SCRIPTS / layer.script).is_file()
            assert all((listed.context / path).exists() for path in layer.reads)
