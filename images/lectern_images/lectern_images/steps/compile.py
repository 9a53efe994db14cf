"""Compile Python files so that their first import costs no compilation, whatever their age.

Run inside an image as ``python3 compile.py FOLDER...``. The results name their source
by its hash, so they hold although every file of an image gets the same time. Two
processes share the work in a way that depends on nothing but the names: what a
compiled file looks like depends, in a few bits, on what the same process compiled
before it.
"""

from __future__ import annotations

import multiprocessing
import py_compile
import sys
from collections.abc import Iterator
from importlib.util import source_hash
from pathlib import Path

PROCESSES = 2
CHECKED_HASH = (3).to_bytes(4, "little")
"""Flags of a compiled file, as PEP 552 has them."""


def sources(folders: list[Path]) -> Iterator[Path]:
    """Yield the files that have no compiled form yet, or one that does not hold."""
    for path in sorted({path for folder in folders for path in folder.rglob("*.py")}):
        if path.is_file() and not path.is_symlink() and not is_compiled(path):
            yield path


def is_compiled(path: Path) -> bool:
    """Whether there is a compiled form that names this very source by its hash."""
    compiled = Path(path.parent, "__pycache__", f"{path.stem}.{sys.implementation.cache_tag}.pyc")
    try:
        with compiled.open("rb") as file:
            header = file.read(16)
    except OSError:
        return False
    return header[4:8] == CHECKED_HASH and header[8:] == source_hash(path.read_bytes())


def compile_all(paths: list[Path]) -> None:
    """Compile files in order; what cannot be compiled, such as a template, is left alone."""
    for path in paths:
        try:
            py_compile.compile(
                str(path),
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH,
            )
        except (py_compile.PyCompileError, UnicodeDecodeError):
            continue


def main() -> None:
    """Compile what lies below the folders that are named."""
    paths = list(sources([Path(word) for word in sys.argv[1:]]))
    shares = [(paths[number::PROCESSES],) for number in range(PROCESSES)]
    with multiprocessing.get_context("spawn").Pool(PROCESSES, maxtasksperchild=1) as pool:
        pool.starmap(compile_all, shares, chunksize=1)


if __name__ == "__main__":
    main()
