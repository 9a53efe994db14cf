"""Pages that nobody asks for: of a server that is gone, that do not exist, that are closed."""

from __future__ import annotations

import pytest
from tests.support.browserless import Visitor, text_of

pytestmark = pytest.mark.usefixtures("quiet")


@pytest.mark.parametrize(
    ("language", "sentence", "link"),
    [
        ("en", "Your server is not running", "Choose a profile"),
        ("zh", "服务器未在运行", "选择配置"),
    ],
)
def test_the_open_tab_of_a_stopped_server_leads_back_to_the_profiles(hub, language, sentence, link):
    person = hub.visitor("alice", Accept_Language=language)
    answer = person.get("/user/alice/lab/tree/Untitled.ipynb")
    assert answer.status_code == 424  # JupyterLab knows a stopped server by it
    assert sentence in text_of(answer.text)
    assert link in text_of(answer.text)
    assert "/hub/spawn/alice?next=" in answer.text


@pytest.mark.parametrize("path", ["/hub/nonsense", "/hub/spawn/bob", "/user/bob/lab"])
def test_what_is_not_there_is_told_in_words_with_a_way_back(hub, path):
    answer = hub.visitor("alice").get(path)
    assert answer.status_code == 404
    assert "There is no such page, or it is not for you." in text_of(answer.text)
    assert 'href="/hub/home"' in answer.text
    assert "None" not in text_of(answer.text)


def test_a_closed_page_says_so(hub):
    answer = hub.visitor("alice").get("/hub/admin")
    assert answer.status_code == 403
    assert "You may not see this page." in text_of(answer.text)


def test_a_page_that_does_not_exist_is_told_to_strangers_too(hub):
    answer = Visitor(hub.base).get("/hub/nonsense")
    assert answer.status_code == 404
    assert "There is no such page" in text_of(answer.text)
