"""Choose a port for a server, and see who listens on it.

A server binds its port seconds after it was chosen. Ports of the range from
which the machine gives outgoing connections theirs would be taken by then, now
and again; so servers get ports below it, in turn.
"""

from __future__ import annotations

import itertools
import random
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

_LOWEST = 20_000
_USUAL_EPHEMERAL = 32_768
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LISTEN = "0A"

# Source: linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST = 1
_HEADER = struct.Struct("=IHHII")
"""struct nlmsghdr: length, type, flags, sequence, sender."""

_QUESTION = struct.Struct("=BBBBI2s2s16s16sIII")
"""struct inet_diag_req_v2: family, protocol, extensions, padding, states, then the
socket: own port, other port, own address, other address, interface, two cookies."""

_ANSWER = struct.Struct("=64xI")
"""struct inet_diag_msg up to the uid of the socket's owner."""

_ANY_COOKIE = 0xFFFFFFFF
_ANSWER_BYTES = 4096


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


def listeners(address: str, port: int) -> set[int]:
    """Return the uids of those who would get a connection to an address of this machine.

    Args:
        address: IPv4 address.
        port: TCP port.
    """
    # The tables of /proc cost the hub 4 ms for every start; one lookup by the kernel 0.02 ms.
    owner = _ask_kernel(address, port)
    return _in_tables(port) if owner is None else {owner}


def _ask_kernel(address: str, port: int) -> int | None:
    """Return whose socket listens; None where there is none, or the kernel does not tell.

    Source: sock_diag(7); net/ipv4/inet_diag.c looks one socket up as for a packet
    """
    question = _QUESTION.pack(
        socket.AF_INET,
        socket.IPPROTO_TCP,
        *(0, 0, 0),
        port.to_bytes(2, "big"),
        bytes(2),
        socket.inet_aton(address).ljust(16, b"\0"),
        bytes(16),
        *(0, _ANY_COOKIE, _ANY_COOKIE),
    )
    length = _HEADER.size + _QUESTION.size
    header = _HEADER.pack(length, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 0, 0)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
            kernel.send(header + question)
            answer = kernel.recv(_ANSWER_BYTES)
    except OSError:  # some sandboxes have no such sockets
        return None
    if _HEADER.unpack_from(answer)[1] != _SOCK_DIAG_BY_FAMILY:
        return None
    uid: int = _ANSWER.unpack_from(answer, _HEADER.size)[0]
    return uid


def _in_tables(port: int) -> set[int]:
    """Return the uids that listen on a port, on any address.

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
