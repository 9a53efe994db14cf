"""Run one step of an image: on an overlay, in namespaces of its own, seeing little of the machine.

The overlay is mounted in a mount namespace that ends with the step, so nothing is left
of it if the build is killed. bubblewrap does the rest.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lectern_images.errors import ImageError
from lectern_images.layers import ENVIRONMENT

_MOUNT = (
    'mount -t overlay -o "lowerdir=$1,upperdir=$2,workdir=$3" overlay "$4" && shift 4 && exec "$@"'
)
_NETWORK_FILES = ("/etc/resolv.conf", "/etc/hosts")
_LAST_LINES = 30


@dataclass(frozen=True, slots=True)
class Step:
    """What runs, and what it may see beside the image."""

    words: Sequence[str]
    reads: Mapping[str, Path] = field(default_factory=dict)
    """Places in the sandbox and what is shown there, read only."""

    writes: Mapping[str, Path] = field(default_factory=dict)
    """The same, for folders that it may write to."""

    variables: Mapping[str, str] = field(default_factory=dict)
    has_network: bool = False


def run(store: Path, lower: Sequence[str], work: Path, step: Step) -> None:
    """Run a step on top of some layers.

    Args:
        store: folder below which the layers lie.
        lower: the layers' folders, the topmost first, seen from the store: an overlay's
            options hold no more than a page.
        work: gets ``upper``, the folder with what the step has changed.
        step: what to run.

    Raises:
        ImageError: when it failed, with its last lines.
    """
    for name in ("upper", "work", "root"):
        (work / name).mkdir()
    inner = str(work.relative_to(store))
    overlay = [":".join(lower), f"{inner}/upper", f"{inner}/work", f"{inner}/root"]
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _MOUNT, "sh"]
    execute([*command, *overlay, *bubblewrap(f"{inner}/root", step)], store)


def bubblewrap(root: str, step: Step) -> list[str]:
    """Return the command that runs a step with a folder as its root."""
    words = ["bwrap", "--bind", root, "/", "--dev", "/dev", "--proc", "/proc"]
    words += ["--tmpfs", "/tmp", "--tmpfs", "/run", "--die-with-parent", "--new-session"]
    words += ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--hostname", "build"]
    words += ["--cap-add", "ALL", "--clearenv"]
    if step.has_network:
        for file in _NETWORK_FILES:
            words += ["--ro-bind", os.path.realpath(file), file]
    else:
        words += ["--unshare-net"]
    for place, path in step.reads.items():
        words += ["--ro-bind", str(path), place]
    for place, path in step.writes.items():
        words += ["--bind", str(path), place]
    for name, value in {**ENVIRONMENT, **step.variables}.items():
        words += ["--setenv", name, value]
    return [*words, *step.words]


def execute(command: Sequence[str], folder: Path) -> None:
    """Run a command in a folder.

    Raises:
        ImageError: when it cannot be started or fails.
    """
    if not shutil.which(command[0]):
        raise ImageError(f"{command[0]} is missing: apt-get install {_PACKAGES[command[0]]}")
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        umask=0o022,
    )
    if done.returncode:
        lines = done.stdout.splitlines()[-_LAST_LINES:]
        raise ImageError("\n".join([f"it ended with exit code {done.returncode}:", *lines]))


_PACKAGES = {"unshare": "util-linux", "bwrap": "bubblewrap", "mmdebstrap": "mmdebstrap"}
