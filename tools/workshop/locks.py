"""`make lock`: work out the pinned dependencies for every supported Python at once.

The direct dependencies stand in setup.cfg alone; uv resolves them into files
that pip installs, with hashes and without naming any index. Called by `verbs`.
"""

from __future__ import annotations

import configparser
import subprocess
from pathlib import Path

from workshop.environments import LOCKS
from workshop.places import CHECKOUT
from workshop.say import say, stop

OLDEST_PYTHON = "3.11"
HEADER = """\
# {what}
# Pinned with hashes for Python 3.11 and newer; made by `make lock` from setup.cfg.
"""
FILES: dict[str, tuple[str, tuple[str, ...]]] = {
    "bootstrap.txt": ("What installs the rest", ()),
    "run.txt": ("What `make run` needs: the hub and JupyterLab", ("hub", "lab")),
    "test.txt": ("What `make test` and `make check` need", ("hub", "lab", "test")),
    "lock.txt": ("What `make lock` needs", ()),
}
OWN_TOOLS = {"bootstrap.txt": ["pip", "setuptools"], "lock.txt": ["uv"]}


def direct(extras: tuple[str, ...]) -> list[str]:
    """Return the requirements of setup.cfg: the base ones and those of some extras."""
    parser = configparser.ConfigParser(delimiters=["="])
    parser.read(CHECKOUT / "setup.cfg", encoding="utf-8")
    texts = [parser["options"]["install_requires"]]
    texts += [parser["options.extras_require"][extra] for extra in extras]
    return [line for text in texts for line in text.splitlines() if line]


def wanted(name: str) -> list[str]:
    """Return the direct requirements of one lock file."""
    return OWN_TOOLS.get(name) or direct(FILES[name][1])


def make(uv: Path, arguments: list[str]) -> int:
    """Write all lock files anew.

    Args:
        uv: the resolver.
        arguments: given on to it, for example ``--upgrade``.
    """
    for name in FILES:
        say(f"Resolving requirements/{name}")
        _make_one(uv, name, arguments)
    return 0


def _make_one(uv: Path, name: str, arguments: list[str]) -> None:
    target = LOCKS / name
    command: list[str | Path] = [uv, "pip", "compile", "-", "--output-file", target]
    command += ["--universal", "--python-version", OLDEST_PYTHON, "--generate-hashes"]
    command += ["--excludes", LOCKS / "excludes.txt", "--no-header", "--quiet", *arguments]
    if name == "test.txt":
        # Tests and checks must see the very versions that `make run` installs.
        command += ["--constraints", LOCKS / "run.txt"]
    done = subprocess.run(
        command, input="\n".join(wanted(name)), text=True, cwd=CHECKOUT, check=False
    )
    if done.returncode:
        stop(f"uv could not resolve requirements/{name}; its message is above.")
    body = target.read_text(encoding="utf-8")
    target.write_text(HEADER.format(what=FILES[name][0]) + body, encoding="utf-8")
