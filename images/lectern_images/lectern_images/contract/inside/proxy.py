"""Run inside the proxy's image: add a route over its API, and be led to a server by it.

Prints a JSON object of versions, or one line that says what is wrong.
"""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

PROXY, API, TARGET = 18000, 18001, 18002
TOKEN, PATIENCE_SECONDS = "contract", 60


class Hello(http.server.BaseHTTPRequestHandler):
    """A server that says hello."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        """Say nothing on the side."""


def main() -> None:
    """Start a proxy and a server behind it."""
    behind = http.server.ThreadingHTTPServer(("127.0.0.1", TARGET), Hello)
    threading.Thread(target=behind.serve_forever, daemon=True).start()
    proxy = subprocess.Popen(
        ["configurable-http-proxy", "--ip=127.0.0.1", f"--port={PROXY}", "--api-ip=127.0.0.1",
         f"--api-port={API}",
         "--log-level=error"],
        env=os.environ | {"CONFIGPROXY_AUTH_TOKEN": TOKEN},
    )  # fmt: skip
    try:
        body = json.dumps({"target": f"http://127.0.0.1:{TARGET}"}).encode()
        wait(f"http://127.0.0.1:{API}/api/routes/person", body)
        said = wait(f"http://127.0.0.1:{PROXY}/person/", None)
    finally:
        proxy.terminate()
        proxy.wait(30)
    if said != "hello":
        sys.exit(f"behind the proxy somebody says {said!r}")
    versions = {name: output(name, "--version") for name in ("node", "configurable-http-proxy")}
    print(json.dumps(versions))


def wait(address: str, body: bytes | None) -> str:
    """Ask until there is an answer, and return it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            request = urllib.request.Request(address, body, {"Authorization": f"token {TOKEN}"})
            with urllib.request.urlopen(request, timeout=5) as answer:
                text: str = answer.read().decode()
            return text
        except (OSError, urllib.error.URLError) as error:
            if time.monotonic() > deadline:
                sys.exit(f"{address} does not answer: {error}")
            time.sleep(0.1)


def output(*words: str) -> str:
    """Return what a program prints."""
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
