"""From a port of the machine into a cluster.

A socket belongs to the network namespace that it was made in. The keeper makes
the listening ones outside and hands them in; this accepts from them inside.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass

from cluster import network

_BLOCK_BYTES = 65536


@dataclass(frozen=True)
class Relay:
    """A listening socket and the port behind it."""

    descriptor: int
    port: int

    @classmethod
    def parse(cls, word: str) -> Relay:
        """Return the relay that ``DESCRIPTOR:PORT`` means."""
        descriptor, _, port = word.partition(":")
        return cls(int(descriptor), int(port))

    async def open(self) -> asyncio.Server:
        """Begin to accept connections."""
        listener = socket.socket(fileno=self.descriptor)
        listener.set_inheritable(False)
        listener.setblocking(False)
        return await asyncio.start_server(self._connected, sock=listener)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(network.MACHINE, self.port)
        except OSError:
            # Nobody serves there yet: the person sees a closed connection, as on any port.
            writer.close()
            return
        await asyncio.gather(_copy(reader, back), _copy(there, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy one direction to its end, and say that it ended."""
    with contextlib.suppress(OSError):
        while block := await reader.read(_BLOCK_BYTES):
            writer.write(block)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
            return
    writer.close()
