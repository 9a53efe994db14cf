"""A real NFS 4.1 server in user space: nfs-ganesha, inside the cluster's namespaces.

It serves one folder of the cluster's own. Owners are numbers, as they are on the
server; root on a client is nobody here, as on most servers of a campus. That is
why the folder's mode is 1777: the kubelet makes missing `subPath` folders as root.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster import network, programs
from cluster.cluster import Cluster
from cluster.supervision import Program

PORT = 2049
EXPORT = "/export"
"""What clients mount: ``10.99.0.1:/export``."""

MOUNT_OPTIONS = ("nfsvers=4.1", "hard")
LEASE_SECONDS = 10
"""After this time the server forgets the locks of a client that was killed."""

_NAME = "nfs"
_FOLDER_MODE = 0o1777
_NOBODY = 65534
_MODULES = ("/usr/lib/x86_64-linux-gnu/ganesha", "/usr/lib/ganesha")


@dataclass(frozen=True)
class NfsServer:
    """The server of one cluster."""

    cluster: Cluster
    squashes_root: bool = True
    """Whether root on a client is nobody on the server."""

    @property
    def folder(self) -> Path:
        """What is served, as this machine sees it."""
        return self.cluster.layout.data / "nfs" / "export"

    def start(self) -> None:
        """Start the server and return once it answers.

        Raises:
            ClusterError: when it is missing or has ended; with its last lines.
        """
        program = programs.on_path("ganesha.nfsd", "nfs-ganesha nfs-ganesha-vfs")
        _warn(self.cluster)
        self.folder.mkdir(parents=True)
        self.folder.chmod(_FOLDER_MODE)
        (self._state / "recovery").mkdir(parents=True)
        settings = self.cluster.layout.settings / "ganesha.conf"
        settings.write_text(self._settings(), encoding="utf-8")
        command = [program, "-F", "-f", str(settings), "-L", "STDERR", "-N", "NIV_EVENT"]
        command += ["-p", str(self._state / "pid")]
        self.cluster.control.start(Program(_NAME, command))
        self.cluster.wait(self._answers, "the NFS server did not answer", _NAME)
        self.cluster.say(f"NFS server answers at {network.MACHINE}:{EXPORT}")

    @property
    def _state(self) -> Path:
        return self.cluster.layout.data / "nfs" / "state"

    def _answers(self) -> bool:
        probe = f"import socket; socket.create_connection({(network.MACHINE, PORT)}, 2)"
        return self.cluster.succeeds("python3", "-c", probe)

    def _settings(self) -> str:
        squash = "Root_Squash" if self.squashes_root else "No_Root_Squash"
        return f"""\
NFS_CORE_PARAM {{
    Bind_addr = {network.MACHINE};
    NFS_Port = {PORT};
    Protocols = 4;
    Enable_NLM = false;
    Enable_RQUOTA = false;
    Enable_UDP = false;
}}
NFSV4 {{
    Minor_Versions = 1;
    # Nothing was locked before a server that is new.
    Graceless = true;
    Lease_Lifetime = {LEASE_SECONDS};
    RecoveryBackend = fs;
    RecoveryRoot = "{self._state / "recovery"}";
    Allow_Numeric_Owners = true;
    Only_Numeric_Owners = true;
}}
NFS_KRB5 {{
    Active_krb5 = false;
}}
EXPORT {{
    Export_Id = 1;
    Path = "{self.folder}";
    Pseudo = "{EXPORT}";
    Access_Type = RW;
    Squash = {squash};
    Anonymous_Uid = {_NOBODY};
    Anonymous_Gid = {_NOBODY};
    SecType = sys;
    Protocols = 4;
    Transports = TCP;
    FSAL {{
        Name = VFS;
    }}
}}
"""


def volume(name: str, namespace: str, storage: str = "1Gi") -> list[dict[str, Any]]:
    """Return a PersistentVolume on the server and the claim that takes it.

    Args:
        name: the claim's; the volume's has the namespace's before it.
        namespace: the claim's.
        storage: how large both say that they are; nobody counts.
    """
    claim = {"namespace": namespace, "name": name}
    common = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"{namespace}-{name}"},
            "spec": common
            | {
                "capacity": {"storage": storage},
                "claimRef": claim,
                "mountOptions": list(MOUNT_OPTIONS),
                "nfs": {"server": network.MACHINE, "path": EXPORT},
                "persistentVolumeReclaimPolicy": "Retain",
            },
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": claim,
            "spec": common
            | {
                "volumeName": f"{namespace}-{name}",
                "resources": {"requests": {"storage": storage}},
            },
        },
    ]


def _warn(cluster: Cluster) -> None:
    """Tell who has the package's own server running, which is no part of the cluster."""
    command = ["systemctl", "is-active", "--quiet", "nfs-ganesha"]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError:  # no systemd here
        return
    if not done.returncode:
        cluster.say(
            "nfs-ganesha serves this machine too; if nobody wants that: "
            "sudo systemctl disable --now nfs-ganesha"
        )
