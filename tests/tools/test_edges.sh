#!/bin/sh
# test_edges.sh ROOT: the border check lets the allowed pass and catches each kind of crossing.
set -u
root=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

# expect WHAT STATUS PATTERN: the check of the fixture ends with STATUS and prints PATTERN.
expect() {
    out=$("$root/tools/edges" "$work" "$root/tools/edges.txt" 2>&1)
    status=$?
    if [ "$status" -ne "$2" ] || ! printf '%s\n' "$out" | grep -q -- "$3"; then
        printf 'FAILED %s: status %d, output:\n%s\n' "$1" "$status" "$out"
        failed=1
    fi
}
fixture() { # PATH LINE: a tree with this one file besides a clean one
    rm -rf "${work:?}"/*
    mkdir -p "$work/lib/base" "$work/$(dirname "$1")"
    printf '#include "lib/base/b.h"\n#include <stdint.h>\n' >"$work/lib/base/a.c"
    : >"$work/lib/base/b.h"
    printf '%s\n' "$2" >"$work/$1"
}

fixture lib/dlms/x.c '#include "lib/base/b.h"'
expect edges_passes_what_is_allowed 0 '3 includes in 3 files, 0 over'
fixture lib/dlms/x.c '#include "firmware/legal/legal.h"'
expect edges_catches_a_library_that_reaches_up 1 '^lib/dlms/x.c:1: lib/dlms may not include "firmware/legal/legal.h"'
fixture firmware/legal/x.c '#include "lib/dlms/axdr.h"'
expect edges_catches_dlms_in_the_legal_part 1 '^firmware/legal/x.c:1: '
fixture firmware/meter/x.c '#  include "firmware/legal/kernel.h"'
expect edges_catches_a_private_header_of_legal 1 '^firmware/meter/x.c:1: '
fixture firmware/meter/x.c '#include "firmware/legal/legal.h"'
expect edges_passes_the_public_header_of_legal 0 '0 over a border'
fixture lib/nv/x.h '#include <stdio.h>'
expect edges_catches_stdio_in_a_library 1 '^lib/nv/x.h:1: lib/nv may not include <stdio.h>'
fixture firmware/ports/posix/x.c '#include <stdio.h>'
expect edges_passes_stdio_in_a_port 0 '0 over a border'
fixture attic/x.c '#include <stdio.h>'
expect edges_catches_a_folder_without_a_row 1 '^attic/x.c:0: lies in no room'
fixture cli/x.c '#include "tests/helper.h"'
expect edges_catches_a_test_header_in_the_program 1 '^cli/x.c:1: '
exit $failed
