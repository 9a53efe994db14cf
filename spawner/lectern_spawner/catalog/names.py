"""Decide which names of people are accepted, and when two spellings are one name.

Called for every name in a roster and by the login, so that both agree. Pure:
no files, no accounts of this machine are looked at.
"""

from __future__ import annotations

import unicodedata

LONGEST_CHARACTERS = 64
LONGEST_BYTES = 200
ECHO_CHARACTERS = 40
PUNCTUATION = frozenset("._-+@")

# Accounts that Debian's base-passwd and common packages create. A person with
# such a name would be mistaken for the account in logs, mail and passwd files.
_SYSTEM_ACCOUNTS = """
    root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats
    nobody nogroup _apt messagebus sshd postgres mysql redis mongodb rabbitmq nginx apache httpd
    postfix dovecot exim debian-exim bind named dnsmasq ntp chrony _chrony avahi avahi-autoipd
    polkitd rtkit pulse colord geoclue gdm sddm lightdm saned usbmux uuidd tcpdump tss syslog
    statd _rpc rpc nfsnobody sssd dhcpcd landscape pollinate fwupd-refresh hplip kernoops whoopsie
    cups-pk-helper speech-dispatcher adm wheel operator shutdown halt ftp docker containerd
    libvirt-qemu lxd munge slurm dbus
"""
SYSTEM_ACCOUNTS = frozenset(_SYSTEM_ACCOUNTS.split())


def normalise(name: str) -> str:
    """Return the one spelling under which a person is known.

    Compatibility forms, case and composed or decomposed accents are made equal.
    Folding case can undo the normal form (for example of ``İ``), so it is made twice.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).lower())


def problem(name: str) -> str | None:
    """Return why a normalised name is refused, as a sentence, or None when it is accepted."""
    if not name:
        return "A name cannot be empty."
    shown = escape(name)
    if len(name) > LONGEST_CHARACTERS:
        return f"The name {shown} is longer than {LONGEST_CHARACTERS} characters."
    for character in name:
        if not _is_allowed(character):
            return (
                f"The name {shown} contains {escape(character)}; "
                "only letters, digits and . _ - + @ are allowed."
            )
    # Checked after the characters: a lone surrogate cannot be encoded at all.
    if len(name.encode()) > LONGEST_BYTES:
        return f"The name {shown} needs more than {LONGEST_BYTES} bytes."
    return _shape_problem(name, shown)


def escape(text: str) -> str:
    """Return a short quoted form of any text that is safe to print and to log."""
    cut = text if len(text) <= ECHO_CHARACTERS else text[: ECHO_CHARACTERS - 1] + "…"
    quoted = "".join(c if c == "…" or _is_plain(c) else repr(c)[1:-1] for c in cut)
    return f"'{quoted}'"


def _shape_problem(name: str, shown: str) -> str | None:
    if unicodedata.category(name[0])[0] not in "LN":
        return f"The name {shown} must begin with a letter or a digit."
    if name in SYSTEM_ACCOUNTS or name.startswith("systemd-"):
        return f"The name {shown} belongs to an account of the system."
    if name != normalise(name):
        return f"The name {shown} is not written in its normal form."
    return None


def _is_allowed(character: str) -> bool:
    return character in PUNCTUATION or unicodedata.category(character)[0] in "LMN"


def _is_plain(character: str) -> bool:
    return character.isprintable() and character not in "'\\"
