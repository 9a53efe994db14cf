"""A student in a real browser, from the login to a saved notebook and back."""

from __future__ import annotations

import os
import re
import signal

import pytest
from playwright.sync_api import expect
from tests.support.pages import Offers, news
from tests.support.processes import of_folder

NOTEBOOK = ".jp-Notebook"
OUTPUT = ".jp-OutputArea-output"
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
SECONDS = 1000

# JupyterLab opens the kernel's connection twice for a new notebook, and loses what is run
# in between: wait until the kernel has been idle for two seconds, as a person would.
CALM = """() => {
  const idle = document.querySelector('.jp-NotebookPanel-toolbar [data-status="idle"]');
  if (!idle) { window.idleSince = undefined; return false; }
  window.idleSince = window.idleSince || Date.now();
  return Date.now() - window.idleSince > 2000;
}"""


def log_in(page, hub, name="alice", kind="students"):
    """Log in with the keyboard alone; the cursor waits in the first field."""
    page.goto("/hub/login")
    expect(page.locator("#username_input")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(hub.passwords[kind])
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/hub/spawn"))


def pick(page, profile):
    """Walk to a profile's button with the Tab key and press it."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.value") == profile:
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"the Tab key does not reach {profile}")


def in_lab(page):
    """Wait until JupyterLab stands, and close what it asks newcomers."""
    page.wait_for_url(re.compile("/user/[^/]+/(second/)?lab"), timeout=90 * SECONDS)
    expect(page.locator("#jp-main-dock-panel")).to_be_visible(timeout=90 * SECONDS)


def new_notebook(page):
    """Open a notebook from the launcher and wait for its kernel."""
    page.locator('.jp-LauncherCard[data-category="Notebook"]').first.click()
    expect(page.locator(NOTEBOOK)).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.wait_for_function(CALM, timeout=60 * SECONDS, polling=100)


def run_cell(page, code):
    """Type into the last cell and run it."""
    cell = page.locator(f"{NOTEBOOK} .jp-CodeCell").last.locator(".cm-content")
    cell.click()
    expect(cell).to_be_focused()
    page.keyboard.insert_text(code)
    expect(cell).to_have_text(code)
    page.keyboard.press("Shift+Enter")


def save(page):
    page.keyboard.press("Control+s")
    rename = page.get_by_role("button", name="Rename")
    page.wait_for_timeout(500)  # JupyterLab asks for a name at the first save only
    if rename.is_visible():
        rename.click()
    expect(page.locator(".jp-mod-dirty")).to_have_count(0)


def stop_at_home(page):
    """Stop the server on the page of one's servers."""
    page.goto("/hub/home")
    page.get_by_role("button", name=re.compile("^Stop")).click()
    expect(page.get_by_text("None of your servers runs.")).to_be_visible(timeout=40 * SECONDS)


def test_student_computes_saves_and_finds_the_file_again(hub, browse, picture):
    page = browse(viewport=DESKTOP)
    with news(hub):
        log_in(page, hub)
        pick(page, "ml-101/notebook")
        in_lab(page)
        new_notebook(page)
        run_cell(page, "6*7")
        expect(page.locator(OUTPUT).first).to_have_text("42", timeout=60 * SECONDS)
        save(page)
        page.screenshot(path=picture("lab-1280.png"))
        stop_at_home(page)
        page.goto("/hub/spawn")
        pick(page, "py-100/small")
        in_lab(page)
        entry = page.locator(".jp-DirListing-item", has_text="Untitled.ipynb")
        expect(entry).to_be_visible(timeout=60 * SECONDS)
        stop_at_home(page)


def test_a_long_stop_is_shown_until_it_is_over(hub, browse, picture):
    page, api = browse(viewport=DESKTOP), hub.api("bob")
    log_in(page, hub, "bob")
    api.start("bob", "py-100/small")
    api.wait("bob")
    deaf = of_folder(hub.state / "homes" / "bob")
    assert deaf
    for pid in deaf:
        os.kill(pid, signal.SIGSTOP)
    page.goto("/hub/home")
    page.get_by_role("button", name=re.compile("^Stop")).click()
    expect(page.get_by_role("progressbar", name="Stopping")).to_be_visible()
    page.screenshot(path=picture("stopping-1280.png"))
    expect(page.get_by_text("None of your servers runs.")).to_be_visible(timeout=60 * SECONDS)


def test_death_by_memory_is_explained_in_the_notebook(hub, browse):
    page = browse(viewport=DESKTOP)
    with news(hub):
        log_in(page, hub, "bob")
        pick(page, "py-100/small")
        in_lab(page)
        new_notebook(page)
        run_cell(page, "print('before')")
        expect(page.locator(OUTPUT).first).to_have_text("before", timeout=60 * SECONDS)
        run_cell(page, "x = b'1' * (768 * 2**20)")
        sentence = "Stopped: this needed more memory than py-100/small has, which is 512 MiB."
        # Where each program has its own limit, Python's own words stand beside it.
        cell = page.locator(f"{NOTEBOOK} .jp-Cell", has_text="768")
        told = cell.locator(OUTPUT, has_text=sentence)
        expect(told).to_be_visible(timeout=60 * SECONDS)
        stop_at_home(page)


def test_server_that_dies_at_its_start_is_explained_without_a_reload(hub, browse):
    page, api = browse(viewport=DESKTOP), hub.api("carol")
    api.start("carol", "py-100/small")
    api.wait("carol")
    api.file("PUT", "carol", ".jupyter", json={"type": "directory"})
    api.stop("carol")
    folder = hub.state / "homes" / "carol" / ".jupyter"
    folder.mkdir(exist_ok=True)
    owner = folder.parent.stat()
    os.chown(folder, owner.st_uid, owner.st_gid)
    folder.chmod(0o755)
    config = folder / "jupyter_server_config.py"
    config.write_text("import time\ntime.sleep(1)\nraise SystemExit('boom <i>')\n")
    config.chmod(0o644)
    with news(hub):
        log_in(page, hub, "carol", "staff")
        pick(page, "py-100/small")
        expect(page.get_by_role("alert")).to_contain_text("boom <i>", timeout=30 * SECONDS)
        config.unlink()


@pytest.mark.parametrize(
    ("name", "viewport", "locale", "scheme"),
    [
        ("spawn-1280.png", DESKTOP, "en", "light"),
        ("spawn-390.png", PHONE, "en", "light"),
        ("spawn-zh-1280.png", DESKTOP, "zh-CN", "light"),
        ("spawn-zh-390.png", PHONE, "zh-CN", "light"),
        ("spawn-dark-1280.png", DESKTOP, "en", "dark"),
        ("spawn-dark-390.png", PHONE, "en", "dark"),
    ],
)
def test_spawn_page_fits_every_screen(hub, browse, picture, name, viewport, locale, scheme):
    page = browse(viewport=viewport, locale=locale, color_scheme=scheme)
    complaints = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    log_in(page, hub)
    page.screenshot(path=picture(name), full_page=True)
    assert page.locator("html").get_attribute("lang") == locale[:2]
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    for button in page.locator("button[name=profile]").all():
        box = button.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= viewport["width"]
        assert box["height"] >= 24  # WCAG 2.2, target size
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(hub, browse, scheme):
    page = browse(viewport=DESKTOP, color_scheme=scheme)
    log_in(page, hub)
    weak = page.evaluate(CONTRASTS)
    assert [line for line in weak if float(line.split()[0]) < 4.5] == []


CONTRASTS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const light = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(
      v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = node => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (!/rgba\\(.*, 0\\)/.test(colour)) return colour;
    }
    return getComputedStyle(document.documentElement).colorScheme.includes("dark")
      && matchMedia("(prefers-color-scheme: dark)").matches ? "#121212" : "#fff";
  };
  return [...document.querySelectorAll("main *, header *")]
    .filter(n => [...n.childNodes].some(c => c.nodeType === 3 && c.textContent.trim()))
    .filter(n => n.offsetParent && !n.disabled)
    .map(n => {
      const [a, b] = [light(getComputedStyle(n).color), light(ground(n))];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      return `${ratio.toFixed(2)} ${n.tagName}.${n.className} ${n.textContent.trim().slice(0, 30)}`;
    });
}"""


def test_login_page_has_a_picture_and_fits_a_phone(hub, browse, picture):
    page = browse(viewport=DESKTOP)
    page.goto("/hub/login")
    page.screenshot(path=picture("login-1280.png"))
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_closed_profile_cannot_be_pressed_and_says_why(hub, browse):
    page = browse(viewport=DESKTOP)
    log_in(page, hub)
    button = page.locator('button[value="history-2025/notebook"]')
    expect(button).to_be_disabled()
    expect(button).to_have_accessible_description(re.compile("ended on 2025-07-04"))


def test_everything_works_without_javascript(hub, browse):
    page = browse(viewport=PHONE, java_script_enabled=False)
    with news(hub):
        page.goto("/hub/login")
        page.fill("#username_input", "韩梅梅")
        page.fill("#password_input", hub.passwords["students"])
        page.click("#login_submit")
        page.wait_for_url(re.compile("/hub/spawn"))
        assert "ml-101" in Offers(page.content()).courses
        page.click('button[value="py-100/small"]')
        page.wait_for_url(re.compile("/user/.*/lab"), timeout=90 * SECONDS)
        page.goto("/hub/home")
        page.get_by_role("button", name=re.compile("^Stop")).click()
        expect(page.get_by_text("None of your servers runs.")).to_be_visible(timeout=40 * SECONDS)


def test_change_of_language_needs_one_press(hub, browse):
    page = browse(viewport=DESKTOP)
    log_in(page, hub)
    page.get_by_role("link", name="中文").click()
    expect(page.get_by_text("机器学习").first).to_be_visible()
    page.get_by_role("link", name="English").click()
    expect(page.get_by_text("Machine Learning").first).to_be_visible()
