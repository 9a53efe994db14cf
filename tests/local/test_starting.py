"""One function decides on every path: what is refused, and with which words."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from tests.support.browserless import NAVIGATE, text_of
from tests.support.pages import news

REFUSED = {
    "unknown": ("ml-101/nope", 404, "There is no profile “ml-101/nope” among yours"),
    "of another course": ("dl-301/training", 404, "no profile “dl-301/training” among yours"),
    "for staff": ("ml-101/grading-desk", 404, "no profile “ml-101/grading-desk” among yours"),
    "closed": ("history-2025/notebook", 403, "ended on 2025-07-04."),
    "malformed": ("../../etc", 400, "“profile” must be a course and a profile"),
    "template": ("{x.__class__}", 400, "“profile” must be a course and a profile"),
    "empty": ("", 400, "“profile” must be a course and a profile"),
}

LIMIT = "You already have 2 of at most 2 servers. Stop one first."


def by_form(hub, profile, name="alice"):
    return hub.visitor(name).start(profile)


def by_form_for_named(hub, profile, name="alice"):
    return hub.visitor(name).start(profile, server="second")


def by_query(hub, profile, name="alice"):
    params = {"opt-profile": profile}
    return hub.visitor(name).get("/hub/spawn", params=params, headers=NAVIGATE)


def by_old_query(hub, profile, name="alice"):
    return hub.visitor(name).get("/hub/spawn", params={"profile": profile}, headers=NAVIGATE)


def by_rest(hub, profile, name="alice"):
    return hub.api(name).start(name, profile)


def by_bare_rest(hub, profile, name="alice"):
    where = f"/users/{quote(name)}/server"
    return hub.api(name).call("POST", where, json={"profile": profile})


def by_rest_for_named(hub, profile, name="alice"):
    return hub.api(name).start(name, profile, "second")


def by_admin_rest(hub, profile, name="alice"):
    return hub.api("admin").start(name, profile)


def by_admin_form(hub, profile, name="alice"):
    hub.visitor(name)
    return hub.visitor("admin").start(profile, for_user=name)


WAYS = [
    by_form,
    by_form_for_named,
    by_query,
    by_old_query,
    by_rest,
    by_bare_rest,
    by_rest_for_named,
    by_admin_rest,
    by_admin_form,
]


def sentence_of(answer) -> str:
    """Return what the person reads: of a page, or of the API's JSON."""
    if "json" in answer.headers.get("Content-Type", ""):
        return answer.json()["message"]
    return text_of(answer.text)


def servers(hub, name="alice"):
    return hub.api("admin").call("GET", f"/users/{quote(name)}").json()["servers"]


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_refused_on_every_path_in_words_and_logged_once(hub, way, case):
    profile, status, words = REFUSED[case]
    for name in ("alice", "admin"):
        hub.api(name)
    with news(hub) as told:
        answer = way(hub, profile)
    assert answer.status_code == status
    assert words in sentence_of(answer)
    told.once(words)
    assert servers(hub) == {}


@pytest.fixture(scope="module")
def started_on_every_path(hub):
    """Start one server on every path, all at a time, and return the answers and servers."""
    names = ["alice", "bob", "李雷", "韩梅梅", "carol"]
    free = {False: [*names, "zhao", "chen"], True: list(names)}
    places = [("named" in way.__name__, way) for way in WAYS]
    plan = {way: (free[named].pop(0), "second" if named else "") for named, way in places}
    for name, _ in plan.values():
        hub.api(name)
    found = {}
    with news(hub), ThreadPoolExecutor() as pool:
        answers = {
            way: pool.submit(way, hub, profile_of(name), name) for way, (name, _) in plan.items()
        }
        for way, (name, server) in plan.items():
            answer = answers[way].result()
            if answer.status_code < 300:
                hub.api("admin").wait(name, server)
            found[way] = (answer, hub.api("admin").server(name, server), profile_of(name))
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda place: hub.api("admin").stop(*place), plan.values()))
    return found


def profile_of(name):
    return "ml-101/grading-desk" if name in ("zhao", "chen") else "py-100/small"


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_started_on_every_path(started_on_every_path, way):
    answer, server, profile = started_on_every_path[way]
    assert answer.status_code < 300, answer.text
    assert server["user_options"] == {"profile": profile}


