"""Plain kubespawner as a peer, where it is installed; no cluster is needed for its page.

Its profiles are as plain as ours: a title, a description, an image and two limits.
"""

from __future__ import annotations

import importlib.util
from typing import Any

from traitlets.config import Config

from bench.society import Society

MISSING = "jupyterhub-kubespawner is not installed in this environment"


def is_installed() -> bool:
    """Whether this peer can be measured."""
    return importlib.util.find_spec("kubespawner") is not None


def society(profiles: int) -> Society:
    """Return people whose spawners are KubeSpawners with that many profiles."""
    from kubespawner import spawner  # type: ignore[import-untyped]

    # It connects to a cluster when it is made; making it and rendering its page need none.
    spawner.load_config = lambda **_options: None
    spawner.shared_client = lambda *_names: None
    config = Config()
    config.KubeSpawner.profile_list = [_profile(number) for number in range(profiles)]
    config.KubeSpawner.events_enabled = False
    config.KubeSpawner.namespace = "lab"
    return Society(spawner.KubeSpawner, config)


def _profile(number: int) -> dict[str, Any]:
    return {
        "display_name": f"Notebook {number}",
        "slug": f"notebook-{number}",
        "description": f"For the exercises of week {number}",
        "kubespawner_override": {
            "image": "lectern/datascience:1",
            "cpu_limit": 1,
            "mem_limit": "1G",
        },
    }
