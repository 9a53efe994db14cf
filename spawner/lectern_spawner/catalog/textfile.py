"""Get the text of a file, or say in words why it cannot be had.

Called for YAML files and rosters alike.
"""

from __future__ import annotations

from pathlib import Path

from lectern_spawner.catalog.diagnostics import Diagnostic, Place, Span

LARGEST_BYTES = 128 * 1024
ROSTER_LARGEST_BYTES = 1024 * 1024


def read(
    path: Path, largest_bytes: int = LARGEST_BYTES
) -> tuple[str, None] | tuple[None, Diagnostic]:
    """Return the text of a UTF-8 file without its byte order mark, or what is wrong."""
    try:
        if path.exists() and not path.is_file():
            what = "a folder" if path.is_dir() else "not an ordinary file"
            return None, _fault(path, "LEC006", f"`{path.name}` is {what}")
        with path.open("rb") as file:
            # One byte more than allowed is enough to know that it is too large.
            content = file.read(largest_bytes + 1)
    except FileNotFoundError:
        return None, _fault(path, "LEC006", f"there is no file `{path.name}`")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return None, _fault(path, "LEC006", f"`{path.name}` cannot be read: {reason.lower()}")
    if len(content) > largest_bytes:
        limit = largest_bytes // 1024
        return None, _fault(path, "LEC005", f"`{path.name}` is larger than {limit} KiB")
    return _decode(path, content)


def _decode(path: Path, content: bytes) -> tuple[str, None] | tuple[None, Diagnostic]:
    try:
        return content.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8", "replace")
    line = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    span = Span(len(line), len(line[-1]) + 1, len(line), len(line[-1]) + 2)
    shown = f"{line[-1]}\N{REPLACEMENT CHARACTER}"
    return None, Diagnostic(
        code="LEC004",
        message=f"`{path.name}` is not UTF-8 text",
        file=str(path),
        at=Place(str(path), span, shown),
        label="this byte is not UTF-8",
        help="save the file as UTF-8",
    )


def _fault(path: Path, code: str, message: str) -> Diagnostic:
    return Diagnostic(code=code, message=message, file=str(path))
