"""What one process of nodes is told; a JSON file that `cluster.processnodes` writes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

RUN, PRETEND = "run", "pretend"
MODES = (RUN, PRETEND)
LABEL = "lectern/process-nodes"
"""Of each node; its value is the prefix of their names."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it; times are in seconds."""

    kubeconfig: str
    folder: str
    """Where pods' volumes and logs lie; emptied at the start."""

    socket: str
    """Where faults and questions come in, see `process.control`."""

    prefix: str
    """Nodes are called PREFIX-1, PREFIX-2 and so on."""

    count: int
    mode: str
    pods_network: str
    """Addresses of pods, such as ``127.64.0.0/16``."""

    capacity: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    taints: list[dict[str, str]] = field(default_factory=list)
    images: dict[str, list[str]] = field(default_factory=dict)
    """Pattern of an image -> command for pods that name none."""

    lease_seconds: int = 10
    backoff_seconds: float = 10.0
    """The first wait of CrashLoopBackOff and ImagePullBackOff; doubles up to thirty times that."""

    pretend_seconds: float = 0.0
    """How long a pretended container takes to start."""

    user: int = 1000
    serving: list[str] = field(default_factory=list)
    """Certificate, key and clients' authority of the server for logs and exec; or none."""

    caller: str = ""
    """Common name of the one who may ask that server."""

    programs: dict[str, str] = field(default_factory=dict)
    """Paths of ``bwrap``, ``setpriv``, ``nsenter``, ``setsid`` and ``env``."""

    hidden: list[str] = field(default_factory=list)
    """Folders that no container sees."""

    dns: str = ""
    """Address of the cluster's DNS; the machine's resolver is used if empty."""

    domain: str = "cluster.local"

    @property
    def names(self) -> list[str]:
        """Names of all nodes."""
        return [f"{self.prefix}-{number}" for number in range(1, self.count + 1)]

    @property
    def runs(self) -> bool:
        """Whether pods really run."""
        return self.mode == RUN

    def write(self, path: Path) -> None:
        """Write the file."""
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Settings:
        """Read what `write` wrote."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))
