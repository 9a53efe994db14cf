"""A real NFS 4.1 server, and the kernel client of a machine node."""

from __future__ import annotations

import fcntl
import secrets

import pytest
from tests.support.pods import EMULATED_SECONDS, RESTRICTED, pod, run

from cluster.api import wait
from cluster.errors import ClusterError
from cluster.nfs import EXPORT, volume


@pytest.fixture
def mount(machine_node, nfs):
    """The export, mounted in the guest."""
    folder = f"/mnt/{secrets.token_hex(4)}"
    machine_node.run("mkdir", folder)
    machine_node.run("mount", "-t", "nfs", "-o", "nfsvers=4.1", f"10.99.0.1:{EXPORT}", folder)
    yield folder
    machine_node.run("umount", folder)


def test_a_home_on_nfs_belongs_to_its_person(own_cluster, machine_node, nfs, namespace):
    api = own_cluster.api
    api.apply(volume("home", namespace))
    script = "echo mine >/home/ann/file; cat /home/ann/file; grep ' /home/ann ' /proc/mounts"
    place = {"name": "home", "mountPath": "/home/ann", "subPath": f"people/{namespace}"}
    manifest = pod(
        "writes",
        script,
        node=machine_node.name,
        container={"volumeMounts": [place], "securityContext": RESTRICTED},
        volumes=[{"name": "home", "persistentVolumeClaim": {"claimName": "home"}}],
    )
    phase, text = run(api, namespace, manifest, seconds=EMULATED_SECONDS)
    mine, mounted = text.splitlines()
    assert (phase, mine) == ("Succeeded", "mine")
    device, _, kind, options = mounted.split()[:4]
    assert device.startswith(f"10.99.0.1:{EXPORT}")
    assert (kind, "vers=4.1" in options.split(",")) == ("nfs4", True)
    file = nfs.folder / "people" / namespace / "file"
    assert (file.read_text(), file.stat().st_uid, file.stat().st_gid) == ("mine\n", 20001, 100)


def test_root_on_a_client_is_nobody_on_the_server(machine_node, nfs, mount):
    machine_node.run("touch", f"{mount}/by-root")
    assert (nfs.folder / "by-root").stat().st_uid == 65534
    (nfs.folder / "closed").mkdir(mode=0o700)
    with pytest.raises(ClusterError, match="Permission denied"):
        machine_node.run("ls", f"{mount}/closed")


def test_nfs_keeps_what_programs_rely_on(machine_node, nfs, mount):
    """What has been synced is on the server; a rename replaces; a large folder is listed whole."""
    large = nfs.folder / "large"
    large.mkdir()
    large.chmod(0o777)
    for number in range(3000):
        (large / f"a rather long name of a file {number}").touch()
    script = f"""
set -e
cd {mount}/large
ls | wc -l
echo old >target; echo new >other; mv other target; cat target
dd if=/dev/zero of=synced bs=1M count=8 conv=fsync status=none
"""
    assert machine_node.run("sh", "-c", script).split() == ["3000", "new"]
    assert (large / "synced").stat().st_size == 8 * 2**20
    assert not (large / "other").exists()


def test_a_lock_on_nfs_holds_for_the_server_too(machine_node, nfs, mount):
    file = nfs.folder / "locked"
    file.touch()
    file.chmod(0o666)
    machine_node.run("sh", "-c", f"setsid flock {mount}/locked sleep 600 >/dev/null 2>&1 & sleep 2")
    with file.open("r+") as ours:
        with pytest.raises(BlockingIOError):
            fcntl.lockf(ours, fcntl.LOCK_EX | fcntl.LOCK_NB)
        machine_node.run("pkill", "-f", "sleep 600")
        wait(lambda: is_free(ours), "the lock was not given back", 30)


def is_free(file) -> bool:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
