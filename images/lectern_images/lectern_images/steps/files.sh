#!/bin/sh
# Copy our own files. Arguments: SOURCE=FOLDER..., where SOURCE is seen from the context.
set -eu
here=$(dirname "$0")
work=$(mktemp -d)
for pair in "$@"; do
    source=/run/lectern/context/${pair%%=*} target=${pair#*=}
    mkdir -p "$work/files" "$target"
    if [ -d "$source" ]; then cp -R "$source/." "$work/files"; else cp "$source" "$work/files"; fi
    # Whoever checked the files out may have had another umask.
    chmod -R u=rwX,go=rX "$work/files"
    find "$work/files" -name __pycache__ -prune -exec rm -rf {} +
    cp -R --preserve=mode "$work/files/." "$target"
    rm -rf "$work/files"
done
rm -rf "$work"
[ ! -d /opt/lectern/lib ] || python3 "$here/compile.py" /opt/lectern/lib
. "$here/tidy.sh"
