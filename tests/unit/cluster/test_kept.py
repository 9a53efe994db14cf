"""What takes long is made once, by one, and goes when nobody has wanted it for long."""

import multiprocessing
import os
import time
from pathlib import Path

import pytest

from cluster import kept
from cluster.errors import ClusterError

MONTH_SECONDS = 31 * 24 * 3600


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "machines"


def make_slowly(work: Path) -> None:
    time.sleep(0.3)
    (work / "thing").write_text(str(os.getpid()))


def want(cache, said) -> None:
    kept.kept(cache / "thing", make_slowly, said.append, "a thing")


def test_two_who_want_the_same_get_what_one_made(cache):
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        said = manager.list()
        both = [context.Process(target=want, args=(cache, said)) for _ in range(2)]
        for process in both:
            process.start()
        for process in both:
            process.join(30)
        assert sum(line.startswith("Making") for line in said) == 1
        assert (cache / "thing").read_text() in {str(process.pid) for process in both}


def test_what_could_not_be_made_is_made_by_the_next(cache):
    def fail(work: Path) -> None:
        (work / "half").touch()
        raise ClusterError("no disk")

    with pytest.raises(ClusterError):
        kept.kept(cache / "thing", fail, print, "a thing")
    (cache / "thing.half").mkdir()  # left by one who was killed
    (cache / "thing.half" / "old").touch()
    kept.kept(cache / "thing", make_slowly, print, "a thing")
    assert sorted(path.name for path in cache.iterdir()) == ["thing", "thing.busy"]


def test_names_tell_apart_what_only_meets_at_another_place(tmp_path):
    assert kept.digest(b"ab", b"c") != kept.digest(b"a", b"bc")
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    files = [tmp_path / "a", tmp_path / "b"]
    assert kept.digest_of_files(files) != kept.digest_of_files(files[::-1])


def make(target: Path, work: Path) -> None:
    (work / target.name).mkdir()
    (work / target.name / "file").touch()


def test_what_nobody_wanted_for_a_month_goes_when_a_newer_one_comes(cache):
    def want_one(name: str) -> Path:
        return kept.kept(cache / name, lambda work: make(cache / name, work), str, "a thing")

    old, used, other = (want_one(f"{name}.d") for name in ("it-" + "0" * 12, "it-" + "1" * 12, "x"))
    for path in (old, used, other):
        os.utime(path, (time.time() - MONTH_SECONDS,) * 2)
    assert want_one(used.name) == used  # wanted again, not made again
    new = want_one("it-" + "2" * 12 + ".d")
    left = {path for path in cache.iterdir() if path.suffix != ".busy"}
    assert left == {used, other, new}
    assert {path.name for path in cache.glob("*.busy")} == {f"{path.name}.busy" for path in left}
