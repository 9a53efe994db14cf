"""The engines of others: the rendered files, handed to docker buildx or buildah.

They make the same images from the same scripts; only our own engine promises the same
bytes on every machine.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from lectern_images import debian, rendering, wheels
from lectern_images.errors import ImageError
from lectern_images.layers import in_context
from lectern_images.listing import DEBIAN, ImageList
from lectern_images.tree import EPOCH

AUTO, OWN, DOCKER, BUILDAH = "auto", "own", "docker", "buildah"
NAMES = (AUTO, OWN, DOCKER, BUILDAH)
LOCAL_DEBIAN = f"localhost/{DEBIAN}"
"""Our own first layer as an image, for machines whose buildah reaches no registry."""


def choose(wish: str) -> str:
    """Return the engine to use: the one that was asked for, else what this machine has.

    Raises:
        ImageError: when the one that was asked for is not there.
    """
    there = {DOCKER: _has_buildx(), BUILDAH: bool(shutil.which("buildah")), OWN: True}
    if wish == AUTO:
        return next(name for name, is_there in there.items() if is_there)
    if not there[wish]:
        raise ImageError(f"{wish} is not there; --engine {OWN} needs nothing but Debian's packages")
    return wish


def _has_buildx() -> bool:
    if not shutil.which("docker"):
        return False
    done = subprocess.run(["docker", "buildx", "inspect"], capture_output=True, check=False)
    return done.returncode == 0


def build(listed: ImageList, names: Sequence[str], engine: str, say: Callable[[str], None]) -> None:
    """Build images with somebody else's engine, where its own images are kept.

    Raises:
        ImageError: when the rendered files are out of date, or the engine fails.
    """
    if found := rendering.differences(listed):
        raise ImageError(f"{found[0]}: lectern images render")
    if engine == DOCKER:
        file = listed.folder / rendering.BAKE_FILE
        _run(["docker", "buildx", "bake", "--file", file, "--load", *names], listed.context)
        return
    line = dict.fromkeys(image for name in names for image in listed.line(name))
    with tempfile.TemporaryDirectory() as folder:
        options = _machine_options(Path(folder))
        for name in line:
            say(f"{name}: buildah bud")
            _run([*_buildah(listed, name), *options, "."], listed.context)


def _machine_options(folder: Path) -> list[str]:
    """Return the options with which a build has its packages from where this machine does."""
    (folder / "apt").write_text(debian.sources_or_nothing())
    settings = {
        key.removeprefix("PIP_").lower().replace("_", "-"): value
        for key, value in wheels.machine_settings().items()
        if key.startswith("PIP_")
    }
    options: list[str] = []
    if wheels.AUTHORITIES.exists():
        settings["cert"] = wheels.AUTHORITIES_INSIDE
        options += ["--volume", f"{wheels.AUTHORITIES.resolve()}:{wheels.AUTHORITIES_INSIDE}:ro"]
    lines = ["[global]", *(f"{key} = {value}" for key, value in settings.items()), ""]
    (folder / "pip").write_text("\n".join(lines))
    for name in ("apt", "pip"):
        options += ["--secret", f"id={name},src={folder / name}"]
    return options


def lacks_debian() -> bool:
    """Whether buildah can neither find nor fetch the image that all others are made from."""
    if _is_kept(LOCAL_DEBIAN):
        return False
    command = ["buildah", "pull", "--quiet", f"{DEBIAN}-slim"]
    return subprocess.run(command, capture_output=True, check=False).returncode != 0


def take(archive: Path) -> None:
    """Let buildah know the images of an archive of ours."""
    _run(["buildah", "pull", "--quiet", f"oci-archive:{archive}"], archive.parent)


def _buildah(listed: ImageList, name: str) -> list[str | Path]:
    """Return the command that builds one image from its base, but for where packages come from."""
    command: list[str | Path] = ["buildah", "bud", "--format", "oci", "--layers", "--quiet"]
    command += ["--timestamp", str(EPOCH), "--isolation", "chroot", "--network", "host"]
    base = listed.file.images[name].base
    if base in listed.file.images:
        command += ["--pull-never"]
    elif base == DEBIAN and _is_kept(LOCAL_DEBIAN):
        command += ["--pull-never", "--build-arg", f"BASE={LOCAL_DEBIAN}"]
    file = listed.context / in_context(listed, f"{name}/Containerfile")
    return [*command, "--file", file, "--tag", listed.reference(name)]


def _is_kept(reference: str) -> bool:
    command = ["buildah", "images", "--quiet", reference]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _run(command: Sequence[str | Path], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise ImageError(f"{command[0]} ended with exit code {done.returncode}; it says why above")
