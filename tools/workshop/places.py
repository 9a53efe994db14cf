"""Where environments and state lie: inside the checkout when everybody concerned can get there.

Root's user servers run under other accounts. When these cannot reach the
checkout (say it is in /root), root's things go below /var/lib/lectern instead.
Called by `verbs`.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from workshop import interpreters
from workshop.interpreters import Interpreter
from workshop.say import stop

CHECKOUT = Path(__file__).resolve().parents[2]
SYSTEM = Path("/var/lib/lectern")
LOOK = "import os, sys; sys.exit(not os.access(sys.argv[1], os.R_OK | os.X_OK))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The folders that the make targets use."""

    base: Path
    """Parent of everything below; safe to remove when no hub uses it."""

    is_reachable: bool
    """Whether the user servers may read code straight from the checkout."""

    @property
    def state(self) -> Path:
        """Homes, databases and secrets of the hub that `make run` starts."""
        return self.base / "state"

    def environment(self, name: str) -> Path:
        """Return the folder of a virtual environment, for example ``venv-test``."""
        return self.base / name


def elsewhere(parent: Path, checkout: Path) -> Path:
    """Return a folder below ``parent`` that belongs to this checkout alone."""
    digest = hashlib.sha256(os.fsencode(checkout)).hexdigest()[:8]
    return parent / f"{checkout.name}-{digest}"


def is_open(folder: Path, interpreter: Interpreter) -> bool:
    """Whether every account can read and enter a folder.

    The modes of all parents are looked at first, because it is cheap; a
    mount option or an access list shows only in the real try.
    """
    if not all(parent.stat().st_mode & 0o001 for parent in (folder, *folder.parents)):
        return False
    return interpreters.others_can([interpreter.program, "-c", LOOK, folder])


def is_mine(folder: Path) -> bool:
    """Whether this account made the folder or can make it."""
    if folder.exists():
        return folder.stat().st_uid == os.geteuid() and os.access(folder, os.W_OK)
    return os.access(folder.parent, os.W_OK)


def find(interpreter: Interpreter, checkout: Path = CHECKOUT) -> Places:
    """Return the places of this account, making the folder that holds them.

    Raises:
        SystemExit: when root's fallback folder is closed to other accounts too.
    """
    inside = checkout / ".lectern"
    if not interpreters.is_root():
        share = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
        base = inside if is_mine(inside) else elsewhere(share / "lectern", checkout)
        return _made(Places(base=base, is_reachable=True))
    reachable = is_open(checkout, interpreter)
    base = inside if reachable and is_mine(inside) else elsewhere(SYSTEM, checkout)
    places = _made(Places(base=base, is_reachable=reachable))
    if not is_open(base, interpreter):
        stop(f"Other accounts cannot enter {base}, which user servers need: chmod o+rx {base}")
    return places


def _made(places: Places) -> Places:
    """Make the base folder with modes that let others through, whatever the umask says."""
    before = os.umask(0o022)
    try:
        places.base.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        stop(f"Cannot make the folder {places.base}: {error.strerror}")
    finally:
        os.umask(before)
    return places
