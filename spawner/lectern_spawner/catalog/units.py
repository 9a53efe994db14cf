"""Amounts and texts of a campus's files: what they look like and what they become.

Used by the models. Memory becomes whole bytes, cores become exact fractions;
floating point never takes part. The functions raise `messages.fault`.
"""

from __future__ import annotations

import math
import re
import unicodedata
from fractions import Fraction

from lectern_spawner.catalog import messages, names

UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
LONGEST_TITLE = 200
FEWEST_CORES = Fraction(1, 10)
MOST_CORES = 512
_RESERVED_ENV = """
    PATH HOME USER LOGNAME SHELL LANG LC_ALL LANGUAGE TMPDIR PWD HOSTNAME TERM IFS ENV BASH_ENV
    PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONUSERBASE PYTHONINSPECT NODE_OPTIONS NODE_PATH
    CUDA_VISIBLE_DEVICES MEM_LIMIT MEM_GUARANTEE CPU_LIMIT CPU_GUARANTEE NB_USER NB_UID NB_GID
    SUDO_USER VIRTUAL_ENV PERL5LIB PERL5OPT RUBYOPT JAVA_TOOL_OPTIONS GCONV_PATH
"""
RESERVED_ENV = frozenset(_RESERVED_ENV.split())
RESERVED_ENV_STARTS = ("JUPYTER", "LECTERN_", "LD_", "NVIDIA_", "KUBERNETES_", "SYSTEMD_", "GLIBC_")
# Variables by which a program tells HAMi, MPS, cGPU and Run:ai not to keep it in its part of a card.
_LOOSENING_ENV = re.compile(
    r"CUDA_DISABLE_CONTROL|GPU_CORE_UTILIZATION_POLICY|CUDA_TASK_PRIORITY|"
    r"(CUDA_MPS|CUDA_DEVICE_MEMORY|CUDA_DEVICE_SM|CGPU|ALIYUN_COM_GPU|RUNAI)_.*"
)

_MEMORY = re.compile(r"([0-9]{1,7})(Ki|Mi|Gi|Ti)")
_MEMORY_LIKE = re.compile(r"\s*([0-9]+)\s*([KMGT])?i?[bB]?\s*", re.IGNORECASE)
_CORES_LIKE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3})?")
_ID = re.compile(r"[a-z][a-z0-9-]{0,29}")
_GROUP = re.compile(r"[A-Za-z0-9/_.:-]{1,100}")
_ENV = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
_IMAGE = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?/)?"
    r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)
_FROM = re.compile(r"([a-z][a-z0-9-]{0,29}):(/.*)")


def memory_bytes(value: object) -> int:
    """Return bytes from text such as ``512Mi``."""
    if isinstance(value, str) and (found := _MEMORY.fullmatch(value)):
        number = int(found[1])
        if number > 0 and number * UNITS[found[2]] <= 2**50:
            return number * UNITS[found[2]]
        raise messages.fault("LEC106", "must be more than 0 and at most 1024Ti", got=f"got {value}")
    got = f"got {messages.describe(value)}"
    raise messages.fault("LEC201", _memory_words(value), got=got, help=_memory_help(value))


