#!/bin/sh
# Runs the tests: PYTHON, how many processes at once (0: this one), then pytest's own arguments.
#
# Tests that kill a NameNode and expect the gateway back within the seconds that are promised need
# the machine for themselves, and with several processes they do not have it. So what fails beside
# other work is run once more, alone; what fails there has failed. Both runs are printed.
set -eu
python=$1
jobs=$2
shift 2

status=0
"$python" -m pytest -n "$jobs" --dist loadfile --no-loadscope-reorder "$@" || status=$?
[ "$status" -eq 1 ] && [ "$jobs" -gt 0 ] || exit "$status"
echo
echo 'Once more, alone, what failed beside other work:'
exec "$python" -m pytest --last-failed --last-failed-no-failures none "$@"
