"""The parts of a machine node that need no machine."""

import itertools
import json
import socket
import subprocess
import tarfile
import threading
from base64 import b64encode
from pathlib import Path

import pytest

from cluster.errors import ClusterError
from cluster.machine import accelerator, boot, disks, guest, qemu, system
from cluster.machine.agent import Agent
from cluster.oci import Entry

MACHINE = qemu.Machine(
    name="machine-2",
    kernel=Path("/k"),
    initial_files=Path("/i"),
    system_disk=Path("/cache, ours/root.ext4"),
    state_disk=Path("/state"),
    programs_disk=Path("/programs"),
    settings_disk=Path("/settings"),
    tap="tap2",
    hardware_address="52:54:00:99:00:02",
    agent="/run/agent",
    log=Path("/log"),
)


def test_modules_come_after_those_that_they_need():
    listed = (
        "a/virtio.ko:\na/virtio-pci.ko: a/legacy.ko a/virtio.ko\na/legacy.ko:\nb/other.ko: a/x.ko\n"
    )
    wanted = ["virtio_pci", "virtio", "builtin"]
    assert boot.in_order(listed, wanted) == ["a/virtio.ko", "a/legacy.ko", "a/virtio-pci.ko"]


def unpacked(archive: bytes) -> dict[str, tuple[int, bytes]]:
    """Return mode and content by name, read as the kernel does: headers, and padding to 4."""
    found, place = {}, 0
    while True:
        header = archive[place : place + 110]
        assert header[:6] == b"070701"
        fields = [int(header[at : at + 8], 16) for at in range(6, 110, 8)]
        mode, size, length = fields[1], fields[6], fields[11]
        name = archive[place + 110 : place + 110 + length].rstrip(b"\0").decode()
        place = -(-(place + 110 + length) // 4) * 4
        if name == "TRAILER!!!":
            return found
        found[name] = (mode, archive[place : place + size])
        place = -(-(place + size) // 4) * 4


def test_the_initial_file_system_is_a_cpio_archive():
    entries = [Entry("bin"), Entry("/bin/tool", b"odd"), Entry("bin/other", link="tool")]
    assert unpacked(boot.archive(entries)) == {
        "bin": (0o040755, b""),
        "bin/tool": (0o100755, b"odd"),
        "bin/other": (0o120755, b"tool"),
    }


def test_the_first_script_is_one_that_a_shell_reads():
    subprocess.run(["sh", "-n"], input=boot.SCRIPT, text=True, check=True)
    assert (
        boot.SCRIPT.index("/dev/vda")
        < boot.SCRIPT.index("/dev/vdb")
        < boot.SCRIPT.index("/dev/vdd")
    )


@pytest.mark.parametrize("number", range(2, guest.LAST_NUMBER + 1))
def test_a_node_has_routes_to_all_pods_but_its_own(number):
    script = guest.Guest(f"machine-{number}", number).prepare()
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)
    assert "route add 10.244.1.0/24 via 10.99.0.1\n" in script
    assert script.count("route add 10.244.") == guest.LAST_NUMBER - 1
    assert f"10.244.{number}.0/24" not in script


def test_words_reach_a_program_as_they_are():
    words = ["a b", 'say "hi"', "50%", "$HOME", "back\\slash", "two\nlines"]
    expected = '"a b" "say \\"hi\\"" "50%%" "$$HOME" "back\\\\slash" "two\\nlines"'
    assert guest.quoted(words) == expected
    assert guest.quoted(["A=$x"], is_command=False) == '"A=$x"'


def test_a_unit_starts_with_the_system_and_again_after_its_end():
    unit, link = guest.unit("x", ["/bin/x", "-y"], {"After": "kubelet.service", "Nice": "5"})
    text = unit.content.decode()
    assert 'ExecStart="/bin/x" "-y"\n' in text
    assert "After=kubelet.service\n" in text.split("[Service]")[0]
    assert "Nice=5\nStandard" in text
    assert "Restart=always\n" in text
    assert (link.path, link.link) == (
        "/etc/systemd/system/multi-user.target.wants/x.service",
        "/etc/systemd/system/x.service",
    )


def test_the_emulator_gets_the_disks_in_the_order_that_the_guest_knows():
    words = qemu.command(MACHINE, "tcg")
    drives = [after for word, after in itertools.pairwise(words) if word == "-drive"]
    files = [drive.partition(",if=")[0] for drive in drives]
    assert files == [
        "file=/cache,, ours/root.ext4",
        "file=/state",
        "file=/programs",
        "file=/settings",
    ]
    assert [drive.endswith("readonly=on") for drive in drives] == [True, False, True, True]
    assert words[words.index("-accel") + 1].startswith("tcg")
    assert "kvm" in qemu.command(MACHINE, "kvm")


def test_the_environment_forces_an_accelerator(monkeypatch):
    monkeypatch.setenv(accelerator.VARIABLE, "tcg")
    assert accelerator.forced() == "tcg"
    monkeypatch.setenv(accelerator.VARIABLE, "")
    assert accelerator.forced() is None
    monkeypatch.setenv(accelerator.VARIABLE, "xen")
    with pytest.raises(ClusterError, match="xen names no accelerator"):
        accelerator.forced()


def test_a_device_that_makes_no_machines_is_no_kvm(tmp_path):
    (tmp_path / "kvm").touch()
    assert not accelerator.makes_machines(tmp_path / "kvm")
    assert not accelerator.makes_machines(tmp_path / "none")


def test_libraries_are_found_in_what_ldd_lists():
    listed = (
        "/usr/bin/x:\n\tlinux-vdso.so.1 (0x1)\n\tlibc.so.6 => /lib/libc.so.6 (0x2)\n"
        "\t/lib64/ld-linux-x86-64.so.2 (0x3)\n"
    )
    assert system.libraries(listed) == {"/lib/libc.so.6", "/lib64/ld-linux-x86-64.so.2"}


def test_a_copied_disk_has_the_same_content_and_the_same_holes(tmp_path):
    with (tmp_path / "old").open("wb") as file:
        for place in (0, 5 * 2**20, 40 * 2**20):
            file.seek(place)
            file.write(b"data" * 2000)
        file.truncate(64 * 2**20)
    (tmp_path / "new").write_bytes(b"from before" * 10_000_000)
    disks.copy(tmp_path / "old", tmp_path / "new")
    new = (tmp_path / "new").stat()
    assert (tmp_path / "new").read_bytes() == (tmp_path / "old").read_bytes()
    assert (new.st_mode & 0o777, new.st_blocks * 512 < 2**20) == (0o600, True)


def test_settings_are_a_closed_archive_of_whole_sectors(tmp_path):
    disks.settings([Entry("/etc/key", b"secret", mode=0o600), Entry("a", link="b")], tmp_path / "d")
    assert (tmp_path / "d").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "d").stat().st_size % 512 == 0
    with tarfile.open(tmp_path / "d") as tar:
        assert next((row.name, row.mode) for row in tar) == ("etc/key", 0o600)


