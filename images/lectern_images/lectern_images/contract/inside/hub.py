"""Run inside the hub's image: every verb and every plugin that it needs is there.

Prints a JSON object of versions, or one line that says what is wrong.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points, version

GROUPS = ("lectern.commands", "jupyterhub.authenticators", "jupyterhub.spawners")
PACKAGES = ("lectern", "jupyterhub", "jupyterhub-kubespawner")


def main() -> None:
    """Load what JupyterHub and people name, and let the programs say who they are."""
    for group in GROUPS:
        for point in entry_points(group=group):
            if point.dist and point.dist.name in PACKAGES:
                try:
                    point.load()
                except ImportError as error:
                    sys.exit(f"{group} {point.name} cannot be loaded: {error}")
    for words in (["lectern", "--help"], ["jupyterhub", "--version"]):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(words)} fails: {done.stderr.strip()}")
    print(json.dumps({name: version(name) for name in PACKAGES}))


if __name__ == "__main__":
    main()
