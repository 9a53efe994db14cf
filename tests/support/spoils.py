"""Break a course file in every way that happens."""

from __future__ import annotations

from pathlib import Path


def cut(file: Path) -> None:
    file.write_text(file.read_text()[:100])


def empty(file: Path) -> None:
    file.write_text("")


def tab(file: Path) -> None:
    file.write_text(file.read_text().replace("    title", "\ttitle", 1))


def not_text(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\0\0" * 100)


def unknown_image(file: Path) -> None:
    file.write_text(file.read_text().replace("image: datascience", "image: nowhere", 1))


def no_unit(file: Path) -> None:
    file.write_text(file.read_text().replace("memory: 1Gi", "memory: 4", 1))


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def link_to_nowhere(file: Path) -> None:
    file.unlink()
    file.symlink_to("nowhere.yaml.txt")


def link_to_itself(file: Path) -> None:
    file.unlink()
    file.symlink_to(file.name)


def foreign_id(file: Path) -> None:
    file.write_text(file.read_text().replace("course: ml-101", "course: dl-301"))


BREAKS = [
    cut,
    empty,
    tab,
    not_text,
    unknown_image,
    no_unit,
    folder,
    link_to_nowhere,
    link_to_itself,
    foreign_id,
]
