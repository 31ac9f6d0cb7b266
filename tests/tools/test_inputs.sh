#!/bin/sh
# test_inputs.sh ROOT: each test, fuzz target and check that docs/INPUTS.md names is there, and each
# numbered invariant names one.
set -u
cd "$1" || exit 1
grep -rhoE '\b[a-z][a-z0-9_]+' tests --include='*.c' --include=CMakeLists.txt | sort -u >"${TMPDIR:-/tmp}/inputs-$$"
trap 'rm -f "${TMPDIR:-/tmp}/inputs-$$"' EXIT
awk -v words="${TMPDIR:-/tmp}/inputs-$$" '
    function close_one() { if (number && !n_held) { print "invariant " number " names no test"; bad++ } }
    BEGIN { while ((getline word <words) > 0) known[word] = 1 }
    /^## For the application/ { close_one(); number = 0; exit }
    /^## Invariants/ { inside = 1 }
    !inside { next }
    /^[0-9]+\. / { close_one(); number = $1 + 0; n++; n_held = 0; if (number != n) { print "number " number " after " n - 1; bad++ } }
    number {
        text = $0
        while (match(text, /`[a-z][a-z0-9_\/]+`/)) {
            name = substr(text, RSTART + 1, RLENGTH - 2)
            text = substr(text, RSTART + RLENGTH)
            if (name ~ /^tools\//) { if (system("test -x " name) == 0) n_held++; else { print name " is not there"; bad++ } }
            else if (name ~ /^fuzz_/) { if (system("test -e tests/fuzz/" name ".c") == 0) n_held++; else { print name " is not there"; bad++ } }
            else if (name ~ /_[a-z0-9]+_|^size_arm$/) { if (name in known) n_held++; else { print name " is no test"; bad++ } }
        }
    }
    END { print n + 0 " invariants, " bad + 0 " complaints"; exit bad > 0 || n == 0 }' docs/INPUTS.md
