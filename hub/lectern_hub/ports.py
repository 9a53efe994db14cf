"""Keep the ports that running servers and the next hub must agree on.

User servers learn the hub's address when they start. So that they find the
hub again after it was restarted, its ports are chosen once and kept.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import psutil

_LOOPBACK = "127.0.0.1"
_TRIES = 100

PROXY_MODULE = "lectern_hub.proxy"


class PortTakenError(Exception):
    """Nobody can listen on the port; the text says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports of one hub."""

    hub: int
    """JupyterHub's own API, reached by user servers."""

    proxy_api: int
    public: int | None = None
    """Where browsers came in when the hub was last started."""


def load(file: Path) -> Ports:
    """Return the kept ports, choosing free ones where there are none yet."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        return Ports(**json.loads(file.read_text()))
    chosen = Ports(hub=_any_free(), proxy_api=_any_free())
    save(file, chosen)
    return chosen


def save(file: Path, ports: Ports) -> None:
    """Keep ports, in one step."""
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(ports)))
    fresh.replace(file)


def choose_public(file: Path, host: str, wanted: int, *, exactly: bool, ours: bool) -> int:
    """Return the public port of this start and keep it.

    Args:
        file: where ports are kept.
        host: address to listen on; empty for all.
        wanted: the port to try first.
        exactly: whether no other port will do.
        ours: whether a proxy of an earlier start of this hub still runs; it
            holds the port that was kept, and will be replaced.

    Raises:
        PortTakenError: when the wanted port must be had and is taken, or when
            nobody may listen there.
    """
    kept = load(file)
    tries = [wanted] if exactly else range(wanted, min(wanted + _TRIES, 65536))
    for port in tries:
        if (ours and port == kept.public) or _is_free(host, port):
            save(file, replace(kept, public=port))
            return port
    raise PortTakenError(f"port {wanted} is taken by another program; choose one with --port")


def url(host: str, port: int) -> str:
    """Return the address of a port, as browsers write it.

    Args:
        host: IPv4 or IPv6 address; empty for all.
        port: TCP port.
    """
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def proxy_runs(pid_file: Path) -> bool:
    """Whether the proxy of an earlier start still runs.

    A pid file that names something else by now is removed: JupyterHub would end
    whatever process has that number.
    """
    try:
        pid = int(pid_file.read_text())
        command = psutil.Process(pid).cmdline()
    except (OSError, ValueError, psutil.Error):
        command = []
    if PROXY_MODULE in command:
        return True
    with contextlib.suppress(FileNotFoundError):
        os.unlink(pid_file)
    return False


def _any_free() -> int:
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            where, why = url(host, port), (error.strerror or str(error)).lower()
            raise PortTakenError(f"the hub cannot listen at {where}: {why}") from error
    return True
