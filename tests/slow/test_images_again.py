"""The same image from another machine's point of view: byte for byte."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="images are built by root"),
]

ROOT = Path(__file__).resolve().parents[2]
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
SHIM = f"""#!/usr/bin/python3
# bubblewrap, for programs whose clock is a day ahead.
import os, sys
words = sys.argv[1:]
at = words.index("--clearenv") + 1
words[at:at] = ["--ro-bind", "{FAKETIME}", "/run/faketime.so", "--setenv", "LD_PRELOAD",
                "/run/faketime.so", "--setenv", "FAKETIME", "+1d"]
os.execv("/usr/bin/bwrap", ["bwrap", *words])
"""
COPIED = ("images", "requirements", "profiles", "hub", "spawner")
FILES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")
PATIENCE_SECONDS = 1200


def digest(printed: str) -> str:
    found = re.search(r"lectern/base:1: \d+ MB unpacked, (sha256:[0-9a-f]{64})", printed)
    assert found, printed
    return found[1]


def build(folder: Path, *before: str, **variables: str) -> str:
    command = [*before, sys.executable, "-m", "lectern_hub.cli", "images", "build", "base"]
    return subprocess.run(
        [*command, "--engine", "own"], cwd=folder, env=os.environ | variables, check=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_SECONDS,
    ).stdout  # fmt: skip


def test_nothing_of_the_machine_or_the_day_is_in_an_image(tmp_path):
    """Empty caches, another folder, umask, time zone, host name, locale, and a day later."""
    elsewhere = tmp_path / "another 文件夹"
    elsewhere.mkdir()
    for name in COPIED:
        shutil.copytree(ROOT / name, elsewhere / name, symlinks=True)
    for name in FILES:
        shutil.copy(ROOT / name, elsewhere)
    subprocess.run(["chmod", "-R", "go=", elsewhere], check=True)
    shims = tmp_path / "bin"
    shims.mkdir()
    (shims / "bwrap").write_text(SHIM)
    (shims / "bwrap").chmod(0o755)
    strange = ("unshare", "--uts", "sh", "-c", 'hostname elsewhere; umask 077; exec "$@"', "sh")
    printed = build(
        elsewhere, *strange, "faketime", "+1 day",
        PATH=f"{shims}:{os.environ['PATH']}", TZ="Asia/Shanghai", LC_ALL="C",
        XDG_CACHE_HOME=str(tmp_path / "cache"),
    )  # fmt: skip
    assert "base: apt: " in printed, "it came from a cache"
    assert digest(printed) == digest(build(ROOT))
