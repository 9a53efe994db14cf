"""Give every person an unprivileged uid of their own, for ever.

Used by the local spawner when the hub runs as root, and for pods. The table is the truth: a
uid is recorded on disk before anything runs under it, is never changed and is
never given to somebody else, also when the person is gone.
"""

from __future__ import annotations

import pwd
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# Not used by distributions, subordinate ids, systemd or its containers.
# Source: systemd's document "Users, Groups, UIDs and GIDs".
FIRST_UID = 1_900_000_000
LAST_UID = 1_900_999_999
LOWEST_PERSON_UID = 1000
OVERFLOW_UID = 65534

_SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
    name TEXT PRIMARY KEY NOT NULL,
    uid INTEGER UNIQUE NOT NULL CHECK (uid > 0),
    given_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) STRICT
"""


class AccountError(Exception):
    """A person cannot have an account here; the text is a sentence for an admin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The identity that a person's servers run under."""

    name: str
    """User name of the person."""

    uid: int
    """uid and gid, from the reserved range."""


class Accounts:
    """The table of accounts, one file per hub."""

    def __init__(self, file: Path, homes: Path) -> None:
        """Open the table, making it where there is none.

        Args:
            file: SQLite file on a local disk.
            homes: folder with the homes; their owners are never given away
                again, even if the table was lost.
        """
        self._homes = homes
        self._known: dict[str, Account] = {}
        self._table = sqlite3.connect(file, timeout=30, isolation_level=None)
        self._table.execute("PRAGMA journal_mode = WAL")
        # A committed row must survive a power cut, see the module's docstring.
        self._table.execute("PRAGMA synchronous = FULL")
        self._table.execute(_SCHEMA)
        file.chmod(0o600)

    def close(self) -> None:
        """Close the table."""
        self._table.close()

    def get(self, name: str) -> Account:
        """Return the account of a person, giving one at the first call.

        Args:
            name: normalised user name.

        Raises:
            AccountError: when the name belongs to a system account, or the
                reserved range is used up.
        """
        if name in self._known:  # an account never changes
            return self._known[name]
        _refuse_system_name(name)
        with self._change() as table:
            row = table.execute("SELECT uid FROM accounts WHERE name = ?", (name,)).fetchone()
            uid = row[0] if row else self._give(table, name)
        return self._known.setdefault(name, Account(name=name, uid=uid))

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """Hold the table alone, until what was changed is on disk."""
        self._table.execute("BEGIN IMMEDIATE")
        try:
            yield self._table
        except BaseException:
            self._table.execute("ROLLBACK")
            raise
        self._table.execute("COMMIT")

    def _give(self, table: sqlite3.Connection, name: str) -> int:
        """Record a uid for a new person and return it."""
        uid = self._owner_of_home(table, name) or self._next_uid(table)
        if uid > LAST_UID:
            raise AccountError(
                f"all uids from {FIRST_UID} to {LAST_UID} are given; nobody new can be added"
            )
        table.execute("INSERT INTO accounts (name, uid) VALUES (?, ?)", (name, uid))
        return uid

    def _owner_of_home(self, table: sqlite3.Connection, name: str) -> int | None:
        """Return who owns a home that is already there, so that its files stay theirs."""
        try:
            uid = (self._homes / name).lstat().st_uid
        except FileNotFoundError:
            return None
        taken = table.execute("SELECT 1 FROM accounts WHERE uid = ?", (uid,)).fetchone()
        return uid if FIRST_UID <= uid <= LAST_UID and not taken else None

    def _next_uid(self, table: sqlite3.Connection) -> int:
        """Return the first uid above every one that was ever given."""
        (given,) = table.execute("SELECT max(uid) FROM accounts").fetchone()
        highest = given or self._highest_home_owner()
        uid = max(FIRST_UID, highest + 1)
        while _exists(uid):
            uid += 1
        return uid

    def _highest_home_owner(self) -> int:
        """Return the highest uid that owns a home; only asked for an empty table."""
        if not self._homes.is_dir():
            return 0
        owners = (home.lstat().st_uid for home in self._homes.iterdir())
        return max((uid for uid in owners if FIRST_UID <= uid <= LAST_UID), default=0)


@cache
def of(state: Path) -> Accounts:
    """Return the table of a hub, opened once.

    Args:
        state: the hub's state folder.
    """
    return Accounts(state / "uids.sqlite", state / "homes")


def _refuse_system_name(name: str) -> None:
    try:
        uid = pwd.getpwnam(name).pw_uid
    except (KeyError, UnicodeEncodeError, ValueError):
        return
    if uid < LOWEST_PERSON_UID or uid == OVERFLOW_UID:
        raise AccountError(f"“{name}” is a system account of this machine (uid {uid})")


def _exists(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
