"""What one machine can do for servers, found out once per hub.

The spawner asks it for accounts, limits and paths; the spawn page shows its
notes about what cannot be enforced here.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

from lectern_spawner import accounts
from lectern_spawner.accounts import LAST_UID, Account, Accounts
from lectern_spawner.catalog import Profile
from lectern_spawner.local import cgroups, passwd, ports
from lectern_spawner.local.cgroups import Hierarchy
from lectern_spawner.local.process import Identity
from lectern_spawner.plan import ServerPlan
from lectern_spawner.words import N_, Words

_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


class MachineError(Exception):
    """This machine cannot run servers safely; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine and the state folder of one hub on it."""

    state: Path
    label: str
    """Names this hub among the hubs of the machine."""

    hierarchy: Hierarchy | None
    accounts: Accounts | None
    """The table of uids; None where all servers run as the user who runs the hub."""

    cores: int
    memory_bytes: int

    @property
    def homes(self) -> Path:
        """Folder with a home for every person."""
        return self.state / "homes"

    @property
    def logs(self) -> Path:
        """Folder with the logs of servers."""
        return self.state / "logs"

    @property
    def isolated(self) -> bool:
        """Whether people are kept apart from each other."""
        return self.accounts is not None

    def account(self, name: str) -> Account | None:
        """Return the account of a person, or None where there are none.

        Raises:
            AccountError: when this person cannot have one.
        """
        return self.accounts.get(name) if self.accounts else None

    def identity(self, account: Account, home: Path) -> Identity:
        """Write the files that a server of this person shows as its own.

        Returns:
            The uid and the files' paths.
        """
        folder = self._private(account)
        files = {
            "passwd": passwd.passwd_text(account, home),
            "group": passwd.group_text(account, Path("/etc/group").read_text()),
        }
        for name, text in files.items():
            _write_public(folder / name, text)
        return Identity(uid=account.uid, passwd=str(folder / "passwd"), group=str(folder / "group"))

    def tmp(self, account: Account | None) -> Path | None:
        """Return a folder for temporary files that only this person can read, made if missing."""
        if account is None:
            return None
        tmp = self._private(account) / "tmp"
        tmp.mkdir(mode=0o700, exist_ok=True)
        os.chown(tmp, account.uid, account.uid, follow_symlinks=False)
        return tmp

    def _private(self, account: Account) -> Path:
        folder = self.state / "identities" / str(account.uid)
        for made in (folder.parent, folder):
            made.mkdir(exist_ok=True)
            made.chmod(0o711)
        return folder

    def unreachable(self, places: Iterable[Path]) -> list[Path]:
        """Return the places that are missing, or closed to the accounts of servers."""
        return sorted(
            {
                place
                for place in places
                if not place.exists() or (self.isolated and _unreachable(place))
            }
        )

    def owns_port(self, address: str, port: int, name: str) -> bool:
        """Whether nobody else gets connections to an address and port of this machine."""
        uid = self.accounts.get(name).uid if self.accounts else os.geteuid()
        return ports.listeners(address, port) <= {uid}

    def rlimits(self, plan: ServerPlan) -> Mapping[str, int]:
        """Return limits of single processes, for what no cgroup enforces."""
        limits = {"RLIMIT_CORE": 0}
        if not (self.hierarchy and self.hierarchy.memory):
            limits["RLIMIT_DATA"] = plan.memory_limit_bytes
        return limits

    def server_env(self) -> dict[str, str]:
        """Return variables that every server on this machine needs."""
        return {
            "PATH": f"{Path(sys.executable).parent}:{_SYSTEM_PATH}",
            "SHELL": "/bin/bash",
            "JUPYTER_CONFIG_PATH": str(_lab_config()),
        }

    def notes(self, profile: Profile, words: Words) -> list[str]:
        """Return what this machine cannot keep of a profile, in words."""
        notes = []
        if profile.gpu:
            notes.append(words.say(N_("This version gives no GPU.")))
        if profile.app != "jupyter":
            notes.append(words.say(N_("This version opens JupyterLab only.")))
        if not (self.hierarchy and self.hierarchy.cpu):
            notes.append(
                words.say(N_("This machine cannot limit CPU: servers share what there is."))
            )
        if not (self.hierarchy and self.hierarchy.memory):
            notes.append(
                words.say(N_("Memory is limited for each program, not for the whole server."))
            )
        if profile.cpu.limit > self.cores:
            notes.append(
                words.say(
                    N_("This machine has only %(there)s."), there=words.cores(Fraction(self.cores))
                )
            )
        if profile.memory.limit > self.memory_bytes:
            notes.append(
                words.say(
                    N_("This machine has only %(there)s."), there=words.size(self.memory_bytes)
                )
            )
        return notes


def _write_public(file: Path, text: str) -> None:
    """Write a file that everybody may read, in one step."""
    if file.exists() and file.read_text() == text:
        return
    fresh = file.with_name(f"{file.name}.new")
    fresh.write_text(text)
    fresh.chmod(0o644)
    fresh.replace(file)


def _lab_config() -> Path:
    """Return the configuration folder of `lectern_lab`, without importing it."""
    from importlib.util import find_spec

    found = find_spec("lectern_lab")
    if found is None or not found.submodule_search_locations:
        raise MachineError("the package lectern_lab is missing; install lectern[lab]")
    return Path(found.submodule_search_locations[0]) / "etc" / "jupyter"


@cache
def of(state: Path) -> Machine:
    """Return this machine, checked, for a state folder.

    Raises:
        MachineError: when servers could not run as they must.
    """
    root = os.geteuid() == 0
    (state / "homes").mkdir(mode=0o711, parents=True, exist_ok=True)
    if root:
        _check_root(state)
    label = _label(state)
    hierarchy = cgroups.find(label)
    if hierarchy:
        atexit.register(hierarchy.remove)
    return Machine(
        state=state,
        label=label,
        hierarchy=hierarchy,
        accounts=accounts.of(state) if root else None,
        cores=os.cpu_count() or 1,
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    )


def _label(state: Path) -> str:
    """Return a name for the hub of a state folder, also of the cgroup of its servers."""
    return f"lectern-{hashlib.sha256(str(state).encode()).hexdigest()[:8]}"


def _check_root(state: Path) -> None:
    """Refuse what would make servers of unprivileged uids fail, or run as root."""
    for folder in (state, state / "homes"):
        _make_passable(folder)
    for place, what in (
        (state / "homes", "the homes"),
        (Path(sys.prefix), "the Python environment"),
        (Path(sys.executable).resolve(), "the Python interpreter"),
        (_lab_config(), "the package lectern_lab"),
    ):
        if blocked := _unreachable(place):
            raise MachineError(
                f"servers run under unprivileged accounts, and those cannot reach {what}: "
                f"{blocked} is closed to them. Move it, or open it with "
                f"`chmod o+x {blocked}`"
            )
    _probe()


def _make_passable(folder: Path) -> None:
    mode = folder.stat().st_mode & 0o777
    if not mode & 0o001:
        folder.chmod(mode | 0o011)


def _unreachable(place: Path) -> Path | None:
    """Return the first folder on the way that others cannot pass."""
    for folder in reversed([place, *place.absolute().parents]):
        if not folder.stat().st_mode & 0o001:
            return folder
    return None


def _probe() -> None:
    """Try what the launcher does: private mounts, then Python as somebody else."""
    done = subprocess.run(
        ["unshare", "--mount", sys.executable, "-I", "-S", "-c", "pass"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise MachineError(
            "this root may not make private mounts (CAP_SYS_ADMIN), which every server needs for an "
            f"account of its own. Run Lectern as an ordinary user instead. ({done.stderr.strip()})"
        )
    done = subprocess.run(
        [sys.executable, "-I", "-c", "import encodings"],
        user=LAST_UID,
        group=LAST_UID,
        extra_groups=[],
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise MachineError(
            f"an unprivileged account cannot run {sys.executable}: {done.stderr.strip()}"
        )
