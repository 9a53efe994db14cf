"""Choose a port for a server, and see who listens on it.

A server binds its port seconds after it was chosen. Ports of the range from
which the machine gives outgoing connections theirs would be taken by then, now
and again; so servers get ports below it, in turn.
"""

from __future__ import annotations

import itertools
import random
import socket
from collections.abc import Iterator
from pathlib import Path

_LOWEST = 20_000
_USUAL_EPHEMERAL = 32_768
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LISTEN = "0A"


class NoPortError(Exception):
    """Every port for servers is taken."""


def _span() -> range:
    """Return the ports for servers.

    Source: Linux, Documentation/networking/ip-sysctl.rst, ip_local_port_range
    """
    try:
        first = int(_EPHEMERAL.read_text().split()[0])
    except (OSError, ValueError):
        first = _USUAL_EPHEMERAL
    return range(_LOWEST, first if first > _LOWEST + 1000 else 65_536)


def _turns() -> Iterator[int]:
    """Yield ports in turn, from a random one on, so that two hubs rarely meet."""
    span = _span()
    start = random.randrange(len(span))
    return itertools.cycle(itertools.chain(span[start:], span[:start]))


_turn = _turns()


def free_port(address: str) -> int:
    """Return a port that nobody listens on.

    Args:
        address: IPv4 address that the server will listen on.

    Raises:
        NoPortError: when there is none.
    """
    for port in itertools.islice(_turn, len(_span())):
        with socket.socket() as probe:
            try:
                probe.bind((address, port))
            except OSError:
                continue
            return port
    raise NoPortError(f"no port from {_LOWEST} on is free on {address}")


def listeners(port: int) -> set[int]:
    """Return the uids that listen on a TCP port.

    Source: Linux, Documentation/networking/proc_net_tcp.rst
    """
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except FileNotFoundError:
            continue
        for row in rows:
            fields = row.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(int(fields[7]))
    return found
