#!/bin/sh
# Makes shared/web/bundle: of each module in shared/web/static one file with all that it imports.
set -eu
cd "$(dirname "$0")"
rm -rf bundle
# The program for this platform, which npm chose; it needs no Node.js.
exec node_modules/@esbuild/*/bin/esbuild static/*.js \
    --bundle --format=esm --charset=utf8 --outdir=bundle --log-level=warning