@pytest.mark.parametrize("values", [["ml-101/notebook", "ml-101/project"], ["py-100/small"] * 2])
def test_profile_given_twice_is_refused(hub, values):
    with news(hub) as told:
        form = hub.visitor("alice").start(values)
        query = hub.visitor("alice").get(
            "/hub/spawn", params={"opt-profile": values}, headers=NAVIGATE
        )
    for answer in (form, query):
        assert answer.status_code == 400
        assert "“profile” was given 2 times; give it once." in text_of(answer.text)
    assert sum("given 2 times" in record for record in told.records) == 2
    assert servers(hub) == {}


def test_form_beside_a_query_cannot_smuggle_a_profile(hub):
    alice = hub.visitor("alice")
    with news(hub):
        answer = alice.post(
            "/hub/spawn",
            params={"_xsrf": alice.xsrf(), "profile": "ml-101/notebook"},
            data={"profile": "dl-301/training"},
            headers=NAVIGATE,
        )
    assert 400 <= answer.status_code < 500
    assert servers(hub) == {}


NOTHING = [None, "{}", "null", '{"user_options": {}}', '{"user_options": null}']


@pytest.mark.parametrize("body", NOTHING)
def test_nothing_chosen_asks_for_a_choice(hub, body):
    wang = hub.api("wang")
    with news(hub) as told:
        answer = wang.call("POST", "/users/wang/server", data=body)
    assert answer.status_code == 400
    assert "Say which profile to start" in answer.json()["message"]
    assert "dl-301/training" in answer.json()["message"]
    told.once("Say which profile to start")


def test_nothing_chosen_starts_what_was_started_last(hub, started_on_every_path):
    api = hub.api("carol" if "carol" in hub.tokens else "bob")
    name = api.call("GET", "/user").json()["name"]
    with news(hub):
        assert api.call("POST", f"/users/{name}/server", data="{}").status_code in (201, 202)
        api.wait(name)
    assert api.server(name)["user_options"] == {"profile": "py-100/small"}
    api.stop(name)


def test_empty_form_is_refused_in_words(hub):
    wang = hub.visitor("wang")
    with news(hub):
        wang.get("/hub/spawn")
        answer = wang.post("/hub/spawn", params={"_xsrf": wang.xsrf()}, data={}, headers=NAVIGATE)
    assert answer.status_code == 400
    assert "Say which profile to start" in text_of(answer.text)


def test_admin_starts_with_the_students_rights(hub):
    admin = hub.api("admin")
    with news(hub) as told:
        answer = admin.start("alice", "ml-101/grading-desk")
    assert answer.status_code == 404
    told.once("no profile “ml-101/grading-desk” among yours")
    with news(hub):
        assert admin.start("admin", "ml-101/grading-desk").status_code in (201, 202)
        admin.wait("admin")
    admin.stop("admin")


def test_student_starts_nothing_for_somebody_else(hub):
    hub.visitor("bob")
    with news(hub):
        assert hub.api("alice").start("bob", "py-100/small").status_code in (403, 404)
        assert hub.visitor("alice").start("py-100/small", for_user="bob").status_code in (403, 404)
    assert servers(hub, "bob") == {}


def test_third_server_is_refused_on_every_path(hub):
    api, name = hub.api("bob"), "bob"
    for server in ("", "second"):
        assert api.start(name, "py-100/small", server).status_code in (201, 202)
    with news(hub) as told:
        rest = api.start(name, "py-100/small", "third")
        form = hub.visitor(name).start("py-100/small", server="third")
        admin = hub.api("admin").start(name, "py-100/small", "third")
    for answer in (rest, form, admin):
        assert answer.status_code == 409
        assert LIMIT in sentence_of(answer)
    assert sum(LIMIT in record for record in told.records) == 3
    for server in ("", "second"):
        api.wait(name, server)
        api.stop(name, server)
    assert api.start(name, "py-100/small", "third").status_code in (201, 202)  # room again
    api.wait(name, "third")
    api.stop(name, "third")


def test_five_starts_at_once_pass_the_limit_twice(hub):
    api, names = hub.api("韩梅梅"), ["", "s1", "s2", "s3", "s4"]
    answers, ready = {}, threading.Barrier(len(names))

    def start(name):
        ready.wait()
        answers[name] = api.start("韩梅梅", "py-100/small", name)

    threads = [threading.Thread(target=start, args=[name]) for name in names]
    with news(hub):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    passed = [name for name in names if answers[name].status_code in (201, 202)]
    refused = [answers[name] for name in names if name not in passed]
    for name in passed:
        api.wait("韩梅梅", name)
        api.stop("韩梅梅", name)
    assert len(passed) == 2
    assert {answer.status_code for answer in refused} == {409}
    assert all(LIMIT in sentence_of(answer) for answer in refused)
