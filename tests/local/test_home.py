"""The page "My servers": what runs, stop it, start another, all without JavaScript."""

from __future__ import annotations

import pytest
from tests.support.browserless import NAVIGATE, text_of


def press(person, path: str, **fields):
    form = fields | {"_xsrf": person.xsrf()}
    return person.post(path, data=form, headers=NAVIGATE)


def test_a_server_is_shown_with_its_words_stopped_and_gone(hub):
    person = hub.visitor("alice")
    api = hub.api("alice")
    assert "None of your servers runs" in text_of(person.get("/hub/home").text)

    person.start("ml-101/notebook")
    api.wait("alice")
    shown = text_of(person.get("/hub/home", headers={"Accept-Language": "zh"}).text)
    assert "机器学习" in shown
    assert "停止" in shown

    press(person, "/hub/lectern/stop/")
    api.wait("alice", ready=False)
    assert "None of your servers runs" in text_of(person.get("/hub/home").text)


def test_stopping_twice_or_what_never_ran_is_no_accident(hub, quiet):
    person = hub.visitor("bob")
    for path in ("/hub/lectern/stop/", "/hub/lectern/stop/never", "/hub/lectern/stop/%2e%2e"):
        assert press(person, path).status_code == 200


def test_stopping_needs_the_persons_own_form(hub):
    person = hub.visitor("bob")
    forged = person.post("/hub/lectern/stop/", data={"_xsrf": "guess"})
    assert forged.status_code == 403


@pytest.mark.parametrize("name", ["", "Two", "a--b", "-a", "a/b", "../x", "x" * 31, "{x}", "二"])
def test_a_bad_server_name_leads_back_to_the_rule(hub, name):
    person = hub.visitor("bob")
    answer = press(person, "/hub/lectern/named", name=name)
    assert answer.status_code == 200
    assert answer.url.endswith("/hub/home?bad-name=1")


def test_a_good_server_name_leads_to_the_profiles(hub):
    person = hub.visitor("bob")
    answer = press(person, "/hub/lectern/named", name="second")
    assert answer.url.endswith("/hub/spawn/bob/second")
    assert "Start a server" in text_of(answer.text)


def test_start_in_a_second_window_leads_to_the_server_that_is_there(hub, quiet):
    first, second = hub.visitor("bob"), hub.visitor("bob")
    second.get("/hub/spawn")
    first.start("py-100/small")
    form = {"data": {"profile": "ml-101/notebook"}, "headers": NAVIGATE}
    pressed = second.post("/hub/spawn", params={"_xsrf": second.xsrf()}, **form)
    assert pressed.history[0].headers["Location"].startswith("/hub/spawn-pending/bob")
    hub.api("bob").wait("bob")
    arrived = second.post("/hub/spawn", params={"_xsrf": second.xsrf()}, **form)
    assert "/user/bob/" in arrived.url
    assert hub.api("bob").server("bob")["user_options"] == {"profile": "py-100/small"}
    hub.api("bob").stop("bob")
