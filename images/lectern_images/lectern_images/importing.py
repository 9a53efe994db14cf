"""An image that somebody else has built, into the registry of a campus.

skopeo copies it, whatever form it has; then it is held to the same contracts as ours,
and what is missing is told with what helps.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lectern_images import contents, progress
from lectern_images.contract import files, trying
from lectern_images.contract.places import Place, Sandbox
from lectern_images.errors import ImageError

_TAG = "imported"
_TRANSPORTS = ("docker://", "oci-archive:", "docker-archive:", "oci:", "dir:")
_SINGLEUSER = re.compile(r"(usr/local|usr|opt/[^/]+)/bin/jupyterhub-singleuser")
_TARGET = re.compile(r"[\w.-]+(:[0-9]+)?(/[a-z0-9._-]+)+:[\w][\w.-]{0,127}")
_UNREACHED = re.compile(
    r"connection refused|no such host|i/o timeout|no route to host|x509: [^\"]*"
    r"|server gave HTTP response to HTTPS client"
)
_RECORD = re.compile(r"(.*)/jupyterhub-([0-9][^/-]*)\.dist-info/METADATA")


@dataclass(frozen=True, slots=True)
class Found:
    """An image as it was handed over."""

    layers: tuple[Path, ...]
    config: Mapping[str, Any]
    """Keys of its ``config``: Entrypoint, Cmd, Env, User, Labels."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong with an image, and what helps."""

    problem: str
    remedy: str
    is_fatal: bool = True


@dataclass(frozen=True, slots=True)
class Wish:
    """What shall be imported, and where to."""

    source: str
    target: str
    """Whole name in the campus's registry, with a tag."""

    is_insecure: bool
    """Whether registries may speak HTTP, or have a certificate that nobody vouches for."""

    jupyterhub: str
    """Version that the hub has."""

    say: Callable[[str], None]


def imported(wish: Wish) -> str | None:
    """Copy an image into a registry if it keeps what it must.

    Returns:
        The lines for campus.yaml; None when the image was refused.

    Raises:
        ImageError: when it cannot be had, read, tried or written.
    """
    _must_be_a_target(wish)
    with tempfile.TemporaryDirectory() as folder:
        layout = Path(folder) / "layout"
        unverified = ["--src-tls-verify=false"] if wish.is_insecure else []
        with progress.ticking(wish.say, f"copying {wish.source}"):
            copy(source_of(wish.source), f"oci:{layout}:{_TAG}", unverified)
        found = read_layout(layout)
        with progress.ticking(wish.say, "trying the image"):
            findings = list(looked_at(found, wish.jupyterhub))
            if not any(row.is_fatal for row in findings):
                findings += _findings(found, layout, Path(folder))
        for row in findings:
            wish.say(f"{'problem' if row.is_fatal else 'note'}: {row.problem}\n  {row.remedy}")
        if any(row.is_fatal for row in findings):
            return None
        digest = Path(folder) / "digest"
        options = ["--digestfile", str(digest)]
        options += ["--dest-tls-verify=false"] if wish.is_insecure else []
        with progress.ticking(wish.say, f"copying it to {wish.target}"):
            copy(f"oci:{layout}:{_TAG}", f"docker://{wish.target}", options)
        name = wish.target.rpartition("/")[2].partition(":")[0]
        return entry(name, f"{wish.target}@{digest.read_text().strip()}", found)


def _findings(found: Found, layout: Path, work: Path) -> Iterator[Finding]:
    """Yield what comes of the contracts."""
    for problem in files.problems(contents.entries(found.layers), None):
        yield Finding(problem, "remove it in the layer that brings it", is_fatal="holds" in problem)
    unpack(layout, _TAG, work / "root")
    for result in tried(found, Sandbox(work, ["root"], found.config)):
        if result.problem:
            yield Finding(result.problem, f"its contract is `{result.contract}`")


def _must_be_a_target(wish: Wish) -> None:
    """Look at where the image shall go before minutes are spent on it.

    Raises:
        ImageError: when that is no name with a tag, or no registry answers there.
    """
    if not _TARGET.fullmatch(wish.target):
        raise ImageError(
            f"{wish.target} is no name in a registry with a tag, such as harbor.example.edu/lab/x:1"
        )
    options = ["--tls-verify=false"] if wish.is_insecure else []
    name = wish.target.rpartition(":")[0]
    command = ["skopeo", "list-tags", *options, f"docker://{name}"]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    said = done.stderr.strip()
    # A registry that does not know the name yet answers too.
    if done.returncode and (found := _UNREACHED.search(said)):
        hint = "; --insecure lets it speak HTTP" if "HTTP response" in said else ""
        raise ImageError(f"the registry of {wish.target} does not answer: {found[0]}{hint}")


