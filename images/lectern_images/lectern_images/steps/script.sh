#!/bin/sh
# Run a script of the list's folder. Arguments: the script, then the Debian packages that it
# needs only while it runs, such as a compiler.
set -eu
here=$(dirname "$0")
script=/run/lectern/context/$1
shift
. "$here/debian.sh"
installed() {
    dpkg-query --show --showformat='${db:Status-Abbrev} ${binary:Package}\n' | sed -n 's/^ii  //p' | sort
}
if [ $# -gt 0 ]; then
    installed >/run/lectern-before
    install_packages "$@"
fi
sh "$script"
if [ $# -gt 0 ]; then
    # Exactly what has come for it: what an image below no longer needs is not ours to remove.
    export DEBIAN_FRONTEND=noninteractive
    installed | comm -13 /run/lectern-before - | xargs apt-get purge --quiet --quiet --yes
    rm /run/lectern-before
fi
. "$here/tidy.sh"
