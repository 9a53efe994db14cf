"""Locks of Python packages: one for each set of packages that a layer adds, with hashes.

A layer's lock holds only what the layers below do not have yet, in versions that go
with theirs. Addresses of indexes are never written.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lectern_images.errors import ImageError
from lectern_images.layers import PYTHON, SERVER, lock_file
from lectern_images.listing import LIST_FILE, ImageList
from lectern_images.wheels import Pin, pins

PYTHON_VERSION = "3.11"
"""Of the Debian that images are made from."""

PLATFORM = "x86_64-manylinux_2_36"
_HEADER = """\
# What the image {name} adds for {whom}.
# Pinned with hashes; made by `lectern images lock` from images.yaml.
"""
_WHOM = {SERVER: "the server", PYTHON: "notebooks"}


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock of one image."""

    image: str
    kind: str
    path: Path
    wanted: tuple[str, ...]
    """Direct requirements."""


def locks(listed: ImageList) -> Iterator[Lock]:
    """Yield the locks of a list, each after those of the images below."""
    for name in listed.order:
        image = listed.file.images.get(name)
        for kind in (SERVER, PYTHON):
            if image and (wanted := getattr(image, kind)):
                yield Lock(name, kind, listed.folder / lock_file(name, kind), wanted)


def below(listed: ImageList, lock: Lock) -> list[Pin]:
    """Return what the images below have of the same set.

    Raises:
        ImageError: when one of their locks is not there.
    """
    found: list[Pin] = []
    for other in locks(listed):
        if other.kind == lock.kind and other.image in listed.line(lock.image)[:-1]:
            found += pins(read(other))
    return found


def missing(lock: Lock) -> str:
    """Return what to say of a lock that is not there, and what helps."""
    return f"{lock.path} is missing: lectern images lock {lock.image}"


def read(lock: Lock) -> str:
    """Return a lock's text.

    Raises:
        ImageError: when it is not there.
    """
    try:
        return lock.path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ImageError(missing(lock)) from None


def resolve_node(listed: ImageList, name: str) -> Path:
    """Work out the lock of an image's npm packages anew, and return where it lies.

    Raises:
        ImageError: when npm is missing or finds no such set of versions.
    """
    folder = listed.folder / name
    folder.mkdir(exist_ok=True)
    pairs = (word.rpartition("@")[::2] for word in listed.file.images[name].node)
    package = {"name": f"image-{name}", "private": True, "dependencies": dict(pairs)}
    text = json.dumps(package, indent=2, ensure_ascii=False) + "\n"
    (folder / "package.json").write_text(text, encoding="utf-8")
    npm = shutil.which("npm")
    if not npm:
        raise ImageError("npm is missing: apt-get install npm")
    done = subprocess.run(
        [npm, "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund",
         "--omit-lockfile-registry-resolved"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ImageError(f"package-lock.json of {name}: {done.stderr.strip()}")
    return folder / "package-lock.json"


def jupyterhub(listed: ImageList) -> str:
    """Return the version of JupyterHub that the images of a list have.

    Raises:
        ImageError: when none has one.
    """
    for lock in locks(listed):
        if lock.kind == SERVER:
            for pin in pins(read(lock)):
                if pin.name == "jupyterhub":
                    return pin.version
    raise ImageError("no image of the list has JupyterHub")


def resolve(listed: ImageList, lock: Lock, arguments: Iterable[str]) -> None:
    """Work a lock out anew; what it has stays unless it must change.

    Args:
        listed: the list.
        lock: which.
        arguments: given on to uv, such as ``--upgrade``.

    Raises:
        ImageError: when there is no such set of versions.
    """
    inherited = below(listed, lock)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        fixed = work / "below.txt"
        fixed.write_text("".join(f"{pin.name}=={pin.version}\n" for pin in inherited))
        result = work / "lock.txt"
        if lock.path.exists():
            shutil.copy(lock.path, result)
        command: list[str | Path] = [_uv(), "pip", "compile", "-", "--output-file", result]
        command += ["--python-version", PYTHON_VERSION, "--python-platform", PLATFORM]
        command += ["--only-binary", ":all:", "--generate-hashes", "--no-header", "--quiet"]
        command += ["--no-annotate", "--constraints", fixed, *_common(listed), *arguments]
        done = subprocess.run(
            command,
            input="\n".join([*lock.wanted, *_requirements_below(listed, lock)]),
            text=True,
            stderr=subprocess.PIPE,
            check=False,
        )
        if done.returncode:
            note = f"; {listed.file.constraints} gives the hub's versions" * bool(
                listed.file.constraints and listed.file.constraints in done.stderr
            )
            raise ImageError(
                f"{listed.folder / LIST_FILE}, {lock.kind} of {lock.image}: "
                f"{done.stderr.strip()}{note}"
            )
        _write(lock, result.read_text(encoding="utf-8"), inherited)


def _requirements_below(listed: ImageList, lock: Lock) -> list[str]:
    """Return what the images below want, so that this layer cannot break it."""
    line = listed.line(lock.image)[:-1]
    return [item for name in line for item in getattr(listed.file.images[name], lock.kind)]


def _common(listed: ImageList) -> list[str | Path]:
    """Return the options that give packages of the hub the hub's versions."""
    options: list[str | Path] = []
    if listed.file.constraints:
        constraints = listed.folder / listed.file.constraints
        options += ["--constraints", constraints]
        excludes = constraints.parent / "excludes.txt"
        options += ["--excludes", excludes] if excludes.exists() else []
    return options


def _write(lock: Lock, text: str, inherited: list[Pin]) -> None:
    known = {pin.name for pin in inherited}
    added = [pin.text.rstrip() for pin in pins(text) if pin.name not in known]
    header = _HEADER.format(name=lock.image, whom=_WHOM[lock.kind])
    lock.path.parent.mkdir(exist_ok=True)
    lock.path.write_text(header + "\n".join([*added, ""]), encoding="utf-8")


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    if found := str(beside) if beside.exists() else shutil.which("uv"):
        return found
    raise ImageError("uv is missing: pip install uv")