def source_of(word: str) -> str:
    """Return an image as skopeo names it.

    Args:
        word: a file, a reference in a registry, or one of skopeo's own names.

    Raises:
        ImageError: when a file is no image.
    """
    if word.startswith(_TRANSPORTS):
        return word
    path = Path(word)
    if path.is_dir() and (path / "oci-layout").exists():
        return f"oci:{path}"
    if not path.exists():
        if word.startswith((".", "/", "~")) or path.suffix in (".tar", ".gz", ".tgz"):
            raise ImageError(f"there is no file {word}")
        return f"docker://{word}"
    try:
        with tarfile.open(path) as archive:
            names = {name.removeprefix("./") for name in archive.getnames()}
    except (tarfile.TarError, OSError):
        names = set()
    for name, transport in (("oci-layout", "oci-archive"), ("manifest.json", "docker-archive")):
        if name in names:
            return f"{transport}:{path}"
    raise ImageError(
        f"{word} is neither an OCI nor a Docker archive, or ends early: docker save makes one"
    )


def copy(source: str, target: str, options: Sequence[str] = ()) -> None:
    """Copy an image with skopeo.

    Raises:
        ImageError: when it is not there or cannot be written, in skopeo's words.
    """
    if not shutil.which("skopeo"):
        raise ImageError("skopeo is missing: apt-get install skopeo")
    done = subprocess.run(
        ["skopeo", "--insecure-policy", "copy", "--quiet", *options, source, target],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        raise ImageError(f"{source} could not be copied to {target}: {_message(lines[-1])}")


def _message(line: str) -> str:
    """Return the words of a line of skopeo's log."""
    match = re.search(r'msg="(.*)"$', line)
    return match[1].replace('\\"', '"') if match else line


def read_layout(folder: Path) -> Found:
    """Return the one image of an OCI layout.

    Raises:
        ImageError: when it is for another kind of processor.
    """

    def blob(row: Mapping[str, Any]) -> Path:
        return folder / "blobs" / str(row["digest"]).replace(":", "/")

    index = json.loads((folder / "index.json").read_text())
    manifest = json.loads(blob(index["manifests"][0]).read_text())
    about = json.loads(blob(manifest["config"]).read_text())
    if about.get("architecture", "amd64") != "amd64":
        raise ImageError(f"the image is for {about['architecture']}; our nodes are amd64")
    return Found(tuple(blob(row) for row in manifest["layers"]), about.get("config") or {})


def unpack(layout: Path, tag: str, target: Path) -> None:
    """Unpack an image as whoever runs it would see it; needs root.

    Raises:
        ImageError: when umoci is missing or refuses the image.
    """
    if not shutil.which("umoci"):
        raise ImageError("umoci is missing: apt-get install umoci")
    done = subprocess.run(
        ["umoci", "raw", "unpack", "--image", f"{layout}:{tag}", str(target)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ImageError(f"the image cannot be unpacked: {done.stderr.strip()}")


def looked_at(found: Found, wanted: str) -> Iterator[Finding]:
    """Yield what is wrong with an image by its files and settings.

    Args:
        found: the image.
        wanted: JupyterHub's version that the hub has.
    """
    paths = {entry.path for entry in contents.entries(found.layers)}
    if not any(_SINGLEUSER.fullmatch(path) for path in paths):
        yield Finding(
            "it has no jupyterhub-singleuser, so the hub cannot start it",
            f"add a layer: FROM this image, RUN pip install jupyterhub=={wanted} jupyterlab",
        )
    versions = {match[2] for path in paths if (match := _RECORD.fullmatch(path))}
    for version in sorted(versions):
        if version.split(".")[:2] != wanted.split(".")[:2]:
            yield Finding(
                f"it has JupyterHub {version}, and the hub has {wanted}",
                f"add a layer: RUN pip install jupyterhub=={wanted}",
            )
    if found.config.get("User", "") in ("", "0", "root", "0:0"):
        yield Finding(
            "it runs as root unless somebody says otherwise",
            "servers run with the person's own uid anyhow; add USER 1000:100 for other uses",
            is_fatal=False,
        )


def tried(found: Found, place: Place) -> Iterator[trying.Result]:
    """Yield the contracts that an imported image is held to."""
    own = (found.config.get("Labels") or {}).get("org.lectern.tests")
    yield from trying.kept(own.split(",") if own else [trying.FOREIGN], place)


def entry(name: str, reference: str, found: Found) -> str:
    """Return the lines for `images:` of campus.yaml."""
    labels = found.config.get("Labels") or {}
    rows = [f"  {name}:", f"    title: {labels.get('org.opencontainers.image.title', name)}"]
    rows.append(f"    ref: {reference}")
    if capabilities := labels.get("org.lectern.capabilities"):
        rows.append(f"    capabilities: [{', '.join(capabilities.split(','))}]")
    return "\n".join(["images:", *rows, ""])
