"""What an image is made of: layers, each a script with its arguments and what it may read.

Every engine makes the same layers in the same order. A layer's script lies in
``steps``; it sees the context at ``CONTEXT`` and the scripts at ``STEPS``, both read
only, and nothing else of the machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lectern_images.listing import ImageList
from lectern_images.model import ImageFile
from lectern_images.tree import EPOCH

STEPS = "/run/lectern/steps"
CONTEXT = "/run/lectern/context"
ENVIRONMENT = {
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_ROOT_USER_ACTION": "ignore",
    "PYTHONHASHSEED": "0",
    "SOURCE_DATE_EPOCH": str(EPOCH),
    "TZ": "UTC",
}
"""What every script runs with, whatever the image below sets."""

SERVER, PYTHON = "server", "python"
"""The two sets of Python packages: the server's own, and what notebooks import."""

NODE_FILES = ("package.json", "package-lock.json")

SCRIPTS = Path(__file__).parent / "steps"


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of one image."""

    script: str
    """Name of a file in ``steps``."""

    words: tuple[str, ...]
    """Its arguments. Paths of the context are seen from ``CONTEXT``."""

    reads: tuple[str, ...] = ()
    """Files and folders of the context that decide what comes out."""

    needs_network: bool = False
    """Whether it downloads what is not there by then."""


def layers(listed: ImageList, name: str) -> tuple[Layer, ...]:
    """Return the layers that an image adds to its base, in order."""
    return tuple(_layers(listed, name, listed.file.images[name]))


def _layers(listed: ImageList, name: str, image: ImageFile) -> Iterator[Layer]:
    if image.apt:
        yield Layer("apt.sh", image.apt, needs_network=True)
    for kind in (SERVER, PYTHON):
        if getattr(image, kind):
            lock = in_context(listed, lock_file(name, kind))
            yield Layer("python.sh", (kind, lock), (lock,), needs_network=True)
    for built in image.wheels:
        reads = (built.lock, *(str(Path(built.project, file)) for file in built.files))
        words = (built.lock, built.project, *built.files)
        yield Layer("wheels.sh", words, reads, needs_network=True)
    if image.node:
        folder = in_context(listed, name)
        files = tuple(f"{folder}/{file}" for file in NODE_FILES)
        yield Layer("node.sh", (folder,), files, needs_network=True)
    if image.files:
        sources = tuple(copied.source for copied in image.files)
        words = tuple(f"{copied.source}={copied.target}" for copied in image.files)
        yield Layer("files.sh", words, sources)
    if image.script:
        words = (image.script.file, *image.script.apt)
        yield Layer("script.sh", words, (image.script.file,), needs_network=True)


def lock_file(name: str, kind: str) -> str:
    """Return where a lock of an image lies, seen from the list."""
    return f"{name}/{kind}.txt"


def in_context(listed: ImageList, path: str) -> str:
    """Return a path beside the list as it is seen from the context."""
    return str((listed.folder / path).resolve().relative_to(listed.context))
