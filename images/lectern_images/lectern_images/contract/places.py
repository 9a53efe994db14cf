"""Where an image is tried: on this machine by our own engine's means, or wherever a caller has one."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from lectern_images.errors import ImageError

INSIDE = Path(__file__).parent / "inside"
PERSON, PERSON_UID, GROUP = "zhang.san@lab", 1_900_012_345, 100
"""Somebody whom no image has ever heard of."""

HOME = "/home/person"
_PATIENCE_SECONDS = 300


class Place(Protocol):
    """Runs a program of ours in an image as `PERSON`, with a read-only root and an empty home."""

    def run(
        self, script: str, words: Sequence[str] = (), python: Sequence[str] = ("python3",)
    ) -> str:
        """Return what a program of `INSIDE` prints.

        Raises:
            ImageError: when it fails, with what it said.
        """
        ...


def variables(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables that a person's server starts with."""
    own = dict(row.partition("=")[::2] for row in config.get("Env", ()))
    return {**own, "HOME": HOME, "JUPYTERHUB_USER": PERSON}


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The same kernel features as a container, from bubblewrap; needs root."""

    folder: Path
    lower: Sequence[str]
    """What the image's root is made of: folders seen from ``folder``, the lowest first."""

    config: Mapping[str, Any]

    def run(
        self, script: str, words: Sequence[str] = (), python: Sequence[str] = ("python3",)
    ) -> str:
        """Return what a program of `INSIDE` prints; see `Place`."""
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder) / "home"
            home.mkdir()
            subprocess.run(["chown", f"{PERSON_UID}:{GROUP}", home], check=True)
            command = self._command(home, [*python, f"/run/contract/{script}", *words])
            try:
                done = subprocess.run(
                    command, cwd=self.folder, capture_output=True, text=True,
                    stdin=subprocess.DEVNULL, timeout=_PATIENCE_SECONDS, check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                raise ImageError(f"{script} did not end in {_PATIENCE_SECONDS} s") from None
        if done.returncode:
            raise ImageError((done.stderr.strip() or done.stdout.strip())[-2000:])
        return done.stdout

    def _command(self, home: Path, words: Sequence[str]) -> list[str]:
        # An overlay wants two layers at least, and an image may have one.
        (home.parent / "empty").mkdir()
        lower = ":".join([*reversed(self.lower), str(home.parent / "empty")])
        mount = 'mount -t overlay -o "ro,lowerdir=$1" overlay "$2" && shift 2 && exec "$@"'
        hosts = home.parent / "hosts"
        hosts.write_text("127.0.0.1 localhost\n")
        root = home.parent / "root"
        root.mkdir()
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", mount, "sh"]
        command += [lower, str(root), "bwrap", "--ro-bind", str(root), "/"]
        command += ["--dev", "/dev", "--proc", "/proc", "--tmpfs", "/run", "--perms", "1777"]
        command += ["--tmpfs", "/tmp", "--perms", "0755", "--tmpfs", "/home"]
        command += [
            "--ro-bind",
            str(hosts),
            "/etc/hosts",
            "--bind",
            str(home),
            HOME,
            "--ro-bind",
            str(INSIDE),
            "/run/contract",
        ]
        command += [
            "--unshare-pid",
            "--as-pid-1",
            "--unshare-ipc",
            "--unshare-net",
            "--die-with-parent",
        ]
        command += ["--new-session", "--chdir", "/", "--clearenv", "--cap-drop", "ALL"]
        command += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        for name, value in variables(self.config).items():
            command += ["--setenv", name, value]
        command += ["setpriv", f"--reuid={PERSON_UID}", f"--regid={GROUP}", "--clear-groups"]
        command += ["--no-new-privs"]
        return [*command, *self.config.get("Entrypoint", ()), *words]
