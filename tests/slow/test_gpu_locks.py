"""The locks of GPU images, worked out anew for machines without one: the same versions."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from lectern_images import listing, locks, wheels
from lectern_images.locks import PLATFORM, PYTHON_VERSION

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
LISTED = listing.load(ROOT / "images")
CUDA = re.compile(r"(nvidia-|cuda-|triton$).*")
GPU = [lock for lock in locks.locks(LISTED) if lock.image.startswith("gpu-")]


@pytest.mark.parametrize("lock", GPU, ids=lambda lock: lock.image)
def test_what_is_not_of_cuda_is_the_same_without_a_gpu(lock, tmp_path):
    """CPU wheels are the same packages without the libraries of CUDA, which are left out here."""
    pins = [*locks.below(LISTED, lock), *wheels.pins(locks.read(lock))]
    ours = {pin.name: pin.version for pin in pins if not CUDA.fullmatch(pin.name)}
    fixed = tmp_path / "fixed.txt"
    fixed.write_text("".join(f"{name}=={version}\n" for name, version in ours.items()))
    excluded = tmp_path / "excluded.txt"
    excluded.write_text("\n".join(pin.name for pin in pins if CUDA.fullmatch(pin.name)))
    wanted = [word.replace("[and-cuda]", "") for word in lock.wanted]
    done = subprocess.run(
        ["uv", "pip", "compile", "-", "--python-version", PYTHON_VERSION, "--only-binary", ":all:",
         "--python-platform", PLATFORM, "--no-header", "--no-annotate", "--quiet",
         "--constraints", fixed, "--excludes", excluded],
        input="\n".join(wanted), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = dict(line.split("==") for line in done.stdout.splitlines() if "==" in line)
    assert not [name for name in found if CUDA.fullmatch(name)]
    assert {name: ours.get(name) for name in found} == found
