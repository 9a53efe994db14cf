"""The two images of the cluster itself: what holds a pod, and a shell with its tools."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from cluster import oci, programs
from cluster.errors import ClusterError
from cluster.layout import cache

PAUSE = "lectern.test/pause:1"
BUSYBOX = "lectern.test/busybox:1"

_PASSWD = b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
_GROUP = b"root:x:0:\nnogroup:x:65534:\n"
_INTERPRETER = 3
"""Type of the ELF program header that asks for a dynamic linker."""


def archives(say: Callable[[str], None]) -> list[Path]:
    """Return both images as OCI archives, making them when they are not in the cache yet."""
    return [pause(say), busybox()]


def pause(say: Callable[[str], None]) -> Path:
    """Return the archive of `PAUSE`: one static program that sleeps."""
    content = programs.built("pause", say).read_bytes()
    config = {"Entrypoint": ["/pause"], "User": "65535:65535"}
    return _kept(oci.Image(PAUSE, [oci.Entry("pause", content)], config), content)


def busybox() -> Path:
    """Return the archive of `BUSYBOX`: Debian's static busybox with a link for each tool."""
    program = _static_busybox()
    content = program.read_bytes()
    config = {"Cmd": ["sh"], "Env": ["PATH=/bin"], "WorkingDir": "/"}
    return _kept(oci.Image(BUSYBOX, list(_system(program, content)), config), content)


def _system(program: Path, content: bytes) -> Iterator[oci.Entry]:
    """Yield the smallest root file system that programs expect."""
    for folder in ("bin", "dev", "etc", "home", "proc", "root", "sys", "var"):
        yield oci.Entry(folder)
    yield oci.Entry("tmp", mode=0o1777)
    yield oci.Entry("etc/passwd", _PASSWD, mode=0o644)
    yield oci.Entry("etc/group", _GROUP, mode=0o644)
    yield oci.Entry("bin/busybox", content)
    listed = subprocess.run([program, "--list"], capture_output=True, text=True, check=True)
    for tool in sorted(set(listed.stdout.split()) - {"busybox"}):
        yield oci.Entry(f"bin/{tool}", link="busybox")


def _kept(image: oci.Image, content: bytes) -> Path:
    """Write an archive under a name made from what is in it, unless it is there."""
    name = image.name.rpartition("/")[2].replace(":", "-")
    digest = hashlib.sha256(content + repr(image.config).encode()).hexdigest()[:12]
    path = cache() / "images" / f"{name}-{digest}.tar"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        oci.write(image, path)
    return path


def _static_busybox() -> Path:
    """Return a busybox that needs no libraries: the machine's, or Debian's from its package.

    The package is only unpacked: installed, it would replace the machine's own busybox.
    """
    kept = cache() / "images" / "busybox"
    found = shutil.which("busybox")
    for path in (kept, Path(found) if found else kept):
        if path.exists() and _is_static(path):
            return path
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as work:
        _do(work, "apt-get", "download", "busybox-static")
        (package,) = Path(work).glob("*.deb")
        _do(work, "dpkg-deb", "-x", package.name, "unpacked")
        (Path(work) / "unpacked" / "bin" / "busybox").replace(kept)
    return kept


def _do(folder: str, *words: str) -> None:
    try:
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise ClusterError(
            f"a static busybox is missing, and {words[0]}: {error.strerror}"
        ) from None
    if done.returncode:
        raise ClusterError(
            f"a static busybox is missing, and {words[0]} said: {done.stderr.strip()}"
        )


def _is_static(path: Path) -> bool:
    """Whether a 64-bit ELF program asks for no dynamic linker."""
    content = path.read_bytes()
    if content[:5] != b"\x7fELF\x02":
        return False
    start = int.from_bytes(content[32:40], "little")
    size, count = (int.from_bytes(content[at : at + 2], "little") for at in (54, 56))
    headers = (content[start + size * number :][:4] for number in range(count))
    return all(int.from_bytes(header, "little") != _INTERPRETER for header in headers)
