"""Who may start what, and what they are told when they may not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lectern_spawner.access import Person, RefusedError, check_limit, decide, offers
from lectern_spawner.catalog import Role
from lectern_spawner.words import words

from .conftest import IN_TERM

BEFORE = datetime(2026, 8, 1, tzinfo=UTC)
AFTER = datetime(2027, 2, 1, tzinfo=UTC)


def names(catalog, person, now=IN_TERM):
    return [offer.grant.name for offer in offers(catalog, person, now)]


def refusal(*args, **more) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        decide(*args, **more)
    return caught.value


def test_students_see_the_students_profiles_of_their_own_courses(catalog, alice):
    assert names(catalog, alice) == ["ml-101/notebook", "ml-101/big", "py-100/notebook"]
    assert names(catalog, Person(name="bob")) == ["ml-101/notebook", "ml-101/big"]
    assert names(catalog, Person(name="stranger")) == []


def test_staff_see_staff_profiles_and_groups_count(catalog):
    assert "ml-101/desk" in names(catalog, Person(name="chen"))
    assert "ml-101/desk" in names(catalog, Person(name="zhao"))
    newcomer = Person(name="new", groups=frozenset({"helpers"}))
    assert decide(catalog, newcomer, {"profile": "ml-101/desk"}, IN_TERM).role is Role.ASSISTANT


def test_an_admin_sees_everything(catalog):
    assert len(names(catalog, Person(name="root-of-all", admin=True))) == 4


def test_a_right_choice_is_granted(catalog, alice):
    grant = decide(catalog, alice, {"profile": "ml-101/big"}, IN_TERM)
    assert (grant.name, grant.role) == ("ml-101/big", Role.STUDENT)


@pytest.mark.parametrize("name", ["ml-101/desk", "py-100/none", "no-such/notebook", "ml-101/x"])
def test_what_somebody_may_not_start_looks_like_what_does_not_exist(catalog, alice, name):
    refused = refusal(catalog, alice, {"profile": name}, IN_TERM)
    assert refused.status == 404
    assert str(refused) == (
        f"There is no profile “{name}” among yours. "
        "You can start: ml-101/notebook, ml-101/big, py-100/notebook."
    )


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["ml-101/notebook"],
        "ml-101/notebook",
        7,
        True,
        {"profile": None},
        {"profile": ["ml-101/notebook"]},
        {"profile": {"a": 1}},
        {"profile": ""},
        {"profile": "ml-101"},
        {"profile": "ml-101/notebook\n"},
        {"profile": "ML-101/notebook"},
        {"profile": "../notebook"},
        {"profile": "{x.__class__}"},
        {"profile": "ml-101/notebook", "image": "evil"},
        {"image": "evil"},
        {"": ""},
        {"profile": "x" * 1_000_000},
        {"x" * 1_000_000: 1},
    ],
)
def test_malformed_options_are_refused_in_a_short_sentence(catalog, alice, options):
    refused = refusal(catalog, alice, options, IN_TERM)
    assert refused.status == 400
    assert len(str(refused)) < 300


def test_a_profile_given_twice_is_refused(catalog, alice):
    refused = refusal(catalog, alice, {"profile": ["a/b", "c/d"]}, IN_TERM)
    assert "2 times" in str(refused)


@pytest.mark.parametrize("nothing", [None, {}])
def test_without_a_choice_the_last_one_counts(catalog, alice, nothing):
    last = {"profile": "ml-101/big"}
    assert decide(catalog, alice, nothing, IN_TERM, remembered=last).name == "ml-101/big"


def test_a_remembered_choice_is_refused_when_the_right_is_lost(catalog):
    last = {"profile": "ml-101/big"}
    refused = refusal(catalog, Person(name="wang"), None, IN_TERM, remembered=last)
    assert "ml-101/big" in str(refused)


@pytest.mark.parametrize("spoilt", [{"profile": 3}, [1], {"image": "x"}, "x"])
def test_a_spoilt_memory_is_as_good_as_none(catalog, spoilt):
    grant = decide(catalog, Person(name="wang"), None, IN_TERM, remembered=spoilt)
    assert grant.name == "py-100/notebook"


def test_somebody_with_one_profile_need_not_choose(catalog, alice):
    assert decide(catalog, Person(name="wang"), {}, IN_TERM).name == "py-100/notebook"
    assert "Say which profile" in str(refusal(catalog, alice, {}, IN_TERM))
    assert "no course that is open" in str(refusal(catalog, Person(name="x"), {}, IN_TERM))


@pytest.mark.parametrize(("now", "says"), [(BEFORE, "begins on 2026-09-01"), (AFTER, "ended on")])
def test_students_start_in_term_only_and_staff_always(catalog, now, says):
    choice = {"profile": "ml-101/notebook"}
    refused = refusal(catalog, Person(name="bob"), choice, now)
    assert (refused.status, says in str(refused)) == (403, True)
    assert decide(catalog, Person(name="chen"), choice, now)
    shown = [offer.refusal for offer in offers(catalog, Person(name="bob"), now)]
    assert all(shown)


def test_the_last_day_of_term_counts(catalog):
    last_minute = datetime(2027, 1, 15, 23, 59, tzinfo=UTC)
    assert decide(catalog, Person(name="bob"), {"profile": "ml-101/big"}, last_minute)


def test_refusals_speak_the_readers_language(catalog):
    refused = refusal(catalog, Person(name="bob"), {"profile": "ml-101/big"}, AFTER)
    assert refused.sentence(words("zh")) == "“机器学习”已于 2027-01-15 结束。"


def test_one_server_too_many_is_refused_but_not_for_admins(catalog, alice):
    check_limit(catalog, alice, 1)
    check_limit(catalog, Person(name="a", admin=True), 99)
    with pytest.raises(RefusedError, match="already have 2 of at most 2"):
        check_limit(catalog, alice, 2)
