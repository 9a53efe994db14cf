"""The guide “Write a course”, followed word by word."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "write-a-course.md"
STEP = re.compile(
    r"Put this into `(?P<file>[^`]+)`:\n\n```\w+\n(?P<text>.*?)^```"
    r"|Change `(?P<old>[^`]+)` to `(?P<new>[^`]+)` in `(?P<edited>[^`]+)`\."
    r"|```console\n(?P<console>.*?)^```",
    re.DOTALL | re.MULTILINE,
)
LECTERN = [sys.executable, "-m", "lectern_hub.cli"]


def run(command: str, folder: Path) -> str:
    """Return what a command prints, as somebody reads it in a terminal."""
    words = shlex.split(command)
    if words[0] == "lectern":
        words = [*LECTERN, *words[1:]]
    path = os.pathsep.join(str(ROOT / part) for part in ("hub", "spawner"))
    done = subprocess.run(
        words,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout


def follow(step: re.Match[str], folder: Path) -> tuple[str, str]:
    """Do one step; return what the page shows and what really came."""
    if step["file"]:
        (folder / step["file"]).write_text(step["text"], encoding="utf-8")
    elif step["edited"]:
        file = folder / step["edited"]
        text = file.read_text(encoding="utf-8")
        assert text.count(step["old"]) == 1, f"{step['old']} in {file.name}"
        file.write_text(text.replace(step["old"], step["new"]), encoding="utf-8")
    else:
        command, _, shown = step["console"].removeprefix("$ ").partition("\n")
        return shown, run(command, folder)
    return "", ""


def same_days(text: str) -> str:
    return re.sub(r"ends in \d+ days", "ends in N days", text)


def test_the_guide_can_be_followed_word_by_word(tmp_path):
    shutil.copytree(ROOT / "profiles", tmp_path / "profiles")
    page = PAGE.read_text(encoding="utf-8")
    steps = list(STEP.finditer(page))
    # Nothing on the page is left out.
    assert len(steps) == page.count("Put this into") + page.count("\nChange `") + page.count(
        "```console"
    )
    for step in steps:
        shown, came = follow(step, tmp_path)
        assert same_days(came) == same_days(shown), step[0]
