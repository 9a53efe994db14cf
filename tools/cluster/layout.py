"""Where a cluster keeps its things: one folder, removed with it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The folder of one cluster."""

    folder: Path

    @property
    def logs(self) -> Path:
        """One log for each program, and the API server's audit log."""
        return self.folder / "logs"

    @property
    def certificates(self) -> Path:
        """Keys and certificates, readable by root alone."""
        return self.folder / "pki"

    @property
    def settings(self) -> Path:
        """What the programs are started with: configuration files and kubeconfigs."""
        return self.folder / "settings"

    @property
    def data(self) -> Path:
        """What the programs keep: etcd's database, containers, volumes."""
        return self.folder / "data"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's way in, from outside the namespaces."""
        return self.folder / "kubeconfig"

    @property
    def life(self) -> Path:
        """Locked by the keeper for as long as the cluster lives; says who it is."""
        return self.folder / "keeper.json"

    @property
    def control(self) -> Path:
        """The socket of `inside`."""
        return self.folder / "control"

    def kubeconfig_of(self, name: str) -> Path:
        """Return the kubeconfig of a program, for use inside the namespaces."""
        return self.settings / f"{name}.kubeconfig"

    def log(self, name: str) -> Path:
        """Return the log of a program."""
        return self.logs / f"{name}.log"

    def make(self) -> None:
        """Make the folders, closed to all other accounts."""
        for folder in (self.folder, self.logs, self.certificates, self.settings, self.data):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def cache() -> Path:
    """Return the user's cache folder for what all clusters share: programs, images, systems."""
    parent = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(parent) / "lectern" / "cluster"
