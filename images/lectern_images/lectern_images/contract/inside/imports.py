"""Run inside an image: import every module of the packages that this Python has been given.

Arguments: names of packages. Prints a JSON object of the modules that cannot be imported.
A module that needs a package which its own does not require, as some do for what is
optional, is no mistake of the image.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import warnings
from collections.abc import Iterator
from importlib.metadata import distribution

_FAILURES = (ImportError, AttributeError, OSError, RuntimeError, TypeError, ValueError)


def modules(name: str) -> Iterator[str]:
    """Yield the modules and packages that a package brings at the top level."""
    for path in distribution(name).files or ():
        first, *more = path.parts
        if first.startswith((".", "_")) or first.endswith((".dist-info", ".data", ".libs")):
            continue
        if more and more[-1] == "__init__.py" and len(more) == 1:
            yield first
        elif not more and path.suffix in (".py", ".so"):
            yield first.partition(".")[0]


def is_optional(error: Exception, name: str) -> bool:
    """Whether an import fails for want of something that its package does not require."""
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return False
    wanted = error.name.partition(".")[0].replace("_", "-").lower()
    required = {word.lower() for row in distribution(name).requires or () if "extra ==" not in row
                for word in re.findall(r"^[A-Za-z0-9._-]+", row)}  # fmt: skip
    return wanted not in {word.replace("_", "-") for word in required}


def main() -> None:
    """Import them all and say which fail."""
    warnings.simplefilter("ignore")
    failed = {}
    for name in sys.argv[1:]:
        for module in sorted(set(modules(name))):
            try:
                importlib.import_module(module)
            except _FAILURES as error:
                if not is_optional(error, name):
                    failed[f"{name}: {module}"] = f"{type(error).__name__}: {error}"
    print(json.dumps(failed))


if __name__ == "__main__":
    main()
