"""The engines of others: the rendered files, handed to docker buildx or buildah.

They make the same images from the same scripts; only our own engine promises the same
bytes on every machine.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lectern_images import building, debian, oci, rendering, wheels
from lectern_images.errors import ImageError
from lectern_images.layers import in_context
from lectern_images.listing import ImageList
from lectern_images.model import DEBIAN
from lectern_images.tree import EPOCH

AUTO, OWN, DOCKER, BUILDAH = "auto", "own", "docker", "buildah"
NAMES = (AUTO, OWN, DOCKER, BUILDAH)
LOCAL_DEBIAN = f"localhost/{DEBIAN}"
"""Our own first layer as an image, for machines whose engine reaches no registry."""


@dataclass(frozen=True, slots=True)
class Job:
    """What an engine is to build."""

    listed: ImageList
    names: Sequence[str]
    own_debian: Callable[[], oci.Image]
    """Makes the image that all others are made from, where it cannot be fetched."""

    say: Callable[[str], None]


def choose(wish: str) -> str:
    """Return the engine to use: the one that was asked for, else what this machine has.

    Raises:
        ImageError: when the one that was asked for is not there.
    """
    there = {DOCKER: _has_buildx(), BUILDAH: bool(shutil.which("buildah")), OWN: True}
    if wish == AUTO:
        return next(name for name, is_there in there.items() if is_there)
    if not there[wish]:
        raise ImageError(
            f"{wish} is not there, or does not answer; "
            f"--engine {OWN} needs nothing but Debian's packages"
        )
    return wish


def _has_buildx() -> bool:
    return bool(shutil.which("docker")) and _succeeds("docker", "buildx", "inspect")


def build(job: Job, engine: str) -> None:
    """Build images with somebody else's engine, where its own images are kept.

    Raises:
        ImageError: when the rendered files are out of date, or the engine fails.
    """
    if found := rendering.differences(job.listed):
        raise ImageError(found[0])
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        {DOCKER: _build_with_docker, BUILDAH: _build_with_buildah}[engine](job, work)


def _secrets(folder: Path) -> Mapping[str, Path]:
    """Return files by which a build has its packages from where this machine does."""
    authorities = wheels.AUTHORITIES_INSIDE if wheels.AUTHORITIES.exists() else ""
    pip = {
        key.removeprefix("PIP_").lower().replace("_", "-"): value
        for key, value in wheels.pip_settings().items()
        if key.startswith("PIP_")
    }
    npm = {key.removeprefix("npm_config_"): value for key, value in building.npm_settings().items()}
    npm |= {"cafile": authorities} if authorities else {}
    texts = {
        "apt": debian.sources_or_nothing(),
        "pip": "\n".join(["[global]", *(f"{key} = {value}" for key, value in pip.items()), ""]),
        "npm": "".join(f"{key}={value}\n" for key, value in npm.items()),
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    found = {name: folder / name for name in texts}
    return found | ({"authorities": wheels.AUTHORITIES.resolve()} if authorities else {})


def _build_with_docker(job: Job, work: Path) -> None:
    file = job.listed.folder / rendering.BAKE_FILE
    command: list[str | Path] = ["docker", "buildx", "bake", "--file", file, "--load"]
    for name, path in _secrets(work).items():
        command += ["--set", f"*.secrets=id={name},src={path}", "--allow", f"fs.read={path}"]
    if not _succeeds("docker", "buildx", "imagetools", "inspect", f"{DEBIAN}-slim"):
        image, layout = job.own_debian(), work / "debian"
        oci.write_layout([image], layout)
        command += ["--allow", f"fs.read={layout}"]
        command += ["--set", f"*.contexts.{DEBIAN}-slim=oci-layout://{layout}@{image.digest}"]
    _run([*command, *job.names], job.listed.context)


def _build_with_buildah(job: Job, work: Path) -> None:
    lacks_debian = not _is_kept(LOCAL_DEBIAN)
    if lacks_debian and not _succeeds("buildah", "pull", "--quiet", f"{DEBIAN}-slim"):
        archive = work / "debian.tar"
        oci.write_archive([job.own_debian()], archive)
        _run(["buildah", "pull", "--quiet", f"oci-archive:{archive}"], work)
    secrets = [f"--secret=id={name},src={path}" for name, path in _secrets(work).items()]
    for name in dict.fromkeys(image for wish in job.names for image in job.listed.line(wish)):
        job.say(f"{name}: buildah bud")
        _run([*_buildah(job.listed, name), *secrets, "."], job.listed.context)


def _buildah(listed: ImageList, name: str) -> list[str | Path]:
    """Return the command that builds one image from its base, but for where packages come from."""
    command: list[str | Path] = ["buildah", "bud", "--format", "oci", "--layers", "--force-rm"]
    command += ["--timestamp", str(EPOCH), "--isolation", "chroot", "--network", "host"]
    base = listed.file.images[name].base
    if base in listed.file.images:
        command += ["--pull-never"]
    elif base == DEBIAN and _is_kept(LOCAL_DEBIAN):
        command += ["--pull-never", "--build-arg", f"BASE={LOCAL_DEBIAN}"]
    file = listed.context / in_context(listed, f"{name}/Containerfile")
    return [*command, "--file", file, "--tag", listed.reference(name)]


def _is_kept(reference: str) -> bool:
    return _succeeds("buildah", "images", "--quiet", reference)


def _succeeds(*command: str) -> bool:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.returncode == 0


def _run(command: Sequence[str | Path], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise ImageError(f"{command[0]} ended with exit code {done.returncode}; it says why above")
