"""Whether the processor runs the guests, or QEMU translates what they do."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Literal, cast, get_args

from cluster import kept, programs
from cluster.errors import ClusterError
from cluster.machine import boot, disks

Accelerator = Literal["kvm", "tcg"]
"""``kvm``: the processor runs the guest; ``tcg``: QEMU translates it, several times slower."""

VARIABLE = "LECTERN_CLUSTER_ACCEL"
"""Environment variable that forces one accelerator."""

_KVM = Path("/dev/kvm")
_KVM_CREATE_VM = 0xAE01
_BOOT_SECONDS = 10.0
"""The kernel starts within 2 seconds on a processor that helps, within 5 when translated."""


def forced() -> Accelerator | None:
    """Return the accelerator that the environment asks for.

    Raises:
        ClusterError: when it asks for one that there is not.
    """
    word = os.environ.get(VARIABLE, "")
    if not word:
        return None
    if word in get_args(Accelerator):
        return cast("Accelerator", word)
    raise ClusterError(f"{VARIABLE}={word} names no accelerator: kvm or tcg")


def chosen(kernel: Path, initial_files: Path, say: Callable[[str], None]) -> Accelerator:
    """Return the faster accelerator that works; tried once after each start of this machine.

    Args:
        kernel: what is started to try.
        initial_files: the initial file system of `boot`.
        say: is told when the processor could help, but is of no use.
    """
    if not makes_machines():
        return "tcg"
    start = Path("/proc/sys/kernel/random/boot_id").read_bytes()
    note = disks.folder() / f"accelerator-{kept.digest(start, os.fsencode(kernel))}"
    if not note.exists():
        works = starts(kernel, initial_files)
        if not works:
            say(f"{_KVM} is of no use here: a kernel did not start within {_BOOT_SECONDS:g} s")
        note.write_text("kvm" if works else "tcg", encoding="utf-8")
    return cast("Accelerator", note.read_text())


def makes_machines(device: Path = _KVM) -> bool:
    """Whether the kernel makes a virtual machine; that a device is there proves nothing."""
    try:
        with device.open("rb+", buffering=0) as file:
            os.close(fcntl.ioctl(file, _KVM_CREATE_VM, 0))
    except OSError:
        return False
    return True


def starts(kernel: Path, initial_files: Path) -> bool:
    """Whether a kernel really starts with it.

    Some nested machines make virtual machines and then run them slower than QEMU
    translates them, or refuse what QEMU asks for.
    """
    program = programs.on_path("qemu-system-x86_64", "qemu-system-x86")
    command = ["setpriv", "--pdeathsig", "KILL", program, "-nodefaults", "-no-user-config"]
    command += ["-no-reboot", "-display", "none", "-machine", "q35", *words("kvm"), "-m", "512"]
    command += ["-kernel", str(kernel), "-initrd", str(initial_files)]
    command += ["-append", "console=ttyS0 quiet panic=-1 mitigations=off", "-serial", "stdio"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_BOOT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return False
    return boot.NO_DISK.encode() in done.stdout


def words(accelerator: Accelerator) -> list[str]:
    """Return QEMU's options for an accelerator and the processor that goes with it."""
    if accelerator == "kvm":
        # Some processors have a register that a nested machine's kernel does not let QEMU set.
        return ["-accel", "kvm", "-cpu", "host,arch-capabilities=off"]
    # Programs that find newer instructions use them, and each costs more than what it saves:
    # a node is Ready after 36 s with all that QEMU knows, after 27 s with x86-64-v2.
    return ["-accel", "tcg,thread=multi,tb-size=512", "-cpu", "Nehalem"]
