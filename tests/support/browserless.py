"""A person at the hub without a browser: cookies, forms and REST over real HTTP."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import quote

import requests

PATIENCE_SECONDS = 60


@dataclass
class Visitor:
    """One person's cookies and what they do with them."""

    base: str
    name: str = ""
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self):
        # A connection kept open would be reported as a leak by whichever test comes next.
        self.session.headers["Connection"] = "close"

    def url(self, path: str) -> str:
        return self.base.rstrip("/") + "/" + path.lstrip("/")

    def get(self, path: str, **more):
        return self._ask("GET", path, **more)

    def post(self, path: str, **more):
        return self._ask("POST", path, **more)

    def _ask(self, method: str, path: str, **more):
        answer = self.session.request(method, self.url(path), timeout=PATIENCE_SECONDS, **more)
        answer.encoding = "utf-8"
        return answer

    def xsrf(self) -> str:
        cookies = [c for c in self.session.cookies if c.name == "_xsrf" and c.path == "/hub/"]
        return cookies[0].value

    def log_in(self, name: str, password: str):
        """Log in through the form and return the answer."""
        self.name = name
        self.get("/hub/login")
        form = {"username": name, "password": password, "_xsrf": self.xsrf()}
        return self.post("/hub/login", data=form, headers=NAVIGATE)

    def start(self, profile: str | list[str], server: str = "", for_user: str = ""):
        """Press Start on the spawn page."""
        path = "/hub/spawn"
        if server or for_user:
            path += f"/{for_user or self.name}" + (f"/{server}" if server else "")
        self.get(path)
        return self.post(
            path, params={"_xsrf": self.xsrf()}, data={"profile": profile}, headers=NAVIGATE
        )


NAVIGATE = {"Sec-Fetch-Mode": "navigate"}


@dataclass
class Api:
    """The REST API with a token."""

    base: str
    token: str

    def call(self, method: str, path: str, **more):
        return requests.request(
            method,
            f"{self.base.rstrip('/')}/hub/api{path}",
            headers={"Authorization": f"token {self.token}", **more.pop("headers", {})},
            timeout=PATIENCE_SECONDS,
            **more,
        )

    def server(self, user: str, name: str = "") -> dict | None:
        """Return a server of a user, or None."""
        return self.call("GET", f"/users/{quote(user)}").json()["servers"].get(name)

    def start(self, user: str, profile: str, name: str = ""):
        """Ask for a server and return the answer."""
        where = f"/users/{quote(user)}/servers/{name}" if name else f"/users/{quote(user)}/server"
        return self.call("POST", where, json={"user_options": {"profile": profile}})

    def refusal(self, user: str, answer: requests.Response) -> str:
        """Return why a start failed: from its answer, or from its progress.

        The answer has not waited for the end where the start took ten seconds.
        """
        if answer.status_code >= 400:
            return answer.json()["message"]
        with self.call("GET", f"/users/{quote(user)}/server/progress", stream=True) as progress:
            events = [
                json.loads(line.removeprefix("data:"))
                for line in progress.iter_lines(decode_unicode=True)
                if line.startswith("data:")
            ]
        assert events[-1].get("failed"), events
        return events[-1]["message"]

    def stop(self, user: str, name: str = "") -> None:
        """Stop a server and wait until it is gone."""
        where = f"/users/{quote(user)}/servers/{name}" if name else f"/users/{quote(user)}/server"
        answer = self.call("DELETE", where)
        assert answer.status_code in (202, 204), answer.text
        self.wait(user, name, ready=False)

    def file(self, method: str, user: str, path: str, name: str = "", **more):
        """Ask a person's server for a file of the home."""
        place = f"{self.base.rstrip('/')}/user/{quote(user)}/" + (f"{name}/" if name else "")
        headers = {"Authorization": f"token {self.token}"}
        return requests.request(
            method,
            f"{place}api/contents/{quote(path)}",
            headers=headers,
            timeout=PATIENCE_SECONDS,
            **more,
        )

    def wait(self, user: str, name: str = "", *, ready: bool = True) -> None:
        """Wait until a server is ready, or gone."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            server = self.server(user, name)
            if bool(server and server["ready"]) is ready and (ready or not server):
                return
            time.sleep(0.2)
        raise AssertionError(f"{user}/{name} did not become {'ready' if ready else 'stopped'}")


def text_of(html: str) -> str:
    """Return what a person reads of a page."""
    shown = re.sub(r"(?s)<(script|style|head).*?</\1>", " ", html)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", shown)).split())
