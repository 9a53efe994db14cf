"""Make and check the homes of one machine.

A home is a folder of the homes folder with the person's name: names are
normalised and hold no separator (see `catalog.names`), so two names never meet
in one folder.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from lectern_spawner.accounts import Account
from lectern_spawner.plan import Mount

DATA_FOLDER = "data"
_O_DIR = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class HomeError(Exception):
    """A home that cannot be used; the text is a sentence for an admin."""


def prepare(homes: Path, name: str, account: Account | None, data: Iterable[Mount]) -> Path:
    """Return a person's home, made where it is missing.

    Args:
        homes: folder with the homes of this hub.
        name: normalised user name.
        account: owner; None where servers run as the user who runs the hub.
        data: data sets to link in the home.

    Raises:
        HomeError: when the home is not a folder of this person.
    """
    home = homes / name
    try:
        home.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise HomeError(f"the home {home} cannot be made: {error.strerror}") from error
    else:
        if account:
            os.chown(home, account.uid, account.uid, follow_symlinks=False)
    _check(home, account)
    _link_data(home, account, data)
    return home


def _check(home: Path, account: Account | None) -> None:
    """Refuse a home that is a link, a file or somebody else's."""
    found = home.lstat()
    owner = account.uid if account else os.geteuid()
    if not stat.S_ISDIR(found.st_mode):
        raise HomeError(f"the home {home} is not a folder")
    if found.st_uid != owner:
        raise HomeError(f"the home {home} belongs to uid {found.st_uid}, not to uid {owner}")


def _link_data(home: Path, account: Account | None, data: Iterable[Mount]) -> None:
    """Link the course's data sets as ``data/NAME`` in the home.

    The home's owner may have put anything there, so every step works on open
    folders, follows no link, and leaves what is not a link of ours alone.
    """
    links = [link for link in data if link.path]  # others are reached by pods only
    if not links:
        return
    top = os.open(home, _O_DIR)
    try:
        folder = _open_folder(top, DATA_FOLDER, account)
        if folder is None:
            return
        try:
            for link in links:
                _link(folder, link)
        finally:
            os.close(folder)
    finally:
        os.close(top)


def _open_folder(parent: int, name: str, account: Account | None) -> int | None:
    """Return an open folder of the home, made where it is missing; None if it is something else."""
    made = True
    try:
        os.mkdir(name, 0o755, dir_fd=parent)
    except FileExistsError:
        made = False
    try:
        folder = os.open(name, _O_DIR, dir_fd=parent)
    except OSError:
        return None
    if made and account:
        # The open folder, not its name: the home's owner may have put something else there.
        os.fchown(folder, account.uid, account.uid)
    return folder


def _link(folder: int, link: Mount) -> None:
    """Point one link at its data set."""
    target = str(link.path)
    try:
        if os.readlink(link.name, dir_fd=folder) == target:
            return
        os.unlink(link.name, dir_fd=folder)
    except FileNotFoundError:
        pass
    except OSError:  # a file or folder of the person's own
        return
    os.symlink(target, link.name, dir_fd=folder)
