"""Build Go programs that are pinned by a go.mod and a go.sum, and keep them.

Needs Go alone; the modules come through whatever proxy the machine's Go is set up with.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cluster import kept
from cluster.errors import ClusterError

_EVERY_SECONDS = 10.0
_OLDEST = (1, 21)
"""First Go that fetches the newer one that a go.mod asks for by itself."""

_GO_FOLDER = "/usr/local/go/bin"
"""Where Go's own installer puts it, often without being on the PATH of root."""

_ENVIRONMENT = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false"}


@dataclass(frozen=True)
class Build:
    """A program to build."""

    name: str
    module: Path
    """Folder with go.mod and go.sum."""

    package: str
    minutes: float
    """How long the first build takes on two cores, for people who wait."""

    flags: tuple[str, ...] = ()
    """For the linker."""


def build(wanted: Build, folder: Path, say: Callable[[str], None]) -> Path:
    """Return the program, which is built first if it is not in ``folder`` yet.

    Raises:
        ClusterError: when there is no Go, or it could not build.
    """
    minutes = "a minute" if wanted.minutes == 1 else f"{wanted.minutes:g} minutes"
    lasts = "a few seconds" if wanted.minutes < 0.5 else f"about {minutes}"
    target = folder / f"{wanted.name}-{_digest(wanted)}"
    about = f"{wanted.name} from its sources (once; {lasts} on two cores)"
    return kept.kept(target, lambda work: _build(wanted, work / target.name, say), say, about)


def _digest(wanted: Build) -> str:
    """Return a name for all that the program is made from, our own text included."""
    files = sorted(wanted.module.glob("*.go")) + [
        wanted.module / "go.mod",
        wanted.module / "go.sum",
    ]
    parts = [repr((wanted.package, wanted.flags, _ENVIRONMENT)).encode()]
    for file in files:
        parts += [os.fsencode(file.name), file.read_bytes() if file.exists() else b""]
    return kept.digest(*parts)


def _build(wanted: Build, program: Path, say: Callable[[str], None]) -> None:
    flags = " ".join(("-s", "-w", *wanted.flags))
    command = [_go(), "build", "-v", "-ldflags", flags, "-o", str(program), wanted.package]
    _run(command, wanted, say)


def _go() -> str:
    path = shutil.which("go", path=f"{os.environ.get('PATH', os.defpath)}:{_GO_FOLDER}")
    text = (
        subprocess.run([path, "version"], capture_output=True, text=True, check=False).stdout
        if path
        else ""
    )
    version = re.search(r"go(\d+)\.(\d+)", text)
    if path and version and tuple(map(int, version.groups())) >= _OLDEST:
        return path
    have = f"this machine has {version[0]}" if version else "this machine has none"
    raise ClusterError(
        f"Kubernetes is built with Go {_OLDEST[0]}.{_OLDEST[1]} or newer, and {have}. Install one from "
        f"https://go.dev/dl, or name a cluster that runs already: KUBECONFIG=FILE"
    )


def _run(command: list[str], wanted: Build, say: Callable[[str], None]) -> None:
    """Run go, and tell now and then how far it is.

    With ``-v`` it prints a line for each package that it compiles.
    """
    told = time.monotonic()
    began, count, last = told, 0, list[str]()
    process = subprocess.Popen(
        command,
        cwd=wanted.module,
        env=os.environ | _ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    with process:
        for line in process.stderr or ():
            last = [*last[-20:], line.rstrip()]
            count += 1
            if time.monotonic() - told > _EVERY_SECONDS:
                told = time.monotonic()
                say(f"  {told - began:.0f} s: {count} packages; {line.strip()}")
    if process.returncode:
        raise ClusterError(f"go could not build {wanted.name}:\n" + "\n".join(last))
