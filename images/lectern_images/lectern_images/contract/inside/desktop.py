"""Run inside an image: start a desktop on a socket, and look for a window and its colours.

Arguments: the titles of the windows that must come, and no others, then ``--`` and the
program's command; a terminal if there are none. Prints a JSON object with what was seen.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

DISPLAY = ":77"
PATIENCE_SECONDS = 120
TERMINAL = ["--", "xterm"]
SETTLED_SECONDS = 3
_ROOT = ("xprop", "-root")


def main() -> None:
    """Start the desktop and the program; wait for the window and for something on the screen."""
    words = sys.argv[1:] or TERMINAL
    titles, command = words[: words.index("--")], words[words.index("--") + 1 :]
    os.environ["DISPLAY"] = DISPLAY
    socket = Path(os.environ["HOME"], "vnc.sock")
    server = subprocess.Popen(
        ["Xtigervnc", DISPLAY, "-rfbunixpath", str(socket), "-rfbunixmode", "0600", "-rfbport",
         "-1", "-SecurityTypes", "None", "-geometry", "1024x768", "-localhost",
         "-noreset"],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait("the socket of the desktop", socket.exists)
        wait("the X server", lambda: succeeds("xset", "q"))
        manager = subprocess.Popen(["openbox"], stderr=subprocess.DEVNULL)
        wait("a window manager", lambda: b"#" in output(*_ROOT, "_NET_SUPPORTING_WM_CHECK"))
        program = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for title in titles:
            wait(f"the window {title}", partial(is_open, title))
        wait("a window", lambda: bool(windows()))
        wait("something on the screen", lambda: colours() > 1)
        if titles:
            time.sleep(SETTLED_SECONDS)  # a box that asks or complains comes after its program
            if others := [title for title in windows() if title not in titles]:
                sys.exit(f"there are windows that nobody wants: {', '.join(others)}")
        print(json.dumps({"windows": windows(), "colours": colours()}))
        for process in (program, manager):
            process.terminate()
    finally:
        server.terminate()
        server.wait(30)


def wait(what: str, holds: Callable[[], bool]) -> None:
    """Wait for something, and end with a sentence if it never comes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            sys.exit(f"{what} never came")
        time.sleep(0.1)


def succeeds(*words: str) -> bool:
    """Whether a command succeeds."""
    return not subprocess.run(words, capture_output=True, check=False).returncode


def output(*words: str) -> bytes:
    """Return what a command prints; nothing if it fails."""
    return subprocess.run(words, capture_output=True, check=False).stdout


def is_open(title: str) -> bool:
    """Whether there is a window of a title."""
    return title in windows()


def windows() -> list[str]:
    """Return the titles of the windows that the window manager knows."""
    listed = output(*_ROOT, "_NET_CLIENT_LIST").decode().partition("#")[2]
    ids = [word.strip() for word in listed.split(",") if word.strip()]
    names = [output("xprop", "-id", number, "WM_NAME").decode() for number in ids]
    return [name.partition("=")[2].strip().strip('"') for name in names]


def colours() -> int:
    """Return how many different pixels the screen shows."""
    picture = output("xwd", "-root", "-silent")
    header = int.from_bytes(picture[:4], "big")
    return len({picture[at : at + 4] for at in range(header, len(picture) - 3, 4)})


if __name__ == "__main__":
    main()
