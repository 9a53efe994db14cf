#!/bin/sh
# Put into code-server what its own installation would compile and fetch.
#
# npm has fetched the package by its hash, and the package holds the hashes of what it needs
# for VS Code itself. Only packages that must be compiled run anything here.
set -eu
. /run/lectern/steps/npm.sh
cd /opt/node/node_modules/code-server/lib/vscode
# Peers that VS Code does not use have no hashes in its lock.
npm ci --omit=dev --ignore-scripts --legacy-peer-deps
# VS Code names what must be compiled itself.
compiled=$(node --print '
    Object.entries(require("./package.json").allowScripts)
        .filter(([name, may]) => may && !/windows/.test(name))
        .map(([name]) => name.replace(/@[^@]+$/, "")).join(" ")')
npm rebuild --nodedir="$node" $compiled
ln -sf code-linux.sh bin/remote-cli/code-server
ln -sf browser-linux.sh bin/helpers/browser.sh
(cd extensions && npm ci --omit=dev --ignore-scripts)

# What a compiler leaves and what other systems would run is two thirds of it. Agents that
# need an account elsewhere are no part of a lab.
find . -depth -type d \( -name obj.target -o -name .deps -o -name obj \) -exec rm -rf {} +
find . -type d \( -name prebuilds -o -path '*/ripgrep-universal/bin' \) |
    while read -r folder; do
        find "$folder" -mindepth 1 -maxdepth 1 -type d ! -name linux-x64 -exec rm -rf {} +
    done
rm -rf node_modules/@github/copilot-sdk-linux-x64 node_modules/@microsoft/mxc-sdk/bin \
    node_modules/@vscode/windows-*/build node_modules/node-pty/third_party
find . -name .package-lock.json -delete
