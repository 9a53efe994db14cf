"""Hubs for the tests of the running product."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.support.pages import news
from tests.support.running import ROOT, open_folder, running_hub


@pytest.fixture(scope="session")
def hub():
    """The example campus; every test stops what it starts."""
    with running_hub() as running:
        yield running


@pytest.fixture
def quiet(hub):
    """Hold the hub's log of a test against tracebacks."""
    with news(hub) as told:
        yield told


@pytest.fixture(scope="module")
def original():
    """A copy of the example campus that nobody changes."""
    with open_folder() as folder:
        yield Path(shutil.copytree(ROOT / "profiles", folder / "campus"))
