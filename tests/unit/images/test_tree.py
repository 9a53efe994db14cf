"""From a folder of changes to a layer, and back to what an image holds."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from lectern_images import contents, tree

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make whiteouts")


def packed(folder: Path, name: str) -> tuple[tree.Packed, Path]:
    target = folder.parent / f"{name}.tar.gz"
    return tree.pack(folder, target), target


def fill(folder: Path, *, backwards: bool) -> None:
    """Make the same files in another order, at another time."""
    names = ["b/x", "a", "b/y", "中 文"]
    for name in reversed(names) if backwards else names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        path.chmod(0o644)
        os.utime(path, (1, 1) if backwards else (2, 2))
    (folder / "b").chmod(0o755)
    (folder / "link").symlink_to("a")
    os.link(folder / "a", folder / "same")


def test_the_same_files_are_the_same_bytes(tmp_path):
    found = []
    for number, backwards in enumerate((False, True)):
        folder = tmp_path / str(number) / "tree"
        folder.mkdir(parents=True)
        fill(folder, backwards=backwards)
        found.append(packed(folder, f"layer{number}")[0])
    assert found[0] == found[1]
    assert found[0].content == len("b/xab/y") + len("中 文".encode())


def test_times_are_one_and_links_are_kept(tmp_path):
    folder = tmp_path / "tree"
    folder.mkdir()
    fill(folder, backwards=False)
    _, file = packed(folder, "layer")
    with tarfile.open(file) as archive:
        members = {member.name: member for member in archive}
    assert {member.mtime for member in members.values()} == {tree.EPOCH}
    assert members["same"].islnk()
    assert members["same"].linkname == "a"
    assert members["link"].linkname == "a"
    assert not {member.uname for member in members.values()} - {""}


@ROOT_ONLY
def test_what_an_upper_layer_removes_is_not_in_the_image(tmp_path):
    lower, upper = tmp_path / "lower", tmp_path / "upper"
    for name in ("kept", "gone", "folder/old", "replaced/old", "shadowed"):
        path = lower / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("lower")
    (upper / "replaced").mkdir(parents=True)
    os.setxattr(upper / "replaced", "trusted.overlay.opaque", b"y")
    (upper / "replaced" / "new").write_text("upper")
    (upper / "shadowed").write_text("upper")
    for name in ("gone", "folder"):
        os.mknod(upper / name, 0o020000, os.makedev(0, 0))
    files = [packed(folder, folder.name)[1] for folder in (lower, upper)]
    for layers in (files, [lower, upper]):
        found = {row.path: row.read() for row in contents.entries(layers) if row.header.isreg()}
        assert found == {"kept": b"lower", "replaced/new": b"upper", "shadowed": b"upper"}


@ROOT_ONLY
def test_a_device_is_refused(tmp_path):
    (tmp_path / "tree").mkdir()
    os.mknod(tmp_path / "tree" / "null", 0o020666, os.makedev(1, 3))
    with pytest.raises(ValueError, match="null is a device"):
        packed(tmp_path / "tree", "layer")
