"""Names and addresses of other systems: NFS exports, license servers, Kubernetes' labels.

Used by the models. Only the form is looked at; whether something answers there is not.
"""

from __future__ import annotations

import re
import unicodedata

from lectern_spawner.catalog import messages

_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"
_EXPORT = re.compile(rf"({_HOST}|\[[0-9a-fA-F:]{{2,39}}\]):(/.*)")
_SERVER = re.compile(rf"([0-9]{{1,5}})@({_HOST})")
_TURNED = re.compile(rf"({_HOST}):([0-9]{{1,5}})")
_URL = re.compile(rf"https?://{_HOST}(?::[0-9]{{1,5}})?(?:/[!-~]*)?")
_PREFIX = r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?"
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_LABEL_KEY = re.compile(_PREFIX + _NAME)
_LABEL_VALUE = re.compile(rf"(?:{_NAME})?")
_MOUNT_OPTION = re.compile(r"[a-z0-9_]{1,40}(?:=[A-Za-z0-9_.,:/-]{1,100})?")
_FEATURE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# An option of a mount that would let a file of the share act as somebody else, or as a device.
_UNSAFE_OPTIONS = frozenset({"suid", "dev", "exec", "remount", "bind", "rbind"})


def nfs_export(value: str) -> str:
    """Check the address of an NFS export such as ``nas.example.edu:/export/homes``."""
    found = _EXPORT.fullmatch(value)
    if not found or any(unicodedata.category(c)[0] == "C" or c.isspace() for c in value):
        words = "must be a server, a colon and an absolute path"
        help_ = "write for example `nas.example.edu:/export/homes`"
        raise messages.fault("LEC217", words, got=f"got {messages.describe(value)}", help=help_)
    if ".." in found[2].split("/"):
        raise messages.fault("LEC405", "may not contain `..`", got="leaves the export")
    return value


def mount_option(value: str) -> str:
    """Check an option of a mount such as ``nfsvers=4.1``."""
    if not _MOUNT_OPTION.fullmatch(value):
        words = "must be one option such as `nfsvers=4.1`"
        parts = re.split(r"[\s,]+", value.strip())
        several = len(parts) > 1 and all(_MOUNT_OPTION.fullmatch(part) for part in parts)
        help_ = f"write `[{', '.join(parts)}]`" if several else ""
        raise messages.fault("LEC218", words, got=f"got {messages.describe(value)}", help=help_)
    if value in _UNSAFE_OPTIONS:
        words = "would let files of the share act as more than data"
        raise messages.fault("LEC407", words, got="never possible here")
    return value


def license_server(value: str) -> str:
    """Check the address of a license server such as ``27000@license.example.edu``."""
    found = _SERVER.fullmatch(value)
    if found and 0 < int(found[1]) < 65_536:
        return value
    words = "must be a port, an @ and a server"
    turned = _TURNED.fullmatch(value)
    help_ = f"write `{turned[2]}@{turned[1]}`" if turned else "write for example `27000@host`"
    raise messages.fault("LEC219", words, got=f"got {messages.describe(value)}", help=help_)


def url(value: str) -> str:
    """Check an address that begins with http:// or https:// and carries no password."""
    if len(value) <= 500 and _URL.fullmatch(value) and "@" not in value:
        return value
    words = "must be an address that begins with http:// or https://"
    got = "a password does not belong here" if "@" in value else f"got {messages.describe(value)}"
    likely = f"http://{value}"
    help_ = f"write `{likely}`" if "@" not in value and _URL.fullmatch(likely) else ""
    raise messages.fault("LEC220", words, got=got, help=help_)


def label_key(value: str) -> str:
    """Check the key of a Kubernetes label, or the name of a resource."""
    if len(value) <= 317 and _LABEL_KEY.fullmatch(value):
        return value
    words = "must be a Kubernetes name such as `nvidia.com/gpu.product`"
    raise messages.fault("LEC221", words, got=f"got {messages.describe(value)}")


def label_value(value: object) -> str:
    """Check the value of a Kubernetes label."""
    if isinstance(value, str) and _LABEL_VALUE.fullmatch(value):
        return value
    words = "must be text of at most 63 of the characters A-Z a-z 0-9 _ . -"
    scalar = isinstance(value, bool | int | float)
    help_ = f'write `"{str(value).lower()}"`' if scalar else ""
    raise messages.fault("LEC221", words, got=f"got {messages.describe(value)}", help=help_)


def feature(value: str) -> str:
    """Check the name under which a license server counts a product."""
    if _FEATURE.fullmatch(value):
        return value
    words = "must be 1 to 64 of the characters A-Z a-z 0-9 _ . -"
    likely = re.sub(r"\s+", "_", value.strip())
    help_ = f"write `{likely}`" if _FEATURE.fullmatch(likely) else ""
    raise messages.fault("LEC222", words, got=f"got {messages.describe(value)}", help=help_)
