"""Choose and tune JupyterHub's database.

SQLite in WAL mode halves the hub's work at a start, measured against its
default; `synchronous = NORMAL` may lose the last commits in a power cut and
never corrupts, which is right for what JupyterHub keeps. Uids are kept
elsewhere, with every commit on disk (see `lectern_spawner.accounts`).
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

# File systems on which SQLite's locks and shared memory do not work reliably.
# Source: sqlite.org, "Write-Ahead Logging", section "Disadvantages".
NETWORK_FILE_SYSTEMS = frozenset(
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "9p",
        "afs",
        "ceph",
        "glusterfs",
        "fuse.glusterfs",
        "fuse.sshfs",
        "lustre",
        "gpfs",
        "beegfs",
        "orangefs",
        "fuse.s3fs",
        "fuse.rclone",
    ]
)


class NetworkDiskError(Exception):
    """SQLite was about to be put on a network file system."""


class DatabaseError(Exception):
    """JupyterHub's database cannot be used; the text says which and why."""


def must_answer(url: str) -> None:
    """Connect to a database once, so that a mistake is told before the hub starts.

    Args:
        url: as SQLAlchemy takes it; an SQLite file need not be there yet.

    Raises:
        DatabaseError: when it cannot be reached or read. The text shows no password.
    """
    place = make_url(url)
    if place.get_backend_name() == "sqlite" and not Path(place.database or "").exists():
        return
    tune_sqlite()
    try:
        engine = create_engine(place)
        try:
            engine.connect().close()
        finally:
            engine.dispose()
    except (SQLAlchemyError, sqlite3.Error, ImportError) as error:
        why = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise DatabaseError(f"the database {place!r} cannot be used: {why}") from error


def sqlite_url(state: Path) -> str:
    """Return the URL of the SQLite database in a state folder.

    Raises:
        NetworkDiskError: when the folder lies on a network file system.
    """
    kind = file_system(state)
    if kind in NETWORK_FILE_SYSTEMS:
        raise NetworkDiskError(
            f"{state} lies on a network file system ({kind}), where SQLite loses data. "
            "Choose a local folder with --state, or a PostgreSQL database with `database:` in "
            "lectern.yaml"
        )
    return f"sqlite:///{state / 'jupyterhub.sqlite'}"


def file_system(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """Return the type of the file system that a folder lies on, such as ``ext4``.

    Source: proc(5), mountinfo.
    """
    place = folder.resolve()
    best, kind = Path("/"), ""
    for line in mounts.read_text().splitlines():
        fields = line.split(" ")
        mounted = Path(_unescaped(fields[4]))
        if place.is_relative_to(mounted) and len(mounted.parts) >= len(best.parts):
            best, kind = mounted, fields[fields.index("-") + 1]
    return kind


def _unescaped(path: str) -> str:
    """Return a path of mountinfo with its octal escapes undone."""
    for code in ("040", "011", "012", "134"):
        path = path.replace(f"\\{code}", chr(int(code, 8)))
    return path


def tune_sqlite() -> None:
    """Set the pragmas of every SQLite connection that is opened from now on."""
    if not event.contains(Engine, "connect", _pragmas):
        event.listen(Engine, "connect", _pragmas)


def _pragmas(connection: Any, record: object) -> None:  # noqa: ANN401 - any driver's connection
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    # A reader from outside, such as a backup, must not make the hub fail at once.
    connection.execute("PRAGMA busy_timeout = 10000")
