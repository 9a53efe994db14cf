"""Options over REST: whatever is not a profile is refused, and breaks nothing."""

from __future__ import annotations

import json

import pytest
from tests.support.pages import news

MEGABYTE = "a" * 2**20
GOOD = "ml-101/notebook"

OPTIONS = {
    "list": [],
    "list of one": [GOOD],
    "text": GOOD,
    "number": 7,
    "true": True,
    "profile is a list": {"profile": [GOOD]},
    "profile is two": {"profile": [GOOD, GOOD]},
    "profile is a dict": {"profile": {"name": GOOD}},
    "profile is null": {"profile": None},
    "profile is a number": {"profile": 1.5},
    "profile is false": {"profile": False},
    "profile is a megabyte": {"profile": MEGABYTE},
    "profile is a template": {"profile": "{x.__class__}"},
    "profile with a newline": {"profile": f"{GOOD}\n"},
    "profile with a NUL": {"profile": f"{GOOD}\0"},
    "profile in capitals": {"profile": GOOD.upper()},
    "profile with a lone surrogate": {"profile": "\ud800/x"},
    "unknown key": {"profile": GOOD, "image": "evil"},
    "only an unknown key": {"mem_limit": "64G"},
    "template as key": {"{x.__class__}": 1},
    "empty key": {"": GOOD},
    "key of a megabyte": {MEGABYTE: 1},
    "newline in a key": {"a\nb": 1},
    "deep": {"profile": json.loads("[" * 200 + "]" * 200)},
    "many keys": {f"k{number}": number for number in range(10_000)},
}


@pytest.mark.parametrize("where", ["/users/alice/server", "/users/alice/servers/second"])
@pytest.mark.parametrize("case", OPTIONS)
def test_malformed_options_are_refused_in_words(hub, case, where):
    alice = hub.api("alice")
    with news(hub) as told:
        answer = alice.call("POST", where, json={"user_options": OPTIONS[case]})
    assert answer.status_code == 400
    message = answer.json()["message"]
    assert message
    assert message != "Bad Request"
    assert len(message) < 1000
    assert all(len(record) < 5000 for record in told.records)
    told.once(message.splitlines()[0][:40])
    assert alice.server("alice") is None


@pytest.mark.parametrize("case", [name for name in OPTIONS if name != "list"])
def test_malformed_bare_bodies_are_refused_in_words(hub, case):
    with news(hub):
        answer = hub.api("alice").call("POST", "/users/alice/server", json=OPTIONS[case])
    assert answer.status_code == 400
    assert answer.json()["message"]


@pytest.mark.parametrize("body", ["{", b"\xff\xfe", "[1,", '{"profile": NaN', "\0"])
def test_body_that_is_not_json_is_refused_without_a_traceback(hub, body):
    with news(hub):
        answer = hub.api("alice").call("POST", "/users/alice/server", data=body)
    assert answer.status_code == 400
    assert answer.json()["message"]


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 100_000])
def test_body_nested_too_deep_is_refused_without_a_traceback(hub, body):
    with news(hub):
        answer = hub.api("alice").call("POST", "/users/alice/server", data=body)
    assert 400 <= answer.status_code < 500


PATCHES = {
    "unknown field": {"colour": "red"},
    "options are a list": {"user_options": [1]},
    "options are text": {"user_options": GOOD},
    "list": [1],
    "text": "x",
    "number": 7,
    "display name is a list": {"display_name": [1]},
    "name is a dict": {"name": {}},
    "nothing": {},
}


@pytest.mark.parametrize("case", PATCHES)
def test_patch_with_nonsense_is_refused(hub, case):
    alice = hub.api("alice")
    with news(hub):
        alice.call("PUT", "/users/alice/servers/patched", json={})
        answer = alice.call("PATCH", "/users/alice/servers/patched", json=PATCHES[case])
    assert 400 <= answer.status_code < 500, answer.text


def test_patch_with_a_forbidden_profile_starts_nothing(hub):
    alice = hub.api("alice")
    with news(hub):
        alice.call("PUT", "/users/alice/servers/patched", json={})
        options = {"user_options": {"profile": "dl-301/training"}}
        alice.call("PATCH", "/users/alice/servers/patched", json=options)
        answer = alice.call("POST", "/users/alice/servers/patched")
    assert 400 <= answer.status_code < 500
    assert alice.server("alice", "patched") is None or not alice.server("alice", "patched")["ready"]


def test_put_with_a_forbidden_profile_starts_nothing(hub):
    alice = hub.api("alice")
    with news(hub):
        options = {"user_options": {"profile": "dl-301/training", "image": "evil"}}
        made = alice.call("PUT", "/users/alice/servers/prepared", json=options)
        answer = alice.call("POST", "/users/alice/servers/prepared")
    assert made.status_code < 500
    assert 400 <= answer.status_code < 500
