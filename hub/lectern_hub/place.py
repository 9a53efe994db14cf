"""Where one hub lies on its machine: campus folder, state folder, address.

Made by `up` (or by the environment of a container) and read by `configure`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_CAMPUS = "LECTERN_CAMPUS_DIR"
_STATE = "LECTERN_STATE_DIR"
_SETTINGS = "LECTERN_SETTINGS"
_PORT = "LECTERN_PORT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Folders and port of one hub."""

    campus: Path
    """Folder with `campus.yaml` and the course files."""

    state: Path
    """Folder with everything that the hub must not lose."""

    settings: Path | None = None
    """`lectern.yaml`, where there is one."""

    port: int | None = None
    """Public port, where `up` has chosen one."""

    @property
    def password_file(self) -> Path:
        """Where generated passwords lie."""
        return self.state / "passwords.yaml"

    @property
    def log_file(self) -> Path:
        """Where the hub writes its log."""
        return self.state / "logs" / "hub.log"

    @property
    def ports_file(self) -> Path:
        """Where the ports are kept that running servers know."""
        return self.state / "ports.json"

    @property
    def proxy_pid_file(self) -> Path:
        """Where JupyterHub writes the proxy's process id."""
        return self.state / "proxy.pid"

    def to_environment(self) -> None:
        """Hand this place to `jupyterhub_config.py`."""
        os.environ[_CAMPUS] = str(self.campus)
        os.environ[_STATE] = str(self.state)
        os.environ[_SETTINGS] = str(self.settings or "")
        os.environ[_PORT] = str(self.port or "")

    @classmethod
    def from_environment(cls) -> Place:
        """Return the place that the environment names.

        Raises:
            KeyError: when `LECTERN_CAMPUS_DIR` or `LECTERN_STATE_DIR` is missing.
        """
        settings, port = os.environ.get(_SETTINGS, ""), os.environ.get(_PORT, "")
        return cls(
            campus=Path(os.environ[_CAMPUS]),
            state=Path(os.environ[_STATE]),
            settings=Path(settings) if settings else None,
            port=int(port) if port else None,
        )
