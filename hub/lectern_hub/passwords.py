"""Generate and read the shared passwords of a hub.

Students share one password, staff another, admins a third: whoever knows the
students' password cannot log in as an instructor.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from lectern_spawner.catalog.reading import Section, read_model

_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
_TEMPLATE = """\
# Passwords of this hub. Anyone who reads them can log in: keep this file closed.
students: {students}
staff: {staff}
admins: {admins}
"""


class PasswordFileError(Exception):
    """A password file that must not be used; the text says why."""


class _PasswordFile(Section):
    students: str = Field(min_length=8)
    staff: str = Field(min_length=8)
    admins: str = Field(min_length=32)


@dataclass(frozen=True, slots=True, repr=False)
class Passwords:
    """The three passwords."""

    students: str
    staff: str
    admins: str


def load(file: Path) -> Passwords:
    """Return the passwords of a file, generating it where it is missing.

    Raises:
        PasswordFileError: when it is not such a file, others can read it, or two
            passwords are the same. Its text never shows a line of the file.
    """
    if not file.exists():
        _generate(file)
    if file.stat().st_mode & 0o077:
        raise PasswordFileError(f"other people can read {file}; close it with `chmod 600 {file}`")
    parsed = read_model(file, _PasswordFile)
    if parsed.model is None:
        wrong = parsed.diagnostics[0]
        line = f":{wrong.at.span.line}" if wrong.at else ""
        raise PasswordFileError(f"{file}{line}: {wrong.message}")
    known = parsed.model
    if len({known.students, known.staff, known.admins}) < 3:
        raise PasswordFileError(f"the three passwords in {file} must differ from each other")
    return Passwords(known.students, known.staff, known.admins)


def _generate(file: Path) -> None:
    text = _TEMPLATE.format(
        students=_readable(3), staff=_readable(4), admins=secrets.token_urlsafe(30)
    )
    fresh = file.with_name(f"{file.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        fresh.replace(file)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise PasswordFileError(f"the password file {file} cannot be written: {why}") from error


def _readable(groups: int) -> str:
    """Return a password for reading aloud: groups of four, nothing that looks alike."""
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(groups))
