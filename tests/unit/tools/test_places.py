"""Where the make targets put environments and state."""

import os
import tempfile
from pathlib import Path

import pytest

from workshop import interpreters, places

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for other accounts")


@pytest.fixture
def interpreter():
    return interpreters.choose()


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Path:
    """Return a folder that every account can enter, its parents opened for the test."""
    folder = tmp_path / "my dir 中" / "lectern"
    folder.mkdir(parents=True)
    monkeypatch.setattr(places, "SYSTEM", tmp_path / "system")
    for parent in (folder, *folder.parents):
        if Path(tempfile.gettempdir()) in parent.parents:
            parent.chmod(0o755)
    return folder


@NEEDS_ROOT
def test_root_stays_in_a_checkout_that_all_can_enter(checkout, interpreter):
    found = places.find(interpreter, checkout)
    assert found.base == checkout / ".lectern"
    assert found.is_reachable


@NEEDS_ROOT
def test_root_leaves_a_checkout_that_others_cannot_enter(checkout, interpreter, tmp_path):
    checkout.parent.chmod(0o700)
    found = places.find(interpreter, checkout)
    assert found.base.parent == tmp_path / "system"
    assert found.base.stat().st_mode & 0o005 == 0o005
    assert not found.is_reachable


@NEEDS_ROOT
def test_root_takes_no_folder_that_belongs_to_somebody(checkout, interpreter, tmp_path):
    (checkout / ".lectern").mkdir()
    os.chown(checkout / ".lectern", 12345, 12345)
    assert places.find(interpreter, checkout).base.parent == tmp_path / "system"


@NEEDS_ROOT
def test_roots_umask_does_not_close_the_folder(checkout, interpreter):
    before = os.umask(0o077)
    try:
        base = places.find(interpreter, checkout).base
    finally:
        os.umask(before)
    assert base.stat().st_mode & 0o777 == 0o755


def test_an_ordinary_user_without_the_right_to_write_uses_the_own_home(
    checkout, interpreter, tmp_path, monkeypatch
):
    monkeypatch.setattr(interpreters, "is_root", lambda: False)
    monkeypatch.setattr(places, "is_mine", lambda folder: False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    found = places.find(interpreter, checkout)
    assert found.base.parent == tmp_path / "share" / "lectern"


def test_two_checkouts_of_one_name_get_folders_of_their_own():
    first = places.elsewhere(Path("/var"), Path("/a/lectern"))
    second = places.elsewhere(Path("/var"), Path("/b/lectern"))
    assert first != second
    assert first.name.startswith("lectern-")


@NEEDS_ROOT
def test_root_chooses_a_python_that_others_can_start(monkeypatch, tmp_path, interpreter):
    closed = tmp_path / "python3"
    closed.symlink_to(interpreter.program)
    tmp_path.chmod(0o700)
    monkeypatch.setenv("PYTHON", str(closed))
    assert interpreters.starts_for_others(interpreters.choose())
