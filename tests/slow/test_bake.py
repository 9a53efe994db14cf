"""The bake file, read by docker's own buildx."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from cluster import programs
from lectern_images import listing, rendering

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def test_buildx_understands_every_target():
    program = programs.built("buildx", print)
    listed = listing.load(ROOT / "images")
    command = [program, "bake", "--print", "--file", f"images/{rendering.BAKE_FILE}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    targets = json.loads(done.stdout)["target"]
    assert set(targets) == set(listed.file.images)
    for name, target in targets.items():
        base = listed.file.images[name].base
        known = {listed.reference(base): f"target:{base}"} if base in listed.file.images else {}
        assert target.get("contexts", {}) == known
        assert target["tags"] == [listed.reference(name)]