@pytest.fixture
def agent(tmp_path):
    """A guest that runs `false` and everything else as `true`, after some noise."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "agent"))
    listener.listen()
    thread = threading.Thread(target=serve, args=(listener,), daemon=True)
    thread.start()
    yield Agent("machine-2", tmp_path / "agent")
    listener.close()
    thread.join(10)


def serve(listener: socket.socket) -> None:
    try:
        connection, _ = listener.accept()
    except OSError:
        return
    with connection, connection.makefile("rwb") as stream:
        stream.write(b'{"return": "of an earlier question"}\n')
        code, asked = 0, 0
        for line in stream:
            question = json.loads(line.lstrip(b"\xff"))
            arguments = question["arguments"]
            match question["execute"]:
                case "guest-sync-delimited":
                    stream.write(b'\xff{"return": 1}\n\xff')
                    answer = arguments["id"]
                case "guest-exec":
                    code, answer = int(arguments["path"] == "false"), {"pid": 7}
                case "guest-exec-status":
                    asked += 1
                    texts = {"out-data": b64encode(b"out").decode(), "err-data": ""}
                    ended = {"exited": True, "exitcode": code} | texts
                    answer = ended if asked > 1 else {"exited": False}
            stream.write(json.dumps({"return": answer}).encode() + b"\n")
            stream.flush()


def test_a_command_runs_in_the_guest(agent):
    assert agent.run(["true"]) == "out"


def test_a_command_that_fails_says_where(agent):
    with pytest.raises(ClusterError, match="false on machine-2 ended with 1: out"):
        agent.run(["false"])


def test_a_guest_that_is_off_does_not_answer(tmp_path):
    agent = Agent("machine-2", tmp_path / "none")
    assert not agent.answers()
    with pytest.raises(ClusterError, match="machine-2 does not answer"):
        agent.run(["true"])
