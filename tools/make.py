"""The make targets in Python; the Makefile calls this, and so may you where there is no make.

This file alone keeps to the syntax of old Pythons: it says in one sentence that
a Python is too old, or hands over to a newer one, before anything else is read.
"""

import os
import shutil
import sys

OLDEST = (3, 11)
NEWER = ("python3.13", "python3.12", "python3.11", "python3.14")

if sys.version_info < OLDEST:
    for name in NEWER:
        found = shutil.which(name)
        if found:
            os.execv(found, [found] + sys.argv)
    sys.exit(
        "Lectern needs Python 3.11 or newer, and this is {}.{}. "
        "Install a newer one, or name one that is not on the PATH: PYTHON=/path/to/python3 make run".format(
            *sys.version_info[:2]
        )
    )

from workshop.verbs import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