def _memory_words(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return "needs a unit"
    return "must be a whole number with one of the units Ki, Mi, Gi, Ti"


def _memory_help(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return "write for example `2Gi`"
    like = _MEMORY_LIKE.fullmatch(str(value))
    if like is None or not int(like[1]) or len(like[1]) > 7:
        return "write for example `2Gi`"
    # A bare number below a thousand is meant in GiB, a larger one in MiB.
    unit = (like[2] or ("G" if int(like[1]) < 128 else "M")).upper()
    return f"write `{int(like[1])}{unit}i`"


def cores(value: object) -> Fraction:
    """Return an exact number of cores from a YAML number with at most three decimals."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        got = f"got {messages.describe(value)}"
        words = "must be a number of cores"
        like = isinstance(value, str) and _CORES_LIKE.fullmatch(value)
        help_ = f"write `{value}` without quotes" if like else "write for example `1` or `0.5`"
        raise messages.fault("LEC202", words, got=got, help=help_)
    if not math.isfinite(value):
        raise messages.fault("LEC202", "must be a number of cores", got=f"got {value}")
    # repr gives the decimals that were written; the float itself is not exact.
    exact = Fraction(repr(value))
    if not FEWEST_CORES <= exact <= MOST_CORES:
        raise messages.fault(
            "LEC106", f"must be at least 0.1 and at most {MOST_CORES}", got=f"got {value}"
        )
    if (exact * 1000).denominator != 1:
        raise messages.fault("LEC202", "may have at most three decimals", got=f"got {value}")
    return exact


def identifier(value: str) -> str:
    """Check the id of a course, profile, image, storage or data set."""
    if _ID.fullmatch(value) and "--" not in value and not value.endswith("-"):
        return value
    words = "must begin with a-z and go on with at most 29 of a-z, 0-9 and single hyphens"
    raise messages.fault("LEC203", words, got=f"got {messages.describe(value)}", help=_id(value))


def _id(value: str) -> str:
    likely = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")[:30].strip("-")
    return f"write `{likely}`" if _ID.fullmatch(likely) else ""


def group_name(value: str) -> str:
    """Check the name of a group."""
    if _GROUP.fullmatch(value):
        return value
    words = "must be 1 to 100 of the characters A-Z a-z 0-9 / _ . : -"
    raise messages.fault("LEC208", words, got=f"got {messages.describe(value)}")


def image_reference(value: str) -> str:
    """Check a container image reference."""
    if len(value) <= 255 and _IMAGE.fullmatch(value):
        return value
    words = "must be an image reference such as `lectern/datascience:1`"
    likely = value.strip().lower()
    help_ = f"write `{likely}`" if likely != value and _IMAGE.fullmatch(likely) else ""
    got = f"got {messages.describe(value)}"
    raise messages.fault("LEC204", words, got=got, help=help_)


def environment_name(value: str) -> str:
    """Check the name of an environment variable that a profile sets."""
    if not _ENV.fullmatch(value):
        words = "must be made of A-Z, 0-9 and _, not beginning with a digit"
        likely = value.upper().replace("-", "_")
        help_ = f"write `{likely}`" if _ENV.fullmatch(likely) else ""
        raise messages.fault("LEC207", words, got="not a name of a variable", help=help_)
    if value in RESERVED_ENV or value.startswith(RESERVED_ENV_STARTS):
        help_ = "choose another name"
        raise messages.fault("LEC404", "is set by the platform", got="not free", help=help_)
    if _LOOSENING_ENV.fullmatch(value):
        words = "would let a server take more of a card than its part"
        raise messages.fault("LEC407", words, got="never possible here")
    return value


def environment_value(value: object) -> str:
    """Check the value of an environment variable; numbers must be quoted."""
    if not isinstance(value, str):
        got = f"got {messages.describe(value)}"
        # What was typed may have been 010 or 1e3; the number does not tell.
        help_ = "put it in quotes" if isinstance(value, int | float) else ""
        raise messages.fault("LEC103", "must be text", got=got, help=help_)
    if "\0" in value or len(value) > 8192:
        raise messages.fault("LEC107", "must be at most 8192 characters without NUL")
    return value


def person(value: object) -> str:
    """Return the normalised name of a person."""
    if not isinstance(value, str):
        got = f"got {messages.describe(value)}"
        help_ = "put it in quotes" if isinstance(value, int) else ""
        raise messages.fault("LEC103", "must be the name of a person", got=got, help=help_)
    name = names.normalise(value)
    why = names.problem(name)
    if why is not None:
        raise messages.fault(
            "LEC205", "is not accepted as a name", got=why[0].lower() + why[1:].rstrip(".")
        )
    return name


def title(value: object) -> str:
    """Check a text that people see: one line, not empty, not too long."""
    if not isinstance(value, str):
        got = f"got {messages.describe(value)}"
        raise messages.fault("LEC103", "must be text, or one text per language", got=got)
    if not value.strip():
        raise messages.fault("LEC105", "must not be empty", got="nothing here")
    if len(value) > LONGEST_TITLE:
        words = f"may have at most {LONGEST_TITLE} characters"
        raise messages.fault("LEC107", words, got=f"{len(value)} characters")
    for character in value.strip():
        # Zero-width joiners are part of ordinary writing; marks that turn the
        # direction of the text around are not.
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or _turns(character):
            got = f"contains {character!a}"
            raise messages.fault("LEC107", "may not have control characters", got=got)
    return value.strip()


def _turns(character: str) -> bool:
    return unicodedata.bidirectional(character) in (
        "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
    )  # fmt: skip


def argument(value: object) -> str:
    """Check one word of a command line; numbers must be quoted."""
    if not isinstance(value, str):
        got = f"got {messages.describe(value)}"
        # What was typed may have been 010 or 1e3; the number does not tell.
        help_ = "put it in quotes" if isinstance(value, int | float) else ""
        raise messages.fault("LEC103", "must be text", got=got, help=help_)
    if not value or "\0" in value or len(value) > 1000:
        raise messages.fault("LEC107", "must be 1 to 1000 characters without NUL")
    return value


def file_pattern(value: str) -> str:
    """Check a pattern of file names inside a folder, such as ``data/*.csv``."""
    if value.startswith(("/", "~")) or ".." in value.split("/"):
        raise messages.fault("LEC405", "must stay inside its folder", got="leaves the folder")
    if not value or len(value) > 200 or any(unicodedata.category(c) == "Cc" for c in value):
        words = "must be 1 to 200 characters without control characters"
        raise messages.fault("LEC107", words)
    return value


def storage_path(value: str) -> str:
    """Check a path of this machine."""
    if not value:
        raise messages.fault("LEC105", "must not be empty", got="nothing here")
    control = next((c for c in value if unicodedata.category(c) == "Cc"), None)
    if control is not None:
        got = f"contains {control!a}"
        raise messages.fault("LEC109", "may not contain control characters", got=got)
    return value


def data_source(value: str) -> tuple[str, str]:
    """Return storage id and path of a place of data such as ``teaching:/iris``."""
    found = _FROM.fullmatch(value)
    if value.startswith(("/", "~", "file:")):
        words = "is a path of the machine, which courses cannot have"
        help_ = "name a storage of the campus, such as `teaching:/iris`"
        raise messages.fault("LEC427", words, got=f"got {messages.describe(value)}", help=help_)
    if not found or any(unicodedata.category(c)[0] == "C" for c in value):
        help_ = "write for example `teaching:/iris`"
        words = "must be a storage, a colon and a path that begins with /"
        raise messages.fault("LEC206", words, got=f"got {messages.describe(value)}", help=help_)
    if ".." in found[2].split("/"):
        raise messages.fault("LEC405", "may not contain `..`", got="leaves the storage")
    return found[1], found[2]
