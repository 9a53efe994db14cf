"""From the kernel's start to systemd's: the initial file system and its one script.

Debian's own initial file system looks for devices, file systems and keyboards
for seconds. Here everything is known before, so a shell script of a few lines does.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

from cluster.oci import Entry

MODULES = ("virtio_pci", "virtio_blk", "overlay", "virtio_rng")
"""Kernel modules without which the disks cannot be read; the system loads all others."""

PROGRAMS_FOLDER = "/opt/lectern"
"""Where the disk with programs is in the guest."""

PREPARE = "/etc/lectern/prepare"
"""Shell script among the node's own files, run in the whole system before systemd."""

STATE_FOLDERS = ("containerd", "kubelet")
"""Folders of /var/lib that lie on the state disk as they are: containers cannot lie on an overlay."""

NO_DISK = "boot: no system disk"
"""What a machine without disks says before it switches itself off."""

# The four disks, in the order in which `qemu` names them.
_SYSTEM, _STATE, _PROGRAMS, _SETTINGS = (f"/dev/vd{letter}" for letter in "abcd")

SCRIPT = f"""\
#!/bin/busybox sh
# The system disk is shared by all machines and never written: an overlay takes the changes.
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in /modules/*; do insmod "$module"; done
stop() {{ echo "${{1:-{NO_DISK}}}"; poweroff -f; }}
mount -t ext4 -o ro {_SYSTEM} /system || stop
mount -t ext4 -o noatime,noinit_itable {_STATE} /state || stop "boot: no state disk"
mkdir -p /state/root /state/work
mount -t overlay -o lowerdir=/system,upperdir=/state/root,workdir=/state/work root /root ||
  stop "boot: no overlay"
for name in {" ".join(STATE_FOLDERS)}; do
  mkdir -p "/state/$name"
  mount --bind "/state/$name" "/root/var/lib/$name"
done
mount -t ext4 -o ro {_PROGRAMS} /root{PROGRAMS_FOLDER} || stop "boot: no disk with programs"
tar -x -f {_SETTINGS} -C /root || stop "boot: no settings"
for name in proc sys dev; do mount --move "/$name" "/root/$name"; done
chroot /root /bin/sh {PREPARE} || stop "boot: the system could not be prepared"
exec switch_root /root /lib/systemd/systemd
"""

_TOOLS = (
    "sh", "mount", "insmod", "mkdir", "tar", "chroot", "switch_root", "poweroff", "echo",
)  # fmt: skip


def initial_files(root: Path) -> bytes:
    """Return the initial file system for the system in a folder."""
    entries = [Entry(name) for name in ("bin", "dev", "proc", "sys", "modules")]
    entries += [Entry(name) for name in ("system", "state", "root")]
    entries.append(Entry("bin/busybox", (root / "bin" / "busybox").read_bytes()))
    entries += [Entry(f"bin/{name}", link="busybox") for name in _TOOLS]
    (modules,) = (root / "lib" / "modules").iterdir()
    for index, file in enumerate(in_order((modules / "modules.dep").read_text(), MODULES)):
        content = (modules / file).read_bytes()
        entries.append(Entry(f"modules/{index:02}-{Path(file).name}", content, mode=0o644))
    entries.append(Entry("init", SCRIPT.encode()))
    return archive(entries)


def in_order(dependencies: str, wanted: Iterable[str]) -> list[str]:
    """Return the files of kernel modules, each after those that it needs.

    Args:
        dependencies: text of ``modules.dep``, where each line has the file of a
            module and all that it needs, the most basic last.
        wanted: names of modules; those that are built into the kernel are passed over.
    """
    files: dict[str, list[str]] = {}
    for line in dependencies.splitlines():
        file, _, needed = line.partition(":")
        name = Path(file).name.partition(".")[0].replace("-", "_")
        files[name] = [*reversed(needed.split()), file]
    found = [file for name in wanted for file in files.get(name, [])]
    return list(dict.fromkeys(found))


def archive(entries: Iterable[Entry]) -> bytes:
    """Return entries as the kernel wants them: cpio in its "newc" form.

    Source: "initramfs buffer format" in the kernel's documentation.
    """
    buffer = io.BytesIO()
    for number, entry in enumerate([*entries, Entry("TRAILER!!!", b"", mode=0)], start=1):
        kind = 0o100000
        content = entry.content
        if entry.link is not None:
            kind, content = 0o120000, entry.link.encode()
        elif content is None:
            kind, content = 0o040000, b""
        name = entry.path.strip("/").encode() + b"\0"
        fields = (number, kind | entry.mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        for part in (header + name, content):
            buffer.write(part + b"\0" * (-len(part) % 4))
    return buffer.getvalue()
