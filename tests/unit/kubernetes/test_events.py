"""Kubernetes' words and ours: a table of what it says, each with its source."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from lectern_spawner.kubernetes import events
from lectern_spawner.kubernetes.events import Hope
from lectern_spawner.words import words

ROWS = yaml.safe_load(
    (Path(__file__).parents[2] / "data" / "kubernetes" / "events.yaml").read_text()
)
FOREIGN = re.compile(
    r"\b(pods?|nodes?|kube\w*|containers?|volumes?|claims?|PVCs?|namespaces?|taints?|evict\w*|"
    r"schedul\w*|images?|registry|mount\w*|NFS|OOM\w*|quota|API|cluster|Kubernetes)\b",
    re.IGNORECASE,
)
"""Words that no student should have to know."""


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['code']}-{row['text'][:40]}")
def test_what_is_said_is_understood(row):
    assert events.of(row["text"]).code == row["code"]


def test_every_sentence_is_tried_and_there_are_enough_of_them():
    assert len(ROWS) >= 40
    tried = {row["code"] for row in ROWS}
    assert tried == {rule.code for rule in events.RULES}
    assert len({rule.sentence for rule in events.RULES}) >= 25


@pytest.mark.parametrize("rule", events.RULES, ids=lambda rule: rule.code)
def test_no_word_of_kubernetes_reaches_a_person(rule):
    for language in ("en", "zh"):
        text = events.Condition(
            rule.code, rule.hope, rule.sentence, values={"reference": "ABC123"}
        ).text(words(language))
        assert not FOREIGN.search(text), text
        assert ("ABC123" in text) == ("%(reference)s" in rule.sentence)


def test_what_nobody_has_foreseen_has_a_reference_that_stays_the_same():
    first, again, other = (events.of(text) for text in ("Odd: x", "Odd: x", "Odd: y"))
    assert first.code == "unknown"
    assert first.values == again.values != other.values
    assert str(first.values["reference"]) in first.text(words("en"))


def test_what_a_pod_is_beats_what_was_reported():
    told = [{"reason": "Pulling", "message": "Pulling image"}]
    state = {"waiting": {"reason": "ErrImagePull", "message": 'image "x": not found'}}
    pod = {"status": {"containerStatuses": [{"name": "notebook", "state": state}]}}
    assert events.said(None, told).hope is Hope.GOES_ON
    assert events.said(pod, told).code == "image-missing"


def test_a_pod_of_which_nothing_is_known_says_nothing():
    assert events.said(None, []) is None
