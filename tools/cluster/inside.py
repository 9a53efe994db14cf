"""The first process in a cluster's namespaces: makes the place ready, looks after all programs.

It knows nothing of Kubernetes. Programs are started and stopped over the socket
`Layout.control`, one JSON object a line, see `supervision.Supervisor`.
Run by `keeper` as ``python -m cluster.inside FOLDER DESCRIPTOR:PORT...``.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from cluster import place
from cluster.layout import Layout
from cluster.relay import Relay
from cluster.supervision import Supervisor


async def _serve(layout: Layout, relays: list[Relay]) -> None:
    supervisor = Supervisor(layout)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGCHLD, supervisor.reap)
    for relay in relays:
        await relay.open()
    # A path longer than 107 bytes does not fit into a socket's address; the name alone does.
    os.chdir(layout.folder)
    server = await asyncio.start_unix_server(supervisor.talk, layout.control.name)
    os.chdir("/")
    async with server:
        await server.serve_forever()


def main(words: list[str]) -> None:
    """Prepare the namespaces, then serve until the end of the cluster."""
    layout = Layout(Path(words[0]))
    place.prepare(layout)
    asyncio.run(_serve(layout, [Relay.parse(word) for word in words[1:]]))


if __name__ == "__main__":
    main(sys.argv[1:])
