"""Run the pure-Python proxy, started by JupyterHub as ``python -m lectern_hub.proxy``.

Its output goes to ``logs/proxy.log`` of the state folder. The proxy notes activity in local time, and JupyterHub takes it for UTC, so it
runs in UTC.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from configurable_http_proxy import cli

from lectern_hub.place import Place


def _log_to(file: Path) -> None:
    """Keep the terminal for the hub: whatever the proxy prints goes to a file."""
    handle = os.open(file, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(handle, stream)
    os.close(handle)


def main() -> None:
    """Run the proxy until it is stopped."""
    _log_to(Place.from_environment().log_file.with_name("proxy.log"))
    os.environ["TZ"] = "UTC"
    time.tzset()
    cli.main()


if __name__ == "__main__":
    main()
