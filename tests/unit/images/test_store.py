"""Layers that are kept: found again, built once, and gone when nobody wants them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from lectern_images import store as stores
from lectern_images.errors import ImageError
from lectern_images.store import Store, digest_of


def make(work: Path) -> Path:
    folder = work / "upper"
    folder.mkdir()
    (folder / "file").write_text("content")
    return folder


def test_a_layer_is_found_again_with_what_is_known_about_it(tmp_path):
    store = Store(tmp_path / "store")
    assert store.find("a") is None
    built = store.add("a", make)
    found = store.find("a")
    assert found == built
    assert (found.tree / "file").read_text() == "content"
    assert found.file.stat().st_size == found.packed.size
    assert not list(store.folder.glob("work-*"))


def test_a_layer_that_fails_leaves_nothing(tmp_path):
    store = Store(tmp_path / "store")

    def fail(work: Path) -> Path:
        (work / "half").write_text("done")
        raise ImageError("no")

    with pytest.raises(ImageError):
        store.add("a", fail)
    assert store.find("a") is None
    assert not list(store.folder.glob("work-*"))


def test_what_nobody_wanted_for_a_month_goes_and_what_was_used_stays(tmp_path):
    store = Store(tmp_path / "store")
    for key in ("used", "old"):
        folder = store.add(key, make).folder
        long_ago = time.time() - stores._KEPT_SECONDS - 60
        os.utime(folder, (long_ago, long_ago))
    with store.alone(print):
        store.find("used")
    assert [path.name for path in (store.folder / "layers").iterdir()] == ["used"]


def test_what_a_killed_build_left_is_cleared_by_the_next(tmp_path):
    store = Store(tmp_path / "store")
    (store.folder / "work-killed" / "upper").mkdir(parents=True)
    with store.alone(print):
        assert not list(store.folder.glob("work-*"))


def test_others_cannot_look_into_the_store(tmp_path):
    assert Store(tmp_path / "store").folder.stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ImageError, match="set XDG_CACHE_HOME"):
        Store(tmp_path / "file" / "store")


def test_a_digest_knows_names_contents_and_programs_and_no_times_or_umasks(tmp_path):
    def digest(name: str, content: str, mode: int) -> str:
        folder = tmp_path / f"{name}-{content}-{mode}"
        (folder / "sub").mkdir(parents=True)
        file = folder / "sub" / name
        file.write_text(content)
        file.chmod(mode)
        return digest_of(folder)

    first = digest("a", "x", 0o644)
    assert first == digest("a", "x", 0o600)
    assert len({first, digest("b", "x", 0o644), digest("a", "y", 0o644),
                digest("a", "x", 0o755)}) == 4  # fmt: skip
