"""The accounts that one server sees: the system's, and its person's."""

from __future__ import annotations

import pwd
from pathlib import Path

from lectern_spawner.accounts import LOWEST_PERSON_UID, OVERFLOW_UID, Account


def passwd_text(account: Account, home: Path, display_name: str = "") -> str:
    """Return an /etc/passwd for one server: the system's accounts and this person.

    Other people's lines are left out; a line with the person's name or uid is
    replaced, because programs look people up by name.
    """
    lines = [
        ":".join((p.pw_name, "x", str(p.pw_uid), str(p.pw_gid), p.pw_gecos, p.pw_dir, p.pw_shell))
        for p in pwd.getpwall()
        if (p.pw_uid < LOWEST_PERSON_UID or p.pw_uid == OVERFLOW_UID) and p.pw_name != account.name
    ]
    gecos = (display_name or account.name).translate({ord(c): " " for c in ":,\n"})
    lines.append(f"{account.name}:x:{account.uid}:{account.uid}:{gecos}:{home}:/bin/bash")
    return "\n".join(lines) + "\n"


def group_text(account: Account, system_groups: str) -> str:
    """Return an /etc/group for one server: the system's groups and the person's own.

    Args:
        account: whose server it is.
        system_groups: text of the machine's /etc/group.
    """
    kept = [
        ":".join((*line.split(":")[:3], ""))
        for line in system_groups.splitlines()
        if line.count(":") >= 3 and line.split(":")[0] != account.name
    ]
    return "\n".join([*kept, f"{account.name}:x:{account.uid}:"]) + "\n"
