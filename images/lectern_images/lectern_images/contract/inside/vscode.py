"""Run inside an image: start VS Code for the browser on a socket, and compute in its terminal.

Prints a JSON object of what was found, or one line that says what is wrong.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

PATIENCE_SECONDS = 120
PARTS = Path("/opt/node/node_modules/code-server/lib/vscode")
COMPILED = ("node-pty", "@vscode/spdlog", "@vscode/native-watchdog", "@parcel/watcher", "kerberos")
TERMINAL = """
const pty = require("node-pty");
const shell = pty.spawn("sh", ["-c", "test -t 0 && echo $((6 * 7))"], {});
shell.onData(text => process.stdout.write(text));
"""


class Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        """Connect to ``path`` when something is asked for."""
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        """Connect."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def main() -> None:
    """Look at what was compiled, then at the page."""
    for name in COMPILED:
        output("node", "-e", f"require({name!r})")
    if (said := output("node", "-e", TERMINAL)) != "42":
        sys.exit(f"the terminal says {said!r}, not 42")
    path = Path(os.environ["HOME"], "vscode.sock")
    server = subprocess.Popen(
        ["code-server", "--auth=none", f"--socket={path}", "--disable-telemetry",
         "--disable-update-check"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    started = time.monotonic()
    try:
        while "workbench" not in page(path):
            if server.poll() is not None or time.monotonic() > started + PATIENCE_SECONDS:
                server.kill()
                said = server.stdout.read() if server.stdout else ""
                sys.exit(f"VS Code's page does not come; it said: {said[-2000:]}")
            time.sleep(0.05)
        seconds = round(time.monotonic() - started, 2)
    finally:
        server.terminate()
        server.wait(30)
    version = output("code-server", "--version").split()[0]
    print(json.dumps({"code-server": version, "answers_after_seconds": seconds}))


def page(path: Path) -> str:
    """Return VS Code's page; nothing while there is none."""
    connection = Connection(path)
    try:
        connection.request("GET", "/?folder=/tmp")
        return connection.getresponse().read().decode(errors="replace")
    except OSError:
        return ""
    finally:
        connection.close()


def output(*words: str) -> str:
    """Return what a program prints, and end with its words if it fails."""
    done = subprocess.run(words, cwd=PARTS, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(words[:1])} fails: {(done.stderr or done.stdout)[-2000:]}")
    return done.stdout.strip()


if __name__ == "__main__":
    main()
