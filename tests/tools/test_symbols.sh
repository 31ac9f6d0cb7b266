#!/bin/sh
# test_symbols.sh ROOT CC: the archive check passes clean rooms and catches heap, reach and state.
set -u
root=$1
cc=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

archive() { # ROOM NAME: from the C text on stdin
    mkdir -p "$work/$1"
    "$cc" -x c -c -fPIE -o "$work/$2.o" - && ar rc "$work/$1/lib$2.a" "$work/$2.o"
}
expect() { # WHAT STATUS PATTERN
    out=$("$root/tools/symbols" "$work" "$root/tools/edges.txt" 2>&1)
    status=$?
    if [ "$status" -ne "$2" ] || ! printf '%s\n' "$out" | grep -q -- "$3"; then
        printf 'FAILED %s: status %d, output:\n%s\n' "$1" "$status" "$out"
        failed=1
    fi
}

expect symbols_refuses_an_empty_build 1 '^0 archives'
archive lib/base base <<'C'
int base_add(int a, int b) { return a + b; }
C
archive firmware/legal legal <<'C'
#include <string.h>
int base_add(int a, int b);
static const char *const names[] = {"a", "b"};
int legal_run(int a) { return memcmp(names[a & 1], names[0], (size_t)a) + base_add(a, 1); }
C
expect symbols_passes_lower_rooms_and_const_tables 0 '^2 archives, 0 symbols'
archive lib/dlms dlms <<'C'
#include <stdlib.h>
void *dlms_open(void) { return malloc(1); }
C
expect symbols_catches_the_heap_in_a_library 1 '^lib/dlms: may not use malloc'
archive lib/dlms dlms <<'C'
int legal_run(int a);
int dlms_run(void) { return legal_run(1); }
C
expect symbols_catches_a_call_by_own_declaration 1 '^lib/dlms: may not use legal_run of firmware/legal'
archive lib/dlms dlms <<'C'
int dlms_count(void) { static int n; return ++n; }
C
expect symbols_catches_hidden_state 1 '^lib/dlms: writable data: n'
archive lib/dlms dlms <<'C'
int dlms_count(void) { return 1; }
C
archive headend/base headend_base <<'C'
#include <time.h>
long clock_ask(void) { struct timespec t; return clock_gettime(CLOCK_REALTIME, &t); }
C
archive headend/api headend_api <<'C'
#include <stdlib.h>
void *api_start(void) { return malloc(1); }
C
expect symbols_lets_the_clock_of_the_servers_ask_the_system 0 'archives, 0 symbols'
archive headend/api headend_api <<'C'
#include <time.h>
long api_start(void) { return (long)time(NULL); }
C
expect symbols_catches_a_server_that_reads_the_clock 1 '^headend/api: is denied time'
exit $failed
