#!/bin/sh
# Install a lock of npm's packages. Argument: the folder with package.json and package-lock.json.
set -eu
here=$(dirname "$0")
folder=/run/lectern/context/$1
. "$here/npm.sh"
ln -sf "$node/bin/node" /usr/local/bin/node
mkdir -p /opt/node
cp "$folder/package.json" "$folder/package-lock.json" /opt/node
cd /opt/node
# Scripts of packages would run as root, with the network.
npm ci --omit=dev --ignore-scripts
rm -f node_modules/.package-lock.json
for program in node_modules/.bin/*; do
    ln -sf "/opt/node/$program" "/usr/local/bin/${program##*/}"
done
cd /
. "$here/tidy.sh"
