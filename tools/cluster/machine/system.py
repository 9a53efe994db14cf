"""Debian with Debian's kernel for machine nodes, built once and shared by all of them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cluster import kept, programs
from cluster.errors import ClusterError
from cluster.machine import boot, disks

SUITE = "bookworm"
PACKAGES = (
    "busybox-static",
    "ca-certificates",
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "ipset",
    "iproute2",
    "iptables",
    "kmod",
    "linux-image-cloud-amd64",
    "nfs-common",
    "nftables",
    "procps",
    "qemu-guest-agent",
    "runc",
    "systemd-sysv",
)
_NOT_UNPACKED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
_REMOVED = ("boot", "var/cache/apt", "var/lib/apt/lists", "usr/share/perl", "usr/share/i18n")
_MASKED = (
    # Nothing here waits for a device: what is needed is loaded before systemd starts.
    "systemd-udevd.service",
    "systemd-udevd-control.socket",
    "systemd-udevd-kernel.socket",
    "systemd-udev-trigger.service",
    "systemd-modules-load.service",
    "systemd-sysctl.service",
    "systemd-remount-fs.service",
    "systemd-random-seed.service",
    "systemd-update-utmp.service",
    "systemd-user-sessions.service",
    "systemd-logind.service",
    "systemd-binfmt.service",
    "systemd-ask-password-console.path",
    "systemd-ask-password-wall.path",
    "getty.target",
    "timers.target",
    "remote-fs.target",
    "nfs-client.target",
    "rpcbind.service",
    "rpcbind.socket",
    "rpc-statd.service",
    "rpc-statd-notify.service",
    "rpc-gssd.service",
    "auth-rpcgss-module.service",
    "dev-hugepages.mount",
    "dev-mqueue.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "sys-kernel-config.mount",
    "sys-fs-fuse-connections.mount",
    "proc-sys-fs-binfmt_misc.automount",
    "proc-sys-fs-binfmt_misc.mount",
    "modprobe@.service",
    "e2scrub_reap.service",
    "nftables.service",
    "containerd.service",
    "qemu-guest-agent.service",
)
_SOURCES = ("sources.list", "sources.list.d/*.list", "sources.list.d/*.sources")
_SIZE_BYTES = 2 * 2**30
"""More than the system can ever need; the file takes only what is in it."""


@dataclass(frozen=True)
class System:
    """A folder with a built system."""

    folder: Path

    @property
    def disk(self) -> Path:
        """The root file system; never written."""
        return self.folder / "root.ext4"

    @property
    def kernel(self) -> Path:
        """Debian's cloud kernel."""
        return self.folder / "vmlinuz"

    @property
    def initial_files(self) -> Path:
        """What runs before the root file system is there."""
        return self.folder / "initrd"

    @property
    def importer(self) -> Path:
        """A root folder with the system's own containerd, to fill disks with images for it."""
        return self.folder / "importer"


def built(say: Callable[[str], None]) -> System:
    """Return the system, building it when it is not in the cache yet.

    Raises:
        ClusterError: when a tool is missing or the packages cannot be had.
    """
    made_from = [Path(file).read_bytes() for file in (boot.__file__, disks.__file__, __file__)]
    name = f"system-{kept.digest(*made_from)}"
    about = "a Debian system for machine nodes (once; about 2 minutes on two cores)"
    target = disks.folder() / name
    return System(kept.kept(target, lambda work: _build(work, System(work / name)), say, about))


def _build(work: Path, system: System) -> None:
    root = work / "root"
    _install(root)
    system.folder.mkdir()
    (kernel,) = (root / "boot").glob("vmlinuz-*")
    shutil.copyfile(kernel, system.kernel)
    system.initial_files.write_bytes(boot.initial_files(root))
    _copy_importer(root, system.importer)
    _trim(root)
    disks.make_filesystem(root, system.disk, _SIZE_BYTES, journal=False)


def _install(root: Path) -> None:
    """Install the packages from where this machine has its own."""
    tool = programs.on_path("mmdebstrap", "mmdebstrap")
    folder = Path("/etc/apt")
    sources = [str(path) for pattern in _SOURCES for path in sorted(folder.glob(pattern))]
    options = [f"--dpkgopt=path-exclude={pattern}" for pattern in _NOT_UNPACKED]
    options += ["--dpkgopt=force-unsafe-io", "--aptopt=Apt::Install-Recommends false"]
    command = [tool, "--variant=minbase", "--mode=root", "--format=directory", *options]
    command += [f"--include={','.join(PACKAGES)}", SUITE, str(root), *sources]
    # No initial file system of Debian's: ours takes its place.
    done = subprocess.run(
        disks.private(["env", "INITRD=No", *command]),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ClusterError(
            f"Debian {SUITE} could not be installed from this machine's package sources; "
            f"mmdebstrap said:\n{done.stderr[-2000:]}"
        )


def _copy_importer(root: Path, target: Path) -> None:
    """Copy containerd and the libraries that it needs."""
    files = ["/usr/bin/containerd", "/usr/bin/ctr"]
    command = ["chroot", str(root), "ldd", *files]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for file in sorted({*files, *libraries(listed)}):
        place = target / file.strip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / file.strip("/"), place)
    for name in ("proc", "tmp", "work"):
        (target / name).mkdir()


def libraries(listed: str) -> set[str]:
    """Return the files that ``ldd`` has listed."""
    return set(re.findall(r"(/\S+\.so\S*) \(", listed))


def _trim(root: Path) -> None:
    """Remove what no node needs, and keep systemd from starting it."""
    for name in _REMOVED:
        shutil.rmtree(root / name, ignore_errors=True)
    units = root / "etc" / "systemd" / "system"
    for name in _MASKED:
        unit = units / name
        unit.unlink(missing_ok=True)
        unit.symlink_to("/dev/null")
    (root / boot.PROGRAMS_FOLDER.strip("/")).mkdir(parents=True)
    for name in boot.STATE_FOLDERS:
        (root / "var" / "lib" / name).mkdir(parents=True, exist_ok=True)
    (root / "etc" / "fstab").write_text("")
    (root / "etc" / "resolv.conf").write_text("")
