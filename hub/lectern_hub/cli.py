"""The `lectern` script. Its verbs come from the entry-point group `lectern.commands`.

A verb is a `lectern_spawner.commands.Command`, so packages that know nothing of
the hub can bring verbs too.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points, version

from lectern_spawner.commands import Command

GROUP = "lectern.commands"
CANNOT_RUN = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code: 0 fine, 1 problems found, 2 could not run."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    verbs = {point.name: point for point in entry_points(group=GROUP)}
    parser = _parser(verbs, words[0] if words else "")
    chosen = parser.parse_args(words)
    if not hasattr(chosen, "run"):
        parser.print_help()
        return CANNOT_RUN
    try:
        code: int = chosen.run(chosen)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    return code


def _parser(verbs: dict[str, EntryPoint], wanted: str) -> argparse.ArgumentParser:
    """Return the parser; only the wanted verb is loaded, unless help needs them all."""
    parser = argparse.ArgumentParser(
        prog="lectern", description="Run a JupyterHub for courses, and look after its course files."
    )
    parser.add_argument("--version", action="version", version=f"lectern {version('lectern')}")
    found = parser.add_subparsers(metavar="VERB", title="verbs")
    names = [wanted] if wanted in verbs else sorted(verbs)
    for name in names:
        command: Command = verbs[name].load()
        own = found.add_parser(name, help=command.help, description=command.help)
        command.configure(own)
        own.set_defaults(run=command.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
