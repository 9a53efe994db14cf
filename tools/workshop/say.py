"""How the make targets speak: plain lines on stdout, one sentence when they stop."""

from __future__ import annotations

import sys
from typing import NoReturn


def say(text: str) -> None:
    """Print a line at once, so that it stands above what a child process prints next."""
    print(text, flush=True)


def stop(text: str) -> NoReturn:
    """End the run with exit code 2 ("could not run") and a sentence on stderr."""
    sys.stdout.flush()
    print(text, file=sys.stderr, flush=True)
    raise SystemExit(2)
