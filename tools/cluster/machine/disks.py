"""The disks of a machine node beside the system's, made without mounting them here.

- *state*: what the node writes, with the images that it has from the beginning;
- *programs*: shared by all nodes and never written;
- *settings*: a tar archive with the node's own files, unpacked at each start.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from cluster import kept, programs
from cluster.errors import ClusterError
from cluster.layout import cache
from cluster.oci import Entry

_STATE_BYTES = 20 * 2**30
_PROGRAMS_BYTES = 2 * 2**30
_BYTES_PER_INODE = 2**16
"""Images have many small files, yet 300,000 of them are enough."""

_SECTOR_BYTES = 512

_IMPORT = """\
set -e
root=$1 work=$2
mount --bind "$work" "$root/work"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"
chroot "$root" /usr/bin/containerd --config /work/containerd.toml &
ctr() { chroot "$root" /usr/bin/ctr --address /tmp/socket --namespace k8s.io "$@"; }
until ctr version >"$work/version" 2>&1; do
  kill -0 $! || exit 1
  sleep 0.05
done
for archive in "$work"/archives/*; do
  ctr images import --all-platforms "/work/archives/${archive##*/}"
done
kill $!
wait
"""

_CONTAINERD = """\
version = 2
root = "/work/disk/containerd"
state = "/tmp/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "/tmp/socket"
"""


def folder() -> Path:
    """Return where all that belongs to machine nodes is kept."""
    return cache() / "machines"


def with_images(importer: Path, archives: Sequence[Path], say: Callable[[str], None]) -> Path:
    """Return a disk on which a containerd has images already.

    Args:
        importer: root folder with the containerd that will read the disk.
        archives: OCI or Docker archives.
        say: is told when the disk is made.
    """
    files = kept.digest_of_files(archives)
    name = f"images-{kept.digest(importer.parent.name.encode(), files.encode())}.ext4"
    megabytes = sum(path.stat().st_size for path in archives) / 1e6
    about = f"a disk with {len(archives)} images for machine nodes (once; {megabytes:.0f} MB)"
    return kept.kept(
        folder() / name, lambda work: _import(importer, archives, work / name), say, about
    )


def _import(importer: Path, archives: Sequence[Path], disk: Path) -> None:
    work = disk.parent
    for folder in ("archives", "disk/containerd"):
        (work / folder).mkdir(parents=True)
    for number, archive in enumerate(archives):
        place(archive, work / "archives" / f"{number}.tar")
    (work / "containerd.toml").write_text(_CONTAINERD, encoding="utf-8")
    _run(private(["sh", "-c", _IMPORT, "import", str(importer), str(work)]))
    make_filesystem(work / "disk", disk, _STATE_BYTES)


def with_programs(files: Mapping[str, Path], say: Callable[[str], None]) -> Path:
    """Return a disk with programs.

    Args:
        files: the programs by the names that they have in the guest.
        say: is told when the disk is made.
    """
    names = sorted(files)
    content = kept.digest_of_files(files[name] for name in names)
    name = f"programs-{kept.digest(repr(names).encode(), content.encode())}.ext4"

    def make(work: Path) -> None:
        (work / "disk").mkdir()
        for program in names:
            place(files[program], work / "disk" / program)
        make_filesystem(work / "disk", work / name, _PROGRAMS_BYTES, journal=False)

    return kept.kept(folder() / name, make, say, "a disk with programs for machine nodes")


def place(source: Path, target: Path) -> None:
    """Put a file at another place without copying it, where both are on one file system."""
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copy(source, target)


def make_filesystem(folder: Path, disk: Path, size_bytes: int, *, journal: bool = True) -> None:
    """Write a folder's content as an ext4 file system; the file is sparse."""
    tool = programs.on_path("mkfs.ext4", "e2fsprogs")
    with disk.open("wb") as file:
        file.truncate(size_bytes)
    options = ["-q", "-F", "-m", "0", "-i", str(_BYTES_PER_INODE), "-O", "^resize_inode"]
    options += ["-J", "size=16"] if journal else ["-O", "^has_journal"]
    _run([tool, *options, "-E", "lazy_itable_init=1", "-d", str(folder), str(disk)])


def copy(source: Path, target: Path) -> None:
    """Copy a disk, leaving its holes holes; only root may read the copy."""
    with source.open("rb") as old, _closed(target) as new:
        size = old.seek(0, os.SEEK_END)
        new.truncate(size)
        end = 0
        while end < size:
            try:
                start = os.lseek(old.fileno(), end, os.SEEK_DATA)
            except OSError:  # no data up to the end
                return
            end = os.lseek(old.fileno(), start, os.SEEK_HOLE)
            _copy_part(old.fileno(), new.fileno(), start, end)


def _copy_part(source: int, target: int, start: int, end: int) -> None:
    while start < end:
        start += os.copy_file_range(source, target, end - start, start, start)


def settings(entries: Iterable[Entry], disk: Path) -> None:
    """Write a node's own files, keys among them; only root may read the disk."""
    with _closed(disk) as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for entry in entries:
                tar.addfile(entry.header(), io.BytesIO(entry.content or b""))
        file.truncate(-(-file.tell() // _SECTOR_BYTES) * _SECTOR_BYTES)


def _closed(path: Path) -> io.BufferedRandom:
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")


def private(command: Sequence[str]) -> list[str]:
    """Return a command that mounts for itself alone, and dies with the one who started it."""
    dies = ["setpriv", "--pdeathsig", "KILL"]
    spaces = ["unshare", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child"]
    return [*dies, *spaces, *command]


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ClusterError(f"a disk could not be made: {done.stderr.strip()[-2000:]}")
