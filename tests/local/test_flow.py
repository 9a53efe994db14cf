"""A person's way through the hub: log in, see, start, compute, come back."""

from __future__ import annotations

import json
import os
import stat

import pytest
from tests.support.browserless import Visitor, text_of
from tests.support.kernel import Kernel
from tests.support.pages import Offers

pytestmark = pytest.mark.usefixtures("quiet")

WHO_AM_I = """
import getpass, json, os, pwd
me = pwd.getpwuid(os.getuid())
print(json.dumps([os.getuid(), me.pw_name, getpass.getuser(), me.pw_dir, os.getcwd(),
    os.environ["HOME"], os.getgroups(), os.access("/etc/shadow", os.R_OK)]))
"""


def spawn_page(person, **more):
    answer = person.get("/hub/spawn", **more)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_password_file_is_for_its_owner_only(hub):
    mode = (hub.state / "passwords.yaml").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_start_tells_address_people_and_password_file(hub):
    told = hub.output.read_text()
    assert hub.base in told
    assert "alice" in told
    assert "admin" in told
    assert str(hub.state / "passwords.yaml") in told
    assert not any(password in told for password in hub.passwords.values())


@pytest.mark.parametrize(("name", "kind"), [("alice", "staff"), ("chen", "students"), ("x", "")])
def test_wrong_password_does_not_log_in(hub, name, kind):
    person = Visitor(hub.base)
    answer = person.log_in(name, hub.passwords.get(kind, "wrong"))
    assert answer.status_code in (401, 403)
    assert "lectern-error" in answer.text
    assert person.get("/hub/spawn").url.startswith(f"{hub.base}/hub/login")


def test_person_in_no_course_is_told_so(hub):
    answer = Visitor(hub.base).log_in("stranger", hub.passwords["students"])
    assert 400 <= answer.status_code < 500
    assert "in no course" in text_of(answer.text)


def test_student_sees_only_their_courses_grouped(hub):
    assert Offers(spawn_page(hub.visitor("alice"))).courses == {
        "history-2025": ["history-2025/notebook"],
        "ml-101": ["ml-101/notebook", "ml-101/project"],
        "py-100": ["py-100/small", "py-100/notebook"],
    }


def test_page_says_what_each_profile_gives(hub):
    text = text_of(spawn_page(hub.visitor("alice")))
    for words in ("1 CPU, 1 GiB", "2 CPU, 2 GiB", "0.5 CPU, 512 MiB", "For the weekly exercises"):
        assert words in text


def test_staff_see_the_staff_profiles_of_their_courses(hub):
    chen = Offers(spawn_page(hub.visitor("chen"))).courses
    assert "ml-101/grading-desk" in chen["ml-101"]
    assert set(chen) == {"dl-301", "history-2025", "ml-101"}
    carol = Offers(spawn_page(hub.visitor("carol"))).courses
    assert set(carol) == {"dl-301", "py-100"}


def test_admin_sees_everything_and_the_admin_page(hub):
    admin = hub.visitor("admin")
    offers = Offers(spawn_page(admin))
    assert set(offers.courses) == {"dl-301", "history-2025", "ml-101", "py-100"}
    assert "ml-101/grading-desk" in offers.courses["ml-101"]
    assert admin.get("/hub/admin").status_code == 200


def test_student_does_not_see_the_admin_page(hub):
    assert hub.visitor("alice").get("/hub/admin").status_code == 403


def test_closed_course_is_greyed_out_with_its_reason(hub):
    html = spawn_page(hub.visitor("alice"))
    assert Offers(html).disabled == {"history-2025/notebook"}
    assert "“History of Computing (2025)” ended on 2025-07-04." in text_of(html)
    assert Offers(spawn_page(hub.visitor("chen"))).disabled == set()  # staff look back


