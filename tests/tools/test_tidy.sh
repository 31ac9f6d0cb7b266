#!/bin/sh
# test_tidy.sh ROOT: the clang-tidy check finds a bug, and looks again after a change and only then.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
mkdir -p "$work/tools" "$work/lib" "$work/model" "$work/firmware" "$work/build"
cp "$1/tools/tidy" "$work/tools/"
cp "$1/.clang-tidy" "$work/"
cat >"$work/build/compile_commands.json" <<J
[{"directory": "$work", "command": "cc -c lib/x.c",
  "file": "$work/lib/x.c"}]
J

expect() { # TEXT WHAT STATUS PATTERN: of lib/x.c with this text
    printf '%s\n' "$1" >"$work/lib/x.c"
    shift
    out=$("$work/tools/tidy" "$work/build" 2>&1)
    status=$?
    if [ "$status" -ne "$2" ] || ! printf '%s\n' "$out" | grep -q -- "$3"; then
        printf 'FAILED %s: status %d, output:\n%s\n' "$1" "$status" "$out"
        failed=1
    fi
}
good='int get(const int *p) { return p ? *p : 0; }'
bad='int get(const int *p) { if (!p) { return *p; } return 0; }'
expect "$good" tidy_passes_clean_code 0 '1 files, 1 to look at'
expect "$good" tidy_skips_what_did_not_change 0 '1 files, 0 to look at'
expect "$bad" tidy_finds_a_null_dereference 123 'core.NullDereference'
expect "$bad" tidy_keeps_no_stamp_of_a_failure 123 '1 files, 1 to look at'
exit $failed
