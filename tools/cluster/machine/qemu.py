"""The emulator's command line for one machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cluster import programs
from cluster.machine import accelerator as accelerators

_NOBODY = "65534:65534"
AGENT_PORT = "org.qemu.guest_agent.0"

_KERNEL_WORDS = (
    "console=ttyS0",
    "quiet",
    "panic=-1",  # at once: with -no-reboot the machine ends, and its log says why
    "net.ifnames=0",
    "mitigations=off",
    "audit=0",
    "apparmor=0",
    "random.trust_cpu=on",
    "systemd.show_status=false",
)


@dataclass(frozen=True)
class Machine:
    """What a machine is made of."""

    name: str
    kernel: Path
    initial_files: Path
    system_disk: Path
    state_disk: Path
    programs_disk: Path
    settings_disk: Path
    tap: str
    hardware_address: str
    agent: str
    """Socket of the guest's agent, made by QEMU."""

    log: Path
    """Gets what the services say."""

    memory_mib: int = 2048
    processors: int = 2


def command(machine: Machine, accelerator: accelerators.Accelerator) -> list[str]:
    """Return the words that start a machine; its console is QEMU's standard output."""
    program = programs.on_path("qemu-system-x86_64", "qemu-system-x86")
    words = [program, "-name", machine.name, "-nodefaults", "-no-user-config", "-no-reboot"]
    words += ["-display", "none", "-machine", "q35", *accelerators.words(accelerator)]
    words += ["-smp", str(machine.processors), "-m", str(machine.memory_mib)]
    words += ["-kernel", str(machine.kernel), "-initrd", str(machine.initial_files)]
    words += ["-append", " ".join(_KERNEL_WORDS)]
    # In the order that `boot` knows.
    words += [*_disk(machine.system_disk, fixed=True), *_disk(machine.state_disk)]
    words += [*_disk(machine.programs_disk, fixed=True), *_disk(machine.settings_disk, fixed=True)]
    words += ["-netdev", f"tap,id=card,ifname={machine.tap},script=no,downscript=no"]
    words += ["-device", f"virtio-net-pci,netdev=card,mac={machine.hardware_address},romfile="]
    words += ["-device", "virtio-rng-pci", "-device", "virtio-serial-pci"]
    words += ["-chardev", f"socket,id=agent,path={machine.agent},server=on,wait=off"]
    words += ["-device", f"virtserialport,chardev=agent,name={AGENT_PORT}"]
    words += ["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]
    # Services have a console of their own: many lines at once are quicker than the serial port.
    words += ["-chardev", f"file,id=services,path={_escaped(machine.log)},append=on"]
    words += ["-device", "virtconsole,chardev=services"]
    # All files are open by then, so the emulator needs no rights of root any more.
    return [*words, "-runas", _NOBODY, "-sandbox", "on,obsolete=deny,spawn=deny"]


def _disk(path: Path, *, fixed: bool = False) -> list[str]:
    # What a machine writes lives no longer than this machine's memory: nothing waits for a disk.
    options = f"file={_escaped(path)},if=virtio,format=raw,cache=unsafe"
    return ["-drive", f"{options},readonly={'on' if fixed else 'off'}"]


def _escaped(path: Path) -> str:
    return str(path).replace(",", ",,")
