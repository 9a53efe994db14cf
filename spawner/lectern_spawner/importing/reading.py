"""Read somebody else's values file: YAML as Helm reads it, or JSON, made into plain data.

Stricter rules hold for a campus's own files; here everything that Helm accepts must
be read, and nothing may take long or need much memory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable
from pathlib import Path

import yaml

LARGEST_BYTES = 2 * 2**20
DEEPEST = 60
MOST_VALUES = 50_000

_INT = re.compile(r"[-+]?(?:0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)")
_FLOAT = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*|[0-9][0-9_]*(?=[eE]))(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_PREFIX = "tag:yaml.org,2002:"


class ReadError(Exception):
    """A file that cannot be read; the message is a sentence for the user."""


class _HelmLoader(yaml.SafeLoader):
    """YAML 1.1 without dates and without numbers to the base of sixty, which Helm does not know."""

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Hashable, object]:
        """Return a mapping; a key that stands twice is an error."""
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != _PREFIX + "merge":
                if key.value in seen:
                    line = key.start_mark.line + 1
                    raise ReadError(f"line {line}: key `{key.value[:60]}` is set twice")
                seen.add(key.value)
        return super().construct_mapping(node, deep)


_DROPPED = {_PREFIX + kind for kind in ("timestamp", "int", "float", "value")}
_HelmLoader.yaml_implicit_resolvers = {
    first: [item for item in items if item[0] not in _DROPPED]
    for first, items in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_HelmLoader.add_implicit_resolver(
    _PREFIX + "float", re.compile(rf"(?:{_FLOAT.pattern})\Z"), list("-+0123456789.")
)
_HelmLoader.add_implicit_resolver(
    _PREFIX + "int", re.compile(rf"(?:{_INT.pattern})\Z"), list("-+0123456789")
)


def read(path: Path) -> object:
    """Return the plain data of a file.

    Raises:
        ReadError: when the file cannot be read or holds no usable data.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ReadError("the file is not UTF-8 text") from None
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise ReadError(f"the file cannot be read: {reason}") from None
    if len(content) > LARGEST_BYTES:
        raise ReadError(f"the file is larger than {LARGEST_BYTES // 2**20} MiB")
    return parse(text)


def parse(text: str) -> object:
    """Return the plain data of a text: dicts with text as keys, lists, and single values.

    Raises:
        ReadError: when the text is neither YAML nor JSON, or describes far too much.
    """
    try:
        return _Plain().of(_parsed(text), 0)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        raise ReadError(f"{line}the file is not valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ReadError(f"the file is not valid YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise ReadError("lists and mappings are nested too deeply") from None
    except (ValueError, TypeError, AttributeError, IndexError, KeyError) as error:
        # PyYAML fails like this on a few malformed values instead of raising its own error.
        raise ReadError(f"the file is not valid YAML: {error}") from None


def _parsed(text: str) -> object:
    if text.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            pass
    # Only plain data is constructed, as by yaml.safe_load.
    return yaml.load(text, _HelmLoader)


class _Plain:
    """Copies data, so that what anchors share is written out, and stops at a limit."""

    def __init__(self) -> None:
        self.seen = 0

    def of(self, data: object, depth: int) -> object:
        self.seen += 1
        if depth > DEEPEST:
            raise ReadError("lists and mappings are nested too deeply, or an anchor holds itself")
        if self.seen > MOST_VALUES:
            raise ReadError(f"the file describes more than {MOST_VALUES} values")
        if isinstance(data, dict):
            return {_key(key): self.of(value, depth + 1) for key, value in data.items()}
        if isinstance(data, list | tuple | set):
            return [self.of(item, depth + 1) for item in data]
        return data.decode("utf-8", "replace") if isinstance(data, bytes) else data


def _key(key: object) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    return "null" if key is None else str(key)
