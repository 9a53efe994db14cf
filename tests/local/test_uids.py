"""Every person has a uid of their own, for ever."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.support.pages import news
from tests.support.processes import RESERVED
from tests.support.running import hub_env

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: gives accounts to people")

GIVE = """
import sys
from pathlib import Path
from lectern_spawner.accounts import Accounts
state = Path(sys.argv[1])
for name in sys.argv[2:]:
    print(name, Accounts(state / "uids.sqlite", state / "homes").get(name).uid)
"""


def give(state, names):
    """Start a process that asks for the accounts of people."""
    command = [sys.executable, "-c", GIVE, str(state), *names]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=hub_env())


def told(process):
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return {name: int(uid) for name, uid in (line.split() for line in text.splitlines())}


def test_many_processes_give_every_name_one_uid(tmp_path):
    (tmp_path / "homes").mkdir()
    names = [f"person{number}" for number in range(50)]
    # Every name is asked for by two processes, in different orders.
    orders = [names[i::5] + names[(i + 1) % 5 :: 5] for i in range(5)]
    answers = [told(asked) for asked in [give(tmp_path, order) for order in orders]]
    given: dict[str, set[int]] = {}
    for answer in answers:
        for name, uid in answer.items():
            given.setdefault(name, set()).add(uid)
    assert all(len(uids) == 1 for uids in given.values())
    uids = [min(uids) for uids in given.values()]
    assert len(set(uids)) == len(names) == len(uids)
    assert set(uids) <= set(RESERVED)
    again = told(give(tmp_path, names))
    assert {name: {uid} for name, uid in again.items()} == given


def test_uids_survive_a_kill_in_the_middle(tmp_path):
    (tmp_path / "homes").mkdir()
    names = [f"person{number}" for number in range(200)]
    asked = give(tmp_path, names)
    seen = [asked.stdout.readline().split() for _ in range(20)]
    asked.kill()
    asked.communicate()
    after = told(give(tmp_path, names))
    assert all(after[name] == int(uid) for name, uid in seen)
    assert len(set(after.values())) == len(names)


def test_lost_table_does_not_give_a_home_away(tmp_path):
    homes = tmp_path / "homes"
    homes.mkdir()
    first = told(give(tmp_path, ["alice", "bob"]))
    for name, uid in first.items():
        (homes / name).mkdir()
        os.chown(homes / name, uid, uid)
    for file in tmp_path.glob("uids.sqlite*"):
        file.unlink()
    after = told(give(tmp_path, ["stranger", "bob", "alice"]))
    assert (after["alice"], after["bob"]) == (first["alice"], first["bob"])
    assert after["stranger"] not in first.values()


def test_uid_of_a_deleted_person_is_never_given_again(hub):
    admin, uids = hub.api("admin"), {}
    with news(hub):
        for name in ("bob", "韩梅梅", "bob"):
            hub.visitor(name)
            assert admin.start(name, "py-100/small").status_code in (201, 202)
            admin.wait(name)
            admin.stop(name)
            uid = (hub.state / "homes" / name).stat().st_uid
            assert uids.setdefault(name, uid) == uid
            if name == "bob":
                assert admin.call("DELETE", "/users/bob").status_code == 204
                hub.tokens.pop("bob", None)
    assert len(set(uids.values())) == 2
    assert set(uids.values()) <= set(RESERVED)
