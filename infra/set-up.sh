#!/bin/sh
# Puts what a lock file names, and nothing else, into .venv; run from the top of the checkout.
#   infra/set-up.sh requirements.lock
set -eu

uv_needed=0.13.9
lock=$1

new_enough() { # path of a Python
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for name in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python; do
        if new_enough "$name"; then
            command -v "$name"
            return
        fi
    done
    echo "set-up: no Python 3.11 or newer was found; install one, or name it: make PYTHON=/path/to/python3" >&2
    exit 2
}

find_uv() { # the system's if it is new enough, else the pinned one in .venv
    found=$(command -v uv || true)
    if [ -n "$found" ]; then
        version=$("$found" --version | cut -d' ' -f2)
        oldest=$(printf '%s\n%s\n' "$uv_needed" "$version" | sort -V | head -n 1)
        if [ "$oldest" = "$uv_needed" ]; then
            echo "$found"
            return
        fi
    fi
    if [ "$(.venv/bin/uv --version 2>/dev/null | cut -d' ' -f2)" != "$uv_needed" ]; then
        echo "set-up: uv $uv_needed" >&2
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
            --requirement requirements-uv.lock >&2
    fi
    echo .venv/bin/uv
}

if ! new_enough .venv/bin/python; then
    python=$(find_python)
    echo "set-up: .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv || {
        rm -rf .venv
        echo "set-up: this Python has no venv module; on Debian and Ubuntu: apt-get install python3-venv" >&2
        exit 2
    }
fi
uv=$(find_uv)
echo "set-up: $lock"
"$uv" pip sync --python .venv/bin/python --require-hashes "$lock"

# The checkout itself is run in place: on Python's path, and as the command `anjie`.
site=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo '../../../..' >"$site/anjie.pth"
cat >.venv/bin/anjie <<'COMMAND'
#!/bin/sh
exec "$(dirname "$0")/python" -m services.cli "$@"
COMMAND
chmod +x .venv/bin/anjie
