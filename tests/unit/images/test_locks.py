"""The locks that are checked in: they hold what the list wants, and nothing tells where from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lectern_images import listing, locks, wheels

ROOT = Path(__file__).resolve().parents[3]
LISTED = listing.load(ROOT / "images")
LOCKS = list(locks.locks(LISTED))


def names(text: str) -> set[str]:
    return {pin.name for pin in wheels.pins(text)}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: f"{lock.image}-{lock.kind}")
def test_a_lock_holds_what_the_list_wants(lock):
    found = names(locks.read(lock)) | {pin.name for pin in locks.below(LISTED, lock)}
    for wanted in lock.wanted:
        name = re.split(r"[^A-Za-z0-9._-]", wanted)[0].lower().replace("_", "-")
        assert name.replace(".", "-") in {row.replace(".", "-") for row in found}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: f"{lock.image}-{lock.kind}")
def test_a_lock_pins_every_package_once_with_hashes_and_without_addresses(lock):
    text = locks.read(lock)
    pins = list(wheels.pins(text))
    assert pins
    assert all(pin.hashes for pin in pins)
    assert len({pin.name for pin in pins}) == len(pins)
    assert "://" not in text
    assert not names(text) & {pin.name for pin in locks.below(LISTED, lock)}


def test_user_servers_have_the_jupyterhub_of_the_hub():
    def version(path: Path) -> str:
        (found,) = (pin for pin in wheels.pins(path.read_text()) if pin.name == "jupyterhub")
        return found.version

    of_hub = version(ROOT / "requirements" / "run.txt")
    assert version(ROOT / "images" / "base" / "server.txt") == of_hub
    assert version(ROOT / "images" / "hub" / "server.txt") == of_hub


def test_what_is_missing_is_known_by_hash_and_not_by_name(tmp_path):
    content = b"a wheel"
    (tmp_path / "a-1-py3-none-any.whl").write_bytes(content)
    digest = wheels.sha256(tmp_path / "a-1-py3-none-any.whl")
    lock = f"a==1 \\\n    --hash=sha256:{digest}\nb==2 \\\n    --hash=sha256:{'0' * 64}\n"
    assert [pin.name for pin in wheels.missing(lock, tmp_path)] == ["b"]
    (tmp_path / "a-1-py3-none-any.whl").write_bytes(b"another")
    assert [pin.name for pin in wheels.missing(lock, tmp_path)] == ["a", "b"]


def test_npms_lock_has_hashes_and_no_addresses():
    text = (ROOT / "images" / "proxy" / "package-lock.json").read_text()
    assert '"node_modules/configurable-http-proxy"' in text
    assert text.count('"integrity": "sha512-') >= 30
    assert '"resolved"' not in text
