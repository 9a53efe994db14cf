"""A server's address is the person's own, however quick somebody else is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.support.pages import news
from tests.support.processes import eventually, processes

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: acts for other accounts")

STRANGER = 4321
URL = re.compile(rb"\0JUPYTERHUB_SERVICE_URL=http://127\.0\.0\.1:(\d+)")
LISTENER = """
import http.server, sys
class Taker(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"taken")
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Taker).serve_forever()
"""


@pytest.fixture
def stranger(hub):
    """Somebody with another account, who takes the port of alice's server before she listens."""
    taken = []

    def take():
        eventually(
            lambda: taken or taken.extend(ports_of(hub.state / "homes" / "alice")), "no port"
        )
        command = [sys.executable, "-I", "-c", LISTENER, taken[0]]
        taken.append(subprocess.Popen(command, user=STRANGER, group=STRANGER, extra_groups=[]))

    waiting = threading.Thread(target=take)
    waiting.start()
    yield taken
    waiting.join()
    for process in taken[1:]:
        process.kill()
        process.wait()


def ports_of(home: Path) -> list[str]:
    """Return the ports that servers with this home were told to listen on."""
    found = []
    for folder in processes():
        try:
            words = (folder / "environ").read_bytes()
        except OSError:
            continue
        if b"HOME=%s\0" % os.fsencode(home) in words and (told := URL.search(words)):
            found.append(told[1].decode())
    return found


def test_port_that_somebody_else_took_is_never_given_to_the_proxy(hub, stranger):
    api = hub.api("alice")
    with news(hub):
        assert api.start("alice", "py-100/small").status_code in (201, 202)
        api.wait("alice")
        assert stranger[1].poll() is None  # it listened, and still does
        answer = api.file("GET", "alice", "")
        api.stop("alice")
    assert "taken" not in answer.text
    assert answer.json()["type"] == "directory"
