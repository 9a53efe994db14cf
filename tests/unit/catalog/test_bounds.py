"""However bad a file is, it is read in bounded time and memory and gets a sentence.

Each runs in a process of its own, so that its peak of memory is its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MOST_GROWTH_MIB = 64
PATIENCE_SECONDS = 10
CAMPUS = b"languages: [en]\nimages: {ds: {title: Data, ref: lectern/ds:1}}\n"
COURSE = (
    b"course: art-1\ntitle: Art\ninstructors: [chen]\n"
    b"profiles:\n  p: {title: P, image: ds, cpu: 1, memory: 1Gi}\n"
)
WITH_ROSTER = COURSE + b"students: {csv: people.csv}\n"
FULL = 128 * 1024 - 1000
FOLDER, DANGLING, LOOP, PIPE = "folder", "dangling", "loop", "pipe"

CHILD = """
import json, re, time
from pathlib import Path
from lectern_spawner.catalog import load, render

def peak():
    # Unlike ru_maxrss it begins anew with a program.
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

render.full(load(Path("good")).diagnostics)
before, began = peak(), time.perf_counter()
loaded = load(Path("bad"))
text = render.full(loaded.diagnostics)
print(json.dumps({
    "seconds": time.perf_counter() - began,
    "growth": peak() - before,
    "codes": sorted({item.code for item in loaded.diagnostics}),
    "courses": list(loaded.catalog.courses) if loaded.catalog else None,
    "text": len(text),
}))
"""


def repeated(part: str, begin: str = "", end: str = "") -> bytes:
    return (begin + part * (FULL // len(part)) + end).encode()


def bomb(link: str, ends: str) -> bytes:
    lines = [f"x0: &x0 {ends[0]}a: 1, b: 1{ends[1]}"]
    for i in range(1, 12):
        lines.append(f"x{i}: &x{i} {ends[0]}{link.format(', '.join([f'*x{i - 1}'] * 9))}{ends[1]}")
    return "\n".join(lines).encode()


COURSES: dict[str, tuple[bytes | str, str | None]] = {
    "tab": (COURSE.replace(b"  p:", b"\tp:"), "LEC003"),
    "byte order mark": (b"\xef\xbb\xbf" + COURSE, None),
    "two byte order marks": (b"\xef\xbb\xbf" * 2 + COURSE, None),
    "CR line ends": (COURSE.replace(b"\n", b"\r"), None),
    "CRLF line ends": (COURSE.replace(b"\n", b"\r\n"), None),
    "duplicate keys": (COURSE + b"title: B\n", "LEC002"),
    "duplicate keys by the thousand": (repeated("title: B\n"), "LEC002"),
    "duplicate keys on one line": (repeated("a,", "{", "}"), "LEC002"),
    "anchors and merges": (b"x-a: &a {title: Art}\n<<: *a\n" + COURSE[:14] + COURSE[25:], None),
    "an anchor bomb": (bomb("b: [{}]", "{}"), "LEC011"),
    "a merge bomb": (bomb("<<: [{}]", "{}"), "LEC011"),
    "a large mapping merged often": (
        (
            "x: &x {" + ", ".join(f"k{i}: 1" for i in range(5000)) + "}\n"
            "" + "".join(f"y{i}: {{<<: *x}}\n" for i in range(3000))
        ).encode(),
        "LEC011",
    ),
    "an anchor in itself": (b"a: &a [*a]\n", "LEC011"),
    "an anchor that begins with itself": (b"- &a\n  - *a\n", "LEC011"),
    "an alias of nothing": (b"a: *b\n", "LEC011"),
    "a Python object": (b"a: !!python/object:os.system {}\n", "LEC007"),
    "a Python call": (b'a: !!python/object/apply:os.system ["exit 1"]\n', "LEC007"),
    "tags by the ten thousand": (repeated("- !x a\n"), "LEC005"),
    "tags by the thousand": (b"- !x a\n" * 9000, "LEC007"),
    "a directive": (b"%YAML 1.1\n---\n" + COURSE, "LEC008"),
    "two documents": (COURSE + b"---\n" + COURSE, "LEC009"),
    "nothing": (b"", "LEC010"),
    "only comments": (repeated("# x\n"), "LEC010"),
    "deep flow": (b"[" * FULL, "LEC005"),
    "deep blocks": (b"- " * (FULL // 2), "LEC005"),
    "deep keys": (b"? " * (FULL // 2), "LEC005"),
    "too large": (COURSE + b"#" * 128 * 1024, "LEC005"),
    "far too large": (COURSE + b"#" * 50_000_000, "LEC005"),
    "control character": (COURSE.replace(b"Art", b"A\x07rt"), "LEC004"),
    "zero byte": (COURSE.replace(b"Art", b"A\0rt"), "LEC004"),
    "invalid UTF-8": (COURSE.replace(b"Art", b"A\xffrt"), "LEC004"),
    "UTF-16": (COURSE.decode().encode("utf-16"), "LEC004"),
    "a surrogate": (COURSE.replace(b"Art", b"\xed\xa0\x80"), "LEC004"),
    "a folder": (FOLDER, "LEC006"),
    "a dangling link": (DANGLING, "LEC006"),
    "a link to itself": (LOOP, "LEC006"),
    "a pipe": (PIPE, "LEC006"),
    "a list that is never closed": (repeated("1,", "a: ["), "LEC005"),
    "a mistake behind thousands of lines": (repeated("- a\n", end="b: [\n"), "LEC005"),
    "a quote that is never closed": (repeated("x\n ", 'a: "'), "LEC001"),
    "a key of a hundred thousand letters": (b"a" * 100_000 + b": 1\n", "LEC001"),
    "a number of a hundred thousand digits": (COURSE + b"term: " + b"9" * 100_000, "LEC001"),
    "unknown keys by the thousand": (
        COURSE + "".join(f"key{i}: 1\n" for i in range(9000)).encode(),
        "LEC101",
    ),
    "keys that are numbers": ("".join(f"{i}: a\n" for i in range(12_000)).encode(), "LEC012"),
    "empty items by the thousand": (repeated("-\n"), "LEC011"),
}
ROSTERS: dict[str, tuple[bytes | str, str | None]] = {
    "without the column": (b"id\nbob\n", "LEC111"),
    "in another encoding": ("name\nzoé\n".encode("latin-1"), "LEC004"),
    "in UTF-16": ("name\nbob\n".encode("utf-16"), "LEC004"),
    "from Excel": (b"\xef\xbb\xbfname;section\r\nbob;A\r\n", None),
    "with formulas": (b"name\n=1+1\n", "LEC406"),
    "with formulas by the thousand": (b"name\n" + b"=1+1\n" * 170_000, "LEC406"),
    "with a person twice": (b"name\nbob\nBob\n", "LEC110"),
    "with a person many thousand times": (b"name\n" + b"bob\n" * 250_000, "LEC110"),
    "with a hundred thousand people": (
        b"name\nbob\n" + b"".join(b"p%d\n" % i for i in range(120_000)),
        None,
    ),
    "with a hundred thousand Chinese": (
        ("name\n" + "".join(f"{chr(0x4E00 + i % 20000)}{i}\n" for i in range(100_000))).encode(),
        None,
    ),
    "with an endless line": (b"name\n" + b"a" * 1_000_000, "LEC205"),
    "with a million cells": (b"name\n" + b"," * 1_000_000, None),
    "with cells and a name": (b"name\n" + b"a" + b",b" * 500_000, "LEC113"),
    "with a title line of cells": (b"a," * 500_000 + b"\nbob\n", "LEC111"),
    "with an open quote": (b'name\n"ann\nbob\n', "LEC205"),
    "too large": (b"name\n" + b"#" * 5_000_000, "LEC005"),
    "empty": (b"", "LEC010"),
    "that is a folder": (FOLDER, "LEC305"),
    "that is a dangling link": (DANGLING, "LEC305"),
}


def put(path: Path, content: bytes | str) -> None:
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == FOLDER:
        path.mkdir()
    elif content == PIPE:
        os.mkfifo(path)
    else:
        path.symlink_to(path.name if content == LOOP else "nowhere")


def read(folder: Path, files: dict[str, bytes | str]) -> dict[str, object]:
    """Load a campus with these files in a fresh process and return what it tells."""
    for name, more in (("good", {"art-1.yaml": COURSE}), ("bad", files)):
        (folder / name).mkdir()
        for file, content in ({"campus.yaml": CAMPUS} | more).items():
            put(folder / name / file, content)
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT / "spawner")},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    told: dict[str, object] = json.loads(done.stdout)
    print(f"{told['seconds']:.2f} s, {told['growth']:.0f} MiB")
    return told


def check(told: dict[str, object], code: str | None) -> None:
    assert told["growth"] <= MOST_GROWTH_MIB
    if code is None:
        assert (told["codes"], told["courses"]) == ([], ["art-1"])
    else:
        assert code in told["codes"]
        assert told["courses"] == []


@pytest.mark.parametrize(("content", "code"), COURSES.values(), ids=COURSES)
def test_a_bad_course_file_is_bounded(
    tmp_path: Path, content: bytes | str, code: str | None
) -> None:
    check(read(tmp_path, {"art-1.yaml": content}), code)


@pytest.mark.parametrize(("content", "code"), ROSTERS.values(), ids=ROSTERS)
def test_a_bad_roster_is_bounded(tmp_path: Path, content: bytes | str, code: str | None) -> None:
    check(read(tmp_path, {"art-1.yaml": WITH_ROSTER, "people.csv": content}), code)


@pytest.mark.parametrize(
    "content",
    [b"", b"%YAML 1.1\n", b"languages: [en\n", b"\xff", repeated("images: {}\n"), FOLDER, DANGLING],
    ids=["empty", "directive", "open", "bytes", "duplicates", "folder", "dangling"],
)
def test_a_bad_campus_file_is_bounded(tmp_path: Path, content: bytes | str) -> None:
    told = read(tmp_path, {"campus.yaml": content, "art-1.yaml": COURSE})
    assert told["growth"] <= MOST_GROWTH_MIB
    assert told["courses"] is None
    assert told["codes"]
