#!/bin/sh
# Install a lock of Python packages. Arguments: `server` or `python`, and the lock's place.
#
# The server has packages of its own, so that nothing that people install can break it.
# Wheels only: a package that must be built here would run its own code as root.
set -eu
here=$(dirname "$0")
kind=$1 lock=/run/lectern/context/$2
pip() { python3 "$(echo /usr/share/python-wheels/pip-*.whl)/pip" "$@"; }
install="install --quiet --only-binary :all: --require-hashes --no-deps --no-compile --no-cache-dir"
case $kind in
server)
    [ -e /opt/lectern/bin/python ] || python3 -m venv --without-pip /opt/lectern
    # shellcheck disable=SC2086
    pip --python /opt/lectern/bin/python $install --requirement "$lock"
    # Notebooks run in the other set; these would run them in this one.
    rm -rf /opt/lectern/share/jupyter/kernels
    # The pages of a hub; a user server has none.
    rm -rf /opt/lectern/share/jupyterhub/static/components
    python3 "$here/compile.py" /opt/lectern/lib
    ;;
python)
    # shellcheck disable=SC2086
    pip $install --requirement "$lock"
    # Its command must be a path: `python3` alone would be the server's.
    if [ -d /usr/local/share/jupyter/kernels/python3 ]; then
        PYTHONDONTWRITEBYTECODE=1 python3 -m ipykernel install --prefix /usr/local >/dev/null
    fi
    python3 "$here/compile.py" /usr/local/lib
    ;;
esac
. "$here/tidy.sh"
