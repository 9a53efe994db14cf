"""Ends all containers when the process of the nodes ends, however it ends.

bubblewrap's `--die-with-parent` does that for root's containers only: it gives up its
own capabilities, and with them the right to kill the processes of other users. So one
small process waits for the other end of a pipe to close. Each line names a process to
end then: ``+PID``, or ``-PID`` once it has ended.

Run as ``python -m cluster.process.guard``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys

_LIVES: dict[int, int] = {}
"""Process -> a descriptor of it, since numbers are used again."""


class Guard:
    """The side of the nodes' process."""

    def __init__(self) -> None:
        """Start the guard; it is in no group that is killed with us."""
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-m", "cluster.process.guard"],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def add(self, pid: int) -> None:
        """Let a process end with us."""
        self._say(f"+{pid}\n")

    def remove(self, pid: int) -> None:
        """Forget a process that has ended."""
        self._say(f"-{pid}\n")

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None  # a pipe, see above
        self._process.stdin.write(line.encode())
        self._process.stdin.flush()

    def close(self) -> None:
        """End the guard, and with it what it still knows."""
        self._process.communicate()


def main() -> None:
    """Wait for the end of the input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin:
        pid = int(line[1:])
        if line[0] == "-":
            if pid in _LIVES:
                os.close(_LIVES.pop(pid))
            continue
        try:
            _LIVES[pid] = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
    for descriptor in _LIVES.values():
        try:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        except ProcessLookupError:
            continue


if __name__ == "__main__":
    main()
