"""Run process nodes until SIGTERM; see `cluster.processnodes`, which starts this.

``python -m cluster.process SETTINGS``
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from pathlib import Path

from cluster.errors import ClusterError
from cluster.process import control
from cluster.process.addresses import Addresses
from cluster.process.client import ApiError, Client
from cluster.process.events import Events
from cluster.process.faults import Faults
from cluster.process.fleet import Fleet
from cluster.process.guard import Guard
from cluster.process.kubelet_api import Server
from cluster.process.objects import Objects
from cluster.process.settings import Settings
from cluster.process.tools import Tools
from lectern_spawner.local import cgroups


async def _run(settings: Settings) -> None:
    folder = Path(settings.folder)
    shutil.rmtree(folder, ignore_errors=True)  # of an earlier process, whose containers have ended
    folder.mkdir(parents=True, mode=0o700)
    client = Client(Path(settings.kubeconfig))
    groups = cgroups.find(f"lectern-{settings.prefix}") if settings.runs else None
    tools = Tools(
        settings=settings,
        client=client,
        faults=Faults(),
        events=Events(client),
        objects=Objects(client),
        addresses=Addresses(settings.pods_network),
        groups=groups,
        guard=Guard() if settings.runs else None,
    )
    server = Server(settings)
    fleet = Fleet(tools, await server.start())
    server.serve(fleet)
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    listener = await control.serve(Path(settings.socket), fleet)
    try:
        await fleet.start()
        await end.wait()
    finally:
        listener.close()
        await fleet.stop()
        await server.close()
        await client.close()
        if tools.guard:
            tools.guard.close()
        if groups:
            groups.remove()


def main(words: list[str]) -> int:
    """Run the nodes of a settings file and return the exit code."""
    try:
        asyncio.run(_run(Settings.read(Path(words[0]))))
    except (ApiError, ClusterError) as error:
        print(f"The process nodes ended: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
