"""A person with a browser, as far as a hub can tell: cookies, forms and redirects.

Standard library only, a new connection for every request, the same for both arms.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from typing import Any

_TIMEOUT_SECONDS = 60
_NAVIGATE = {"Sec-Fetch-Mode": "navigate"}


class Person:
    """One person at one hub."""

    def __init__(self, base: str, name: str) -> None:
        """Open a browser.

        Args:
            base: the hub's public address, without a slash at the end.
            name: who they are.
        """
        self.base = base
        self.name = name
        self.cookies = CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies)
        )

    def ask(self, path: str, form: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Return status and body after all redirects; a form makes it a POST.

        Status 0 stands for no answer, with the reason as the body.
        """
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(self.base + path, data=data, headers=_NAVIGATE)
        try:
            with self._opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except OSError as error:
            return 0, repr(error).encode()

    def get(self, path: str) -> bytes:
        """Return a page.

        Raises:
            RuntimeError: when it is not there.
        """
        status, body = self.ask(path)
        if status != 200:
            raise RuntimeError(f"{self.base}{path} answered {status}: {body[-500:]!r}")
        return body

    def log_in(self, password: str) -> None:
        """Send the login form; the login page must have been read before."""
        form = {"username": self.name, "password": password, "_xsrf": self._xsrf()}
        # The answer may lead into a start, so the cookie is asked for, not the page.
        self.ask("/hub/login?next=%2Fhub%2Fhome", form)
        if not any("jupyterhub-hub-login" in cookie.name for cookie in self.cookies):
            raise RuntimeError(f"{self.name} could not log in at {self.base}")

    def start(self, profile: str | None) -> None:
        """Send the form of the spawn page; None where there is nothing to choose."""
        form = {"profile": profile} if profile else {}
        status, body = self.ask(f"/hub/spawn?_xsrf={self._quoted_xsrf()}", form)
        if status != 200:
            raise RuntimeError(
                f"{self.name} at {self.base} could not start: {status} {body[-500:]!r}"
            )

    def follow_start(self) -> None:
        """Read what the hub tells of a start until it is over, as the page that waits does."""
        self.get(f"/hub/api/users/{self.name}/server/progress?_xsrf={self._quoted_xsrf()}")

    def is_ready(self) -> bool:
        """Whether the hub says that the person's server is ready."""
        told: dict[str, Any] = json.loads(self.get(f"/hub/api/users/{self.name}"))
        return bool(told["servers"].get("", {}).get("ready"))

    def wait_for_lab(self, patience_seconds: float, pause_seconds: float = 0.05) -> None:
        """Wait until JupyterLab's page is served.

        Raises:
            RuntimeError: when it is not there in time.
        """
        deadline = time.monotonic() + patience_seconds
        while time.monotonic() < deadline:
            status, body = self.ask(f"/user/{self.name}/lab")
            if status == 200 and b"jupyter-config-data" in body and b"JupyterLab" in body:
                return
            time.sleep(pause_seconds)
        raise RuntimeError(f"{self.name} has no JupyterLab after {patience_seconds:.0f} s")

    def _quoted_xsrf(self) -> str:
        return urllib.parse.quote(self._xsrf())

    def _xsrf(self) -> str:
        for cookie in self.cookies:
            if cookie.name == "_xsrf" and cookie.path == "/hub/":
                return cookie.value or ""
        raise RuntimeError(f"{self.base} gave no xsrf cookie")
