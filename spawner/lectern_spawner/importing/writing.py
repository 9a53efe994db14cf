"""The files of the new campus, with a comment wherever a person must look."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from lectern_spawner.importing.images import FALLBACK
from lectern_spawner.importing.people import People
from lectern_spawner.importing.profiles import Draft
from lectern_spawner.importing.resources import Range

MARK = "imported:"


def campus(images: Mapping[str, str], cards: Mapping[str, int]) -> str:
    """Return campus.yaml.

    Args:
        images: reference to id.
        cards: vendor of GPUs to the number of cards in a node.
    """
    listed = CommentedMap()
    for ref, name in images.items():
        listed[_said(name)] = CommentedMap(title=_said(name), ref=_said(ref))
        if ref == FALLBACK:
            _remark(listed, name, "a guess, for profiles without an image", 2)
    data = CommentedMap(languages=_in_line(["en", "zh"]), images=listed)
    _remark(data, "images", "titles are made from the references", 0)
    if cards:
        data["gpu_pools"] = CommentedMap((name, _pool(name, cards[name])) for name in cards)
        _remark(data, "gpu_pools", "name the cards, their memory and number; these are guesses", 0)
    return _text(data)


def _pool(vendor: str, per_node: int) -> CommentedMap:
    cards = CommentedMap(model="unknown", memory="16Gi", per_node=per_node)
    cards.fa.set_flow_style()
    return CommentedMap(backend="whole", vendor=vendor, cards=cards)


def course(id_: str, people: People, profiles: Mapping[str, Draft]) -> str:
    """Return a course file."""
    data = CommentedMap(course=_said(id_), title=_said(id_))
    _remark(data, "title", "write the title of the course", 0)
    for role in ("instructors", "assistants", "students"):
        names = getattr(people, role)
        if names:
            said = [_said(name) for name in names]
            data[role] = _in_line(said) if len(names) <= 10 else CommentedSeq(said)
    listed = CommentedMap()
    for name, draft in profiles.items():
        listed[_said(name)] = _profile(draft)
    data["profiles"] = listed
    return _text(data)


def _profile(draft: Draft) -> CommentedMap:
    profile = CommentedMap(title=_said(draft.title))
    if draft.description:
        profile["description"] = _said(draft.description)
    profile["image"] = _said(draft.image)
    profile["cpu"] = _range(draft.cpu)
    profile["memory"] = _range(draft.memory)
    if draft.gpu:
        gpu = CommentedMap(count=draft.gpu.count, pool=draft.gpu.pool)
        gpu.fa.set_flow_style()
        profile["gpu"] = gpu
    if draft.env:
        quoted = {name: DoubleQuotedScalarString(text) for name, text in draft.env.items()}
        profile["env"] = CommentedMap(quoted)
    if draft.restricted:
        profile["who"] = _in_line(["instructor"])
    for key, words in draft.remarks.items():
        _remark(profile, key, words, 4)
    return profile


def _said(text: str) -> str:
    """Return text with quotes where any YAML reader, old or new, would need them."""
    quoted: str = DoubleQuotedScalarString(text)
    try:
        return text if yaml.safe_load(text) == text else quoted
    except (yaml.YAMLError, ValueError):
        return quoted


def _range(amount: Range) -> object:
    if amount.guarantee == amount.limit:
        return amount.limit
    both = CommentedMap(guarantee=amount.guarantee, limit=amount.limit)
    both.fa.set_flow_style()
    return both


def _in_line(items: Iterable[str]) -> CommentedSeq:
    sequence = CommentedSeq(items)
    sequence.fa.set_flow_style()
    return sequence


def _remark(section: CommentedMap, key: str, words: str, indent: int) -> None:
    section.yaml_set_comment_before_after_key(key, before=f"{MARK} {words}", indent=indent)


def _text(data: CommentedMap) -> str:
    writer = YAML()
    writer.width, writer.allow_unicode = 1 << 30, True
    writer.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    writer.dump(data, stream)
    return stream.getvalue()
