"""Change files the way that programs do, and look on meanwhile."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.browserless import Visitor
from tests.support.pages import Offers

PICKED_UP_SECONDS = 5
_LOOK_SECONDS = 0.1
_SLOW_SECONDS = 0.08
_FEWEST_LOOKS = 5


def in_place(file: Path, text: str) -> None:
    file.write_text(text)


def slowly(file: Path, text: str) -> None:
    """Empty the file, and write it piece by piece with pauses that others can see."""
    size = len(text) // 4 + 1
    with file.open("w") as open_file:
        for start in range(0, len(text), size):
            time.sleep(0.5)
            open_file.write(text[start : start + size])
            open_file.flush()


def atomically(file: Path, text: str) -> None:
    fresh = file.with_name(f"{file.name}.tmp")
    fresh.write_text(text)
    fresh.replace(file)


def like_vim(file: Path, text: str) -> None:
    """Try the folder, move the file to a backup, write it anew, remove the backup."""
    swap, probe = file.with_name(f".{file.name}.swp"), file.with_name("4913")
    backup = file.with_name(f"{file.name}~")
    swap.write_bytes(b"b0VIM 9.0")
    probe.touch()
    probe.unlink()
    file.rename(backup)
    file.write_text(text)
    backup.unlink()
    swap.unlink()


def like_emacs(file: Path, text: str) -> None:
    """Lock with a link to nowhere, save for oneself first, keep the old file as a backup."""
    lock, own = file.with_name(f".#{file.name}"), file.with_name(f"#{file.name}#")
    lock.symlink_to("somebody@example.4711:1700000000")
    own.write_text(text[: len(text) // 2])
    time.sleep(0.5)
    file.rename(file.with_name(f"{file.name}~"))
    file.write_text(text)
    own.unlink()
    lock.unlink()


def like_git(file: Path, text: str) -> None:
    file.unlink()
    file.write_text(text)


def like_rsync(file: Path, text: str) -> None:
    hidden = file.with_name(f".{file.name}.Ab3xYz")
    hidden.write_text(text)
    os.utime(hidden, (1_000_000_000, 1_000_000_000))  # the time of the original, long ago
    hidden.replace(file)


def as_link(file: Path, text: str) -> None:
    """Put the text elsewhere and a link to it here."""
    elsewhere = file.parent / "elsewhere.txt"
    elsewhere.write_text(text)
    file.unlink()
    file.symlink_to(elsewhere.name)


SAVES: dict[str, Callable[[Path, str], None]] = {
    "in place": in_place,
    "slowly": slowly,
    "atomically": atomically,
    "like vim": like_vim,
    "like emacs": like_emacs,
    "like git": like_git,
    "like rsync": like_rsync,
    "as a link": as_link,
}


def make_again(folder: Path, original: Path) -> None:
    """Make a folder what another is."""
    for path in sorted(folder.rglob("*"), reverse=True):
        model = original / path.relative_to(folder)
        if path.is_symlink() or (path.is_file() and not model.is_file()):
            path.unlink()
        elif path.is_dir() and not model.is_dir():
            shutil.rmtree(path)
    shutil.copytree(original, folder, dirs_exist_ok=True)


def slow_checkout(files: list[Path], change: Callable[[str], str]) -> None:
    """Change many files as git does on a slow disk: each one is gone for a moment."""
    for file in files:
        text = file.read_text()
        file.unlink()
        time.sleep(_SLOW_SECONDS)
        file.write_text(change(text))


def config_map(folder: Path, version: str, source: Path) -> None:
    """Put files into a folder as Kubernetes does: behind one link that is turned at once."""
    data = folder / f"..{version}"
    shutil.copytree(source, data)
    (folder / "..data_tmp").symlink_to(data.name)
    (folder / "..data_tmp").replace(folder / "..data")
    for item in sorted(data.iterdir()):
        if not (folder / item.name).is_symlink():
            (folder / item.name).symlink_to(f"..data/{item.name}")
    for old in folder.iterdir():
        if old.is_symlink() and not old.exists():
            old.unlink()
        elif old.name.startswith("..2") and old != data:
            shutil.rmtree(old)


class Onlooker:
    """Somebody who looks at the spawn page ten times a second."""

    def __init__(self, person: Visitor, courses: set[str]) -> None:
        self.person = person
        self.courses = courses
        self.looks = 0
        self.wrong: list[str] = []
        self._enough = threading.Event()

    def look(self) -> None:
        while not self._enough.wait(_LOOK_SECONDS):
            self.looks += 1
            try:
                answer = self.person.get("/hub/spawn")
                shown = set(Offers(answer.text).courses)
            except OSError as error:
                self.wrong.append(str(error))
                continue
            if answer.status_code != 200 or not self.courses <= shown:
                self.wrong.append(f"look {self.looks}: {answer.status_code} with {sorted(shown)}")

    def stop(self) -> None:
        self._enough.set()


@contextmanager
def looked_on(*onlookers: Onlooker) -> Iterator[None]:
    """Have people look at their pages meanwhile: always an answer, always their courses."""
    threads = [threading.Thread(target=each.look) for each in onlookers]
    for thread in threads:
        thread.start()
    try:
        yield
        soon(lambda: all(each.looks >= _FEWEST_LOOKS for each in onlookers), "a few looks")
    finally:
        for each, thread in zip(onlookers, threads, strict=True):
            each.stop()
            thread.join()
    for each in onlookers:
        assert each.wrong == [], f"{each.person.name} saw: {each.wrong[:5]}"


def soon(check: Callable[[], bool], what: str) -> None:
    """Wait until something is so, as long as a person would."""
    deadline = time.monotonic() + PICKED_UP_SECONDS
    while time.monotonic() < deadline:
        if check():
            return
        time.sleep(0.05)
    raise AssertionError(f"not within {PICKED_UP_SECONDS} s: {what}")