@pytest.mark.parametrize(
    ("wished", "spoken"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,zh;q=0.5", "en"),
        ("fr,de;q=0.7", "en"),
        ("fr,zh;q=0.1", "zh"),
        ("", "en"),
        (";;;q=x,\u00e4", "en"),
    ],
)
def test_page_speaks_the_language_of_the_browser(hub, wished, spoken):
    wish = {"Accept-Language": wished.encode()}
    person = hub.visitor("alice")
    html = spawn_page(person, headers=wish)
    assert Offers(html).language == spoken
    assert ("机器学习" in html) is (spoken == "zh")
    assert ("Machine Learning" in html) is (spoken == "en")


def test_choice_of_language_beats_the_browser_and_stays(hub):
    person = hub.visitor("alice")
    assert Offers(spawn_page(person, params={"lang": "zh"})).language == "zh"
    assert Offers(spawn_page(person, headers={"Accept-Language": "en"})).language == "zh"
    assert Offers(spawn_page(person, params={"lang": "en"})).language == "en"
    assert Offers(person.get("/hub/spawn", params={"lang": "../xx"}).text).language == "en"


def test_refusal_comes_in_the_language_of_the_reader(hub):
    person = hub.visitor("alice", Accept_Language="zh")
    refused = text_of(person.start("history-2025/notebook").text)
    assert "计算机史（2025）" in refused
    assert "ended on" not in refused


def test_login_page_speaks_chinese(hub):
    html = Visitor(hub.base).get("/hub/login", headers={"Accept-Language": "zh"}).text
    assert Offers(html).language == "zh"
    assert "登录" in html


def test_a_file_is_there_after_a_restart_and_in_another_profile(hub):
    api = hub.api("alice")
    assert api.start("alice", "ml-101/notebook").status_code in (201, 202)
    api.wait("alice")
    with Kernel(hub.base, api.token, "alice") as kernel:
        assert kernel.run("print(6 * 7)").text == "42\n"
    text = {"type": "file", "format": "text", "content": "kept 李雷"}
    assert api.file("PUT", "alice", "notes.txt", json=text).status_code == 201
    api.stop("alice")
    for profile in ("ml-101/notebook", "py-100/small"):
        api.start("alice", profile)
        api.wait("alice")
        assert api.file("GET", "alice", "notes.txt").json()["content"] == "kept 李雷"
        api.stop("alice")


def test_server_runs_jupyterlab_for_its_person_only(hub):
    alice, bob = hub.visitor("alice"), hub.visitor("bob")
    page = alice.start("py-100/small")
    assert page.status_code == 200
    hub.api("alice").wait("alice")
    lab = alice.get("/user/alice/lab")
    assert lab.status_code == 200
    assert "JupyterLab" in lab.text
    assert bob.get("/user/alice/lab").status_code in (403, 404)
    hub.api("alice").stop("alice")


def test_last_choice_is_remembered_and_comes_first(hub):
    api, alice = hub.api("alice"), hub.visitor("alice")
    alice.start("py-100/small")
    api.wait("alice")
    api.stop("alice")
    assert Offers(spawn_page(alice)).last_used == ["py-100/small"]
    refused = alice.start("ml-101/nope")
    assert Offers(refused.text).last_used == ["py-100/small"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: people have accounts of their own")
def test_server_runs_under_an_account_with_the_persons_name(hub):
    api = hub.api("李雷")
    api.start("李雷", "py-100/small")
    api.wait("李雷")
    with Kernel(hub.base, api.token, "李雷") as kernel:
        seen = kernel.run(WHO_AM_I)
    api.stop("李雷")
    uid, name, user, folder, cwd, home, groups, shadow = json.loads(seen.text)
    assert uid >= 1000
    assert name == user == "李雷"
    assert folder == cwd == home == str(hub.state / "homes" / "李雷")
    assert set(groups) <= {uid}
    assert not shadow


def test_token_of_a_known_person_works(hub):
    answer = hub.api("alice").call("GET", "/user")
    assert answer.json()["name"] == "alice"
    printed = json.loads(hub.lectern("token", "alice", "--format", "json").stdout)
    assert printed["name"] == "alice"
    assert printed["token"]


@pytest.mark.parametrize("name", ["mallory", "root", "../alice", "", "a\nb"])
def test_no_token_for_somebody_unknown(hub, name):
    answer = hub.lectern("token", name)
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert "Traceback" not in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1
