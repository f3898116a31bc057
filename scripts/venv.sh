#!/bin/sh
# Makes the virtual environment or brings it up to date: scripts/venv.sh DIRECTORY LOCK_FILE
# Everything is installed in the versions and with the hashes of the lock file. PYTHON in the
# environment names the interpreter; otherwise the first one that is new enough is taken.
set -eu

directory=$1
lock=$2

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if is_new_enough "$name"; then
            echo "$name"
            return
        fi
    done
}

# Debian ships the venv module's heart in a package of its own.
need_ensurepip() {
    if "$1" -c 'import ensurepip' 2>/dev/null; then
        return
    fi
    package="python$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq && apt-get install -qq -y --no-install-recommends "$package" >/dev/null
    fi
    "$1" -c 'import ensurepip' 2>/dev/null ||
        fail "$1 cannot make virtual environments; on Debian or Ubuntu:" \
            "  apt-get install $package"
}

if ! "$directory/bin/python" -m pip --version >/dev/null 2>&1 ||
    ! is_new_enough "$directory/bin/python"; then
    python=$(find_python)
    [ -n "$python" ] || fail "Python 3.11 or newer is needed, and ${PYTHON:-python3} is not that;" \
        "say where it is: make PYTHON=/path/to/python3.12 …"
    need_ensurepip "$python"
    "$python" -m venv --clear "$directory"
fi

pip="$directory/bin/python -m pip --disable-pip-version-check"
$pip install --quiet --require-hashes --requirement "$lock"
PYTHONWARNINGS=ignore $pip install --quiet --no-deps --no-build-isolation --editable .
