"""The hub's log file, which must never be the reason that the hub fails.

A full disk or a folder that somebody has cleared away would otherwise answer
every request with an error, and even keep Ctrl-C from working.
"""

from __future__ import annotations

import io
import logging
import logging.handlers
import sys
import time
from pathlib import Path

_QUIET_SECONDS = 60.0


class LogFile(logging.handlers.WatchedFileHandler):
    """A log file that comes back when it was moved away or deleted, with its folder."""

    _told_at = -_QUIET_SECONDS

    def _open(self) -> io.TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return super()._open()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or lose it."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Say why nothing is written, at most once a minute; others' mistakes as ever."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif time.monotonic() - self._told_at >= _QUIET_SECONDS:
            self._told_at = time.monotonic()
            why = (error.strerror or str(error)).lower()
            sys.stderr.write(f"lectern: the log {self.baseFilename} cannot be written: {why}\n")
