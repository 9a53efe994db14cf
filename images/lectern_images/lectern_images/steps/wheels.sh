#!/bin/sh
# Build Python projects and install them for the server. Arguments: LOCK PROJECT FILE...
#
# LOCK pins what the build itself needs; FILE... is what it may see of the project.
set -eu
here=$(dirname "$0")
context=/run/lectern/context
lock=$1 project=$2
shift 2
pip() { python3 "$(echo /usr/share/python-wheels/pip-*.whl)/pip" "$@"; }
work=$(mktemp -d)
for file in "$@"; do
    mkdir -p "$work/source/$(dirname "$file")"
    cp -R "$context/$project/$file" "$work/source/$file"
done
python3 -m venv --without-pip "$work/tools"
pip --python "$work/tools/bin/python" install --quiet --only-binary :all: --require-hashes \
    --no-compile --no-cache-dir --requirement "$context/$lock"
umask 022
chmod -R u=rwX,go=rX "$work/source"
"$work/tools/bin/python" -m pip wheel --quiet --no-deps --no-build-isolation --no-index \
    --wheel-dir "$work" "$work/source"
pip --python /opt/lectern/bin/python install --quiet --no-deps --no-index --no-compile \
    --no-cache-dir "$work"/*.whl
# Where it was built is nobody's business, and differs each time.
rm -f /opt/lectern/lib/python3*/site-packages/*.dist-info/direct_url.json
python3 "$here/compile.py" /opt/lectern/lib
rm -rf "$work"
. "$here/tidy.sh"
