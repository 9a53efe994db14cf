"""`lectern up`: run the hub of one machine.

Checks everything that can be checked before the start, says where things are,
and hands over to `app`.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

from lectern_hub import configure, database, passwords, ports
from lectern_hub.place import Place
from lectern_hub.settings import KUBERNETES, SETTINGS_FILE, Settings, load_settings
from lectern_spawner.catalog import Catalog, CatalogError, load
from lectern_spawner.catalog.render import full
from lectern_spawner.commands import Command, add_campus
from lectern_spawner.local import machine
from lectern_spawner.local.machine import MachineError
from lectern_spawner.plan import data_of

CANNOT_RUN = 2
_NAMED = 6


class UpError(Exception):
    """The hub cannot be started; the text says why and what to do."""


_MISTAKES = (
    UpError,
    MachineError,
    database.DatabaseError,
    database.NetworkDiskError,
    ports.PortTakenError,
    passwords.PasswordFileError,
)


def add_place_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which hub is meant."""
    add_campus(parser)
    parser.add_argument(
        "--state", type=Path, default=default_state(), metavar="DIR",
        help="folder for homes, database and passwords (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--settings", type=Path, metavar="FILE",
        help=f"settings of this hub (default: {SETTINGS_FILE} beside the campus folder, if there)",
    )  # fmt: skip


def _configure(parser: argparse.ArgumentParser) -> None:
    add_place_arguments(parser)
    parser.add_argument("--port", type=_port, metavar="N", help="port for browsers")
    parser.add_argument("--verbose", action="store_true", help="show the hub's whole log")


def default_state() -> Path:
    """Return where the state lies if nobody says: the system's or the user's place for it."""
    if os.geteuid() == 0:
        return Path("/var/lib/lectern")
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "lectern"


def _port(text: str) -> int:
    with contextlib.suppress(ValueError):
        if 1 <= (number := int(text)) <= 65535:
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is not a port, a number from 1 to 65535")


def run(arguments: argparse.Namespace) -> int:
    """Start the hub and return when it has ended."""
    try:
        return _run(arguments)
    except CatalogError as error:
        sys.stderr.write(full(error.diagnostics, colour=sys.stderr.isatty()))
    except _MISTAKES as error:
        sys.stderr.write(f"lectern: {error}\n")
    return CANNOT_RUN


def _run(arguments: argparse.Namespace) -> int:
    place = place_of(arguments)
    settings = load_settings(place.settings)
    loaded = load(place.campus)
    catalog = loaded.require()
    if loaded.diagnostics:
        sys.stderr.write(full(loaded.diagnostics, colour=sys.stderr.isatty()))
    with contextlib.ExitStack() as held:
        with _must_work(place.state):
            configure.secure_state(place.state)
            held.enter_context(_only_one(place.state))
            has_processes = settings.servers.backend != KUBERNETES
            host = machine.of(place.state) if has_processes else None
            port = _public_port(place, settings, arguments.port)
            passwords.load(settings.password_file or place.password_file)
            database.must_answer(settings.database or database.sqlite_url(place.state))
        for path in host.unreachable(_data_folders(catalog)) if host else ():
            sys.stderr.write(f"lectern: warning: servers cannot reach the data in {path}\n")
        _tell(place, settings, catalog, port)
        from lectern_hub import app  # JupyterHub takes a second to import: after the first words

        app.run(_with_port(place, port), quiet=not arguments.verbose, arguments=[])
    return 0


@contextlib.contextmanager
def _must_work(state: Path) -> Iterator[None]:
    """Say in a sentence what the disk or the folder's rights do not allow."""
    try:
        yield
    except OSError as error:
        where = f"{error.filename}: " if error.filename not in (None, str(state)) else ""
        why = f"{where}{(error.strerror or str(error)).lower()}"
    except sqlite3.Error as error:
        why = f"{state / 'uids.sqlite'}: {error}"
    else:
        return
    raise UpError(f"the state folder {state} cannot be used ({why}); choose one with --state")


def _data_folders(catalog: Catalog) -> Iterator[Path]:
    for course in catalog.courses.values():
        yield from (item.path for item in data_of(course, catalog.campus) if item.path)


def place_of(arguments: argparse.Namespace) -> Place:
    """Return which hub the options mean."""
    campus: Path = arguments.campus.absolute()
    settings: Path | None = arguments.settings
    if settings is None:
        beside = campus.parent / SETTINGS_FILE
        settings = beside if beside.exists() else None
    # The hub changes its folder later, so that what is relative now would then be elsewhere.
    settings = settings and settings.absolute()
    return Place(campus=campus, state=arguments.state.absolute(), settings=settings)


def _with_port(place: Place, port: int) -> Place:
    return Place(campus=place.campus, state=place.state, settings=place.settings, port=port)


def _public_port(place: Place, settings: Settings, asked: int | None) -> int:
    return ports.choose_public(
        place.ports_file,
        settings.host,
        asked or settings.port,
        exactly=asked is not None or settings.port_is_set,
        ours=ports.proxy_runs(place.proxy_pid_file),
    )


@contextlib.contextmanager
def _only_one(state: Path) -> Iterator[None]:
    """Hold the state folder: two hubs on one database would destroy each other's servers."""
    # The folder itself: a file in it could be deleted while the hub runs.
    handle = os.open(state, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise UpError(f"a hub already runs with the state folder {state}") from None
    try:
        yield
    finally:
        os.close(handle)


def _tell(place: Place, settings: Settings, catalog: Catalog, port: int) -> None:
    """Say where the hub is, who may log in and where the passwords lie."""
    lines = [
        f"Lectern is starting at {ports.url(settings.host or '127.0.0.1', port)}/",
        f"  courses    {', '.join(catalog.courses) or 'none'}",
        f"  people     {_some(sorted(catalog.people()))}, and the admins {_some(sorted(settings.admins))}",
        f"  passwords  {settings.password_file or place.password_file}",
        f"  homes      {place.state / 'homes'}",
        f"  log        {place.log_file}",
    ]
    if os.geteuid() != 0:
        lines.append(
            "Everybody's servers run under your account: there is no isolation between people. "
            "Run as root to give each person an account of their own."
        )
    lines.append("Ctrl-C stops the hub and all servers.")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return (", ".join(names[:_NAMED]) or "nobody") + more


up = Command(name="up", help="run the hub of this machine", configure=_configure, run=run)
