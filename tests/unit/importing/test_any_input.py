"""Any tree of values is converted or refused in words, and every leaf is accounted for."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lectern_spawner.importing.convert import NoHubError, convert
from lectern_spawner.importing.ledger import leaves
from lectern_spawner.importing.reading import ReadError, parse

KEYS = st.sampled_from(
    [
        "display_name",
        "description",
        "slug",
        "default",
        "kubespawner_override",
        "profile_options",
        "choices",
        "image",
        "cpu_limit",
        "cpu_guarantee",
        "mem_limit",
        "mem_guarantee",
        "environment",
        "extra_resource_limits",
        "allowed_groups",
        "unlisted_choice",
        "name",
        "tag",
        "limit",
        "guarantee",
        "memory",
        "cpu",
        "nvidia.com/gpu",
        "A",
        "b",
        "c",
        "extraEnv",
        "admin_users",
    ]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        [
            "2G",
            "7.234G",
            "0.5",
            "1e400",
            "a/b:1",
            "<b>x</b>",
            "null",
            "yes",
            "12:30",
            "机器",
            "9" * 99,
        ]
    ),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(KEYS | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=25,
)
AMOUNTS = st.dictionaries(st.sampled_from(["limit", "guarantee"]), LEAVES, max_size=2)
OVERRIDES = st.dictionaries(KEYS, LEAVES | st.dictionaries(KEYS, LEAVES, max_size=2), max_size=5)
CHOICES = st.dictionaries(
    st.text(max_size=8),
    st.fixed_dictionaries({}, optional={
        "display_name": LEAVES, "kubespawner_override": OVERRIDES, "default": st.booleans(),
    }),
    max_size=5,
)  # fmt: skip
PROFILES = st.fixed_dictionaries({}, optional={
    "display_name": st.text(max_size=250) | LEAVES, "slug": LEAVES, "description": st.text(max_size=250),
    "kubespawner_override": OVERRIDES, "allowed_groups": TREES,
    "profile_options": st.dictionaries(
        KEYS, st.fixed_dictionaries({"choices": CHOICES}) | TREES, max_size=3
    ),
})  # fmt: skip
USERS = st.lists(st.text(max_size=10) | LEAVES, max_size=4)
HUBS = st.fixed_dictionaries(
    {"singleuser": st.fixed_dictionaries({}, optional={
        "image": st.dictionaries(st.sampled_from(["name", "tag"]), LEAVES, max_size=2),
        "cpu": AMOUNTS, "memory": AMOUNTS, "extraEnv": TREES,
        "profileList": st.lists(PROFILES | TREES, max_size=4) | st.dictionaries(KEYS, PROFILES),
    })},
    optional={
        "hub": st.fixed_dictionaries({"config": st.fixed_dictionaries({"XAuthenticator":
            st.fixed_dictionaries({"admin_users": USERS, "allowed_users": USERS})})}) | TREES,
        "cull": TREES,
    },
)  # fmt: skip


def check(data: object) -> None:
    made = convert(data, "art-1", ["chen"])
    assert [item for item in made.problems if item.is_error] == []
    found = {where for where, _ in leaves(data)}
    assert set(made.fates) == found
    totals = made.totals
    assert totals.carried + totals.listed == totals.leaves == len(found)


@settings(max_examples=80, deadline=None)
@given(HUBS)
def test_any_hub_gives_a_campus_that_passes_its_check(hub) -> None:
    check(hub)
    check({"basehub": {"jupyterhub": hub}, "other": 1})


@settings(max_examples=60, deadline=None)
@given(TREES)
def test_any_other_tree_is_converted_or_refused(tree) -> None:
    try:
        check(tree)
    except NoHubError:
        with pytest.raises(NoHubError, match="no settings of JupyterHub"):
            convert(tree, "art-1", ["chen"])


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=80) | st.text(alphabet="ab:-[]{}&*!<>|#'\" \n\t0?,=%@", max_size=40))
def test_any_text_is_read_or_refused_with_one_sentence(text) -> None:
    try:
        parse(text)
    except ReadError as error:
        said = str(error)
    else:
        said = "read"
    assert said
    assert "\n" not in said


@settings(max_examples=30, deadline=None)
@given(HUBS)
def test_reading_a_written_file_gives_the_same_data(hub) -> None:
    text = yaml.safe_dump(hub, allow_unicode=True)
    try:
        data = parse(text)
    except ReadError:
        return
    check(data)
