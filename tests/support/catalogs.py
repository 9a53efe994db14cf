"""What people and monitoring see of a hub's catalog."""

from __future__ import annotations

from pathlib import Path

import requests

from tests.support.browserless import text_of
from tests.support.moves import Onlooker
from tests.support.pages import Offers

ALICE = {"ml-101", "py-100", "history-2025"}
BOB = {"dl-301", "py-100", "history-2025"}
TITLE, NEW_TITLE = "en: Machine Learning,", "en: Learning Machines,"
COURSE = """\
course: {name}
title: {name} of {version}
instructors: [wang]
students: [bob]
profiles:
  notebook: {{title: Notebook, image: datascience, cpu: 1, memory: 512Mi}}
"""


def state(hub):
    """Return what the hub tells admins about the catalog."""
    headers = {"Authorization": f"token {hub.api('admin').token}"}
    answer = requests.get(f"{hub.base}/hub/lectern/api/v1/catalog", headers=headers, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.json()


def metrics(hub):
    headers = {"Authorization": f"token {hub.api('admin').token}"}
    return requests.get(f"{hub.base}/hub/metrics", headers=headers, timeout=20).text


def page(person):
    answer = person.get("/hub/spawn")
    assert answer.status_code == 200
    return answer.text


def sees(person, words):
    return lambda: words in text_of(page(person))


def offers(person):
    return Offers(page(person)).courses


def onlookers(people):
    return [Onlooker(people["bob"], BOB), Onlooker(people["alice"], ALICE)]


def place_of(file: Path, text: str) -> str:
    """Return line and column of the first place of a text, as diagnostics show it."""
    before = file.read_text().partition(text)[0].split("\n")
    return f"{len(before)}:{len(before[-1]) + 1}"
