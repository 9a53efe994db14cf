"""An address for each pod, and the words in which it takes the place of every address."""

from __future__ import annotations

import ipaddress
import re

_EVERYWHERE = re.compile(r"(?<![\w.])0\.0\.0\.0(?![\w.]|/\d)|\[::\](?!/\d)")


class Addresses:
    """Hands out the addresses of a network; one that is given back rests as long as it can."""

    def __init__(self, network: str) -> None:
        """Own a network such as ``127.64.0.0/16``."""
        self._network = ipaddress.IPv4Network(network)
        self._next = 0
        self._taken: set[int] = set()

    def take(self) -> str:
        """Return a free address.

        Raises:
            LookupError: when there is none.
        """
        room = self._network.num_addresses - 2
        if len(self._taken) >= room:
            raise LookupError(f"all {room} addresses of {self._network} are taken")
        while True:
            number = self._next + 1
            self._next = number % room
            if number not in self._taken:
                self._taken.add(number)
                return str(self._network.network_address + number)

    def give_back(self, address: str) -> None:
        """Take an address back."""
        self._taken.discard(
            int(ipaddress.IPv4Address(address)) - int(self._network.network_address)
        )


def at_own_address(text: str, address: str) -> str:
    """Return a text in which a server that listens everywhere listens at one address.

    All pods share one network: the second server on port 8888 of every address could
    not start. Networks such as ``0.0.0.0/0`` stay.
    """
    return _EVERYWHERE.sub(address, text)
