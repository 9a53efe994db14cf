#!/bin/sh
# Install Debian packages. Arguments: their names.
set -eu
here=$(dirname "$0")
# Texts in other languages and manuals are half of many packages; licenses stay.
cat >/etc/dpkg/dpkg.cfg.d/lectern <<'END'
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/info/*
path-exclude=/usr/share/lintian/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/share/man/*
END
. "$here/debian.sh"
install_packages "$@"
if [ -x /usr/bin/fc-cache ]; then
    # The cache is valid for folders of a certain age, and every file becomes as old as the epoch.
    find /usr/share/fonts /usr/local/share/fonts -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} + 2>/dev/null
    rm -rf /var/cache/fontconfig/*
    fc-cache --system-only --force
fi
if [ -x /usr/bin/python3 ]; then
    # Notebooks install packages into people's homes, which Debian's note would forbid.
    rm -f /usr/lib/python3*/EXTERNALLY-MANAGED
    python3 "$here/compile.py" /usr/lib/python3 /usr/lib/python3.*
fi
. "$here/tidy.sh"
