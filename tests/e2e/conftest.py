"""A hub and Debian's own Chromium, without a window.

Pictures go to the folder that LECTERN_SCREENSHOTS names; those in docs/images
are made with ``LECTERN_SCREENSHOTS=docs/images make test ARGS=tests/e2e``.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
from tests.support.running import running_hub

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MILLISECONDS = 60_000


@pytest.fixture(scope="module")
def hub():
    """The example campus."""
    with running_hub() as running:
        yield running


@pytest.fixture(scope="module")
def chromium():
    """One browser; ended with the module, for it keeps an event loop running."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium, hub):
    """Open a window of somebody's own: no cookies, and errors of our pages are kept."""
    windows = []

    def window(**how):
        context = chromium.new_context(base_url=hub.base, **how)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        windows.append(context)
        return context.new_page()

    yield window
    for context in windows:
        context.close()


@pytest.fixture
def picture(tmp_path):
    """Return where a picture of this name belongs."""
    folder = Path(os.environ.get("LECTERN_SCREENSHOTS") or tmp_path)
    return lambda name: str(folder / name)
