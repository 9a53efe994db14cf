"""An admin in a real browser: the page about course files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.e2e.test_student import CONTRASTS, DESKTOP, PHONE, SECONDS, log_in
from tests.support.moves import make_again
from tests.support.pages import news
from tests.support.running import ROOT, open_folder, running_hub

BROKEN = """\
course: ml-101
title: {en: Machine Learning, zh: 机器学习}
instructors: [chen]
students: {csv: rosters/ml-101.csv}
profiles:
  notebook: {title: {en: Notebook, zh: 笔记本}, imag: datascience, cpu: 1, memory: 1Gi}
  project:
    title: {en: Project, zh: 课程项目}
    image: datascience
    cpu: 2
    memory: 4
"""

# Walks on through the report, so that each place is looked for behind the one before.
PLACES = """() => {
  const text = document.createTreeWalker(
    document.querySelector(".lectern-report"), NodeFilter.SHOW_TEXT);
  const place = words => {
    for (let node; (node = text.nextNode()); ) {
      const at = node.data.indexOf(words);
      if (at < 0) continue;
      const range = document.createRange();
      range.setStart(node, at);
      range.setEnd(node, at + 1);
      return range.getBoundingClientRect().left;
    }
  };
  return ["LEC101", "imag:", "^"].map(place);
}"""


@pytest.fixture(scope="module")
def hub():
    """A hub whose campus folder the tests change."""
    with open_folder() as folder:
        campus = Path(shutil.copytree(ROOT / "profiles", folder / "campus"))
        with running_hub(campus) as running:
            yield running


@pytest.fixture
def broken(hub):
    """A course file with mistakes, mended after the test."""
    file = hub.campus / "ml-101.yaml"
    file.write_text(BROKEN)
    yield file
    make_again(hub.campus, ROOT / "profiles")


def open_page(page, hub, name="admin", kind="admins"):
    log_in(page, hub, name, kind)
    page.get_by_role("link", name="Course files").or_(
        page.get_by_role("link", name="课程文件")
    ).click()
    expect(page.locator(".lectern-report")).to_contain_text("error[", timeout=10 * SECONDS)


@pytest.mark.parametrize(
    ("name", "viewport", "locale", "scheme"),
    [
        ("admin-catalog.png", DESKTOP, "en", "light"),
        ("admin-catalog-390.png", PHONE, "en", "light"),
        ("admin-catalog-dark.png", DESKTOP, "en", "dark"),
        ("admin-catalog-zh-dark-390.png", PHONE, "zh-CN", "dark"),
    ],
)
def test_page_about_course_files_fits_every_screen(
    hub, broken, browse, picture, name, viewport, locale, scheme
):
    page = browse(viewport=viewport, locale=locale, color_scheme=scheme)
    complaints = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    open_page(page, hub)
    # The picture is in the guide, where the folder of a test would puzzle.
    page.locator("main code").last.evaluate("node => { node.textContent = '/srv/campus'; }")
    page.screenshot(path=picture(name), full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    weak = page.evaluate(CONTRASTS)
    assert [line for line in weak if float(line.split()[0]) < 4.5] == []
    assert complaints == []


def test_marks_stand_under_the_words_that_they_are_about(hub, broken, browse):
    page = browse(viewport=DESKTOP)
    open_page(page, hub)
    _, word, mark = page.evaluate(PLACES)
    assert abs(word - mark) < 2


def test_the_page_refreshes_itself_with_and_without_javascript(hub, browse):
    with news(hub):
        page, plain = browse(viewport=DESKTOP), browse(viewport=PHONE, java_script_enabled=False)
        log_in(page, hub, "admin", "admins")
        page.goto("/hub/lectern/catalog")
        page.locator("h1").evaluate("node => { node.dataset.same = 'yes'; }")
        expect(page.get_by_text("Everything is in use, and nothing is wrong.")).to_be_visible()
        plain.goto("/hub/login")
        plain.fill("#username_input", "admin")
        plain.fill("#password_input", hub.passwords["admins"])
        plain.click("#login_submit")
        plain.goto("/hub/lectern/catalog")
        expect(plain.get_by_text("Everything is in use, and nothing is wrong.")).to_be_visible()
        (hub.campus / "ml-101.yaml").write_text(BROKEN)
        expect(page.locator(".lectern-report")).to_contain_text("error[", timeout=15 * SECONDS)
        expect(page.locator("h1")).to_have_attribute("data-same", "yes")  # no whole new page
        expect(plain.locator(".lectern-report")).to_contain_text("error[", timeout=25 * SECONDS)
        make_again(hub.campus, ROOT / "profiles")
        expect(page.locator(".lectern-fine")).to_be_visible(timeout=15 * SECONDS)


def test_long_lines_of_the_report_are_reached_with_the_keyboard(hub, broken, browse):
    page = browse(viewport=PHONE)
    open_page(page, hub)
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "lectern-report":
            break
    report = page.locator(".lectern-report")
    expect(report).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0")
