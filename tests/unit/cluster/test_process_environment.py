"""Variables of containers on process nodes, and the quantities in them."""

from __future__ import annotations

import base64
from fractions import Fraction

import pytest

from cluster.process import quantities
from cluster.process.addresses import Addresses, at_own_address
from cluster.process.environment import (
    Facts,
    MissingError,
    environment,
    expand,
    field_value,
    wanted,
)
from cluster.process.records import pod_of

POD = pod_of(
    {
        "metadata": {
            "namespace": "ns",
            "name": "p",
            "uid": "u",
            "labels": {"b": '2 "x"', "a/c": "1"},
            "annotations": {"note": "line\nbreak"},
        },
        "spec": {
            "nodeName": "n",
            "serviceAccountName": "sa",
            "containers": [{"name": "m", "resources": {"requests": {"memory": "100Mi"}}}],
        },
    },
    whole=True,
)
FACTS = Facts(POD, "127.64.0.9", {"cpu": "8", "memory": "1Gi"})


def env(*rows: dict, sources: dict | None = None, **more) -> dict[str, str]:
    return environment({"env": list(rows), **more}, FACTS, sources or {})


@pytest.mark.parametrize(
    ("text", "wanted_text"),
    [
        ("$(A)", "1"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$(B)", "$(B)"),
        ("$A", "$A"),
        ("$(", "$("),
        ("a$(A)b$(A)", "a1b1"),
    ],
)
def test_references_are_replaced_where_they_are_known(text, wanted_text):
    assert expand(text, {"A": "1"}) == wanted_text


def test_a_variable_sees_only_those_before_it():
    rows = [
        {"name": "A", "value": "$(B)"},
        {"name": "B", "value": "b"},
        {"name": "C", "value": "$(B)"},
    ]
    assert env(*rows) == {"A": "$(B)", "B": "b", "C": "b"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "p"),
        ("metadata.namespace", "ns"),
        ("metadata.uid", "u"),
        ("metadata.labels['a/c']", "1"),
        ("metadata.labels['none']", ""),
        ("metadata.annotations['note']", "line\nbreak"),
        ("metadata.labels", 'a/c="1"\nb="2 \\"x\\""'),
        ("metadata.annotations", 'note="line\\nbreak"'),
        ("spec.nodeName", "n"),
        ("spec.serviceAccountName", "sa"),
        ("status.podIP", "127.64.0.9"),
        ("status.hostIP", "127.0.0.1"),
    ],
)
def test_fields_of_the_pod(path, value):
    assert field_value(path, FACTS) == value


def test_a_field_that_nobody_knows_is_refused():
    with pytest.raises(MissingError, match="status.phase"):
        field_value("status.phase", FACTS)


def test_a_limit_that_is_not_set_is_the_nodes():
    def ref(**words: str) -> dict:
        return {"name": "X", "valueFrom": {"resourceFieldRef": words}}

    assert env(ref(resource="limits.memory", divisor="1Mi")) == {"X": "1024"}
    assert env(ref(resource="requests.cpu")) == {"X": "0"}
    assert env(ref(resource="requests.memory", divisor="3Mi", containerName="m")) == {"X": "34"}


def test_a_missing_key_is_named_and_an_optional_one_is_left_out():
    def ref(**words) -> dict:
        return {"name": "X", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k", **words}}}

    assert list(wanted({"env": [ref()]})) == [("configmaps", "m")]
    sources = {("configmaps", "m"): {"data": {"other": "1"}}}
    with pytest.raises(MissingError, match="couldn't find key k in configmap m"):
        env(ref(), sources=sources)
    with pytest.raises(MissingError, match='configmap "m" not found'):
        env(ref(), sources={("configmaps", "m"): None})
    assert env(ref(optional=True), sources=sources) == {}


def test_whole_objects_come_under_their_prefix_and_single_values_win():
    secret = {"data": {"K": base64.b64encode(b"v").decode()}}
    whole = [{"prefix": "P_", "secretRef": {"name": "s"}}]
    sources = {("secrets", "s"): secret}
    assert env({"name": "P_K", "value": "own"}, sources=sources, envFrom=whole) == {"P_K": "own"}
    assert env(sources=sources, envFrom=whole) == {"P_K": "v"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("500m", Fraction(1, 2)),
        ("2Gi", 2**31),
        ("1e3", 1000),
        ("1E", 10**18),
        ("1.5k", 1500),
        ("12e-1", Fraction(12, 10)),
        (".5", Fraction(1, 2)),
        ("-3n", Fraction(-3, 10**9)),
        (2, 2),
    ],
)
def test_quantities(text, value):
    assert quantities.parse(text) == value


@pytest.mark.parametrize("text", ["", "Gi", "1 Gi", "1GiB", "0x1"])
def test_what_is_no_quantity_is_refused(text):
    with pytest.raises(ValueError, match="is not a quantity such as 500m"):
        quantities.parse(text)


@pytest.mark.parametrize(
    ("text", "wanted_text"),
    [
        ("0.0.0.0", "IP"),
        ("--ip=0.0.0.0", "--ip=IP"),
        ("http://0.0.0.0:8888/x", "http://IP:8888/x"),
        ("http://[::]:80", "http://IP:80"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("[::]/0", "[::]/0"),
        ("10.0.0.0", "10.0.0.0"),
        ("0.0.0.0.1", "0.0.0.0.1"),
        ("v0.0.0.0", "v0.0.0.0"),
    ],
)
def test_a_server_listens_at_its_pods_address_only(text, wanted_text):
    assert at_own_address(text, "IP") == wanted_text


def test_an_address_that_came_back_rests_before_it_is_taken_again():
    addresses = Addresses("127.64.0.0/29")
    taken = [addresses.take() for _ in range(6)]
    assert taken[0] == "127.64.0.1"
    assert len(set(taken)) == 6
    with pytest.raises(LookupError, match="all 6 addresses"):
        addresses.take()
    addresses.give_back(taken[3])
    assert addresses.take() == taken[3]
    for address in taken:
        addresses.give_back(address)
    assert addresses.take() == taken[4]
