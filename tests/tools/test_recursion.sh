#!/bin/sh
# test_recursion.sh ROOT CC: the check finds a cycle of calls, also one through a pointer, and keeps its
# table honest.
set -u
root=$1
cc=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

expect() { # WHAT STATUS PATTERN; the table on stdin, the C text in $work/part.c
    cat >"$work/table"
    rm -f "$work/libpart.a"
    "$cc" -c -O0 -ffunction-sections -fPIC -o "$work/part.c.o" "$work/part.c" && ar rc "$work/libpart.a" "$work/part.c.o"
    out=$("$root/tools/recursion" "$work/table" "$work/libpart.a" 2>&1)
    status=$?
    if [ "$status" -ne "$2" ] || ! printf '%s\n' "$out" | grep -q -- "$3"; then
        printf 'FAILED %s: status %d, output:\n%s\n' "$1" "$status" "$out"
        failed=1
    fi
}

cat >"$work/part.c" <<'C'
static int leaf(int n) { return n + 1; }
int top(int n) { return leaf(n) + leaf(n + 1); }
C
expect recursion_passes_a_tree 0 '^2 functions, 0 call through pointers, 0 complaints' </dev/null

cat >"$work/part.c" <<'C'
int count(int n) { return n > 0 ? count(n - 1) + 1 : 0; }
C
expect recursion_catches_a_function_that_calls_itself 1 'a cycle: part:count part:count' </dev/null

cat >"$work/part.c" <<'C'
int odd(int n);
static int even(int n) { return n == 0 || odd(n - 1); }
int odd(int n) { return n != 0 && even(n - 1); }
C
expect recursion_catches_a_cycle_of_two 1 'a cycle: part:' </dev/null

cat >"$work/part.c" <<'C'
struct node { int (*visit)(struct node *n); struct node *next; };
int visit_all(struct node *n) { return n ? n->visit(n) : 0; }
int visit_next(struct node *n) { return visit_all(n->next); }
int visit_end(struct node *n) { return n->next == n; }
C
expect recursion_wants_a_row_for_each_pointer 1 'visit_all: calls through a pointer and has no row' </dev/null
expect recursion_catches_a_cycle_through_a_pointer 1 'a cycle: part:' <<'T'
through part:visit_all part:visit_*
T
expect recursion_passes_a_bounded_nesting 0 '1 call through pointers, 0 complaints' <<'T'
nested part:visit_all a list of two
T
expect recursion_passes_what_ends 0 '0 complaints' <<'T'
through part:visit_a* part:visit_end outside
T
expect recursion_refuses_a_row_without_target 1 'nothing is called part:gone' <<'T'
through part:visit_all part:gone part:visit_end
T
expect recursion_refuses_a_row_without_caller 1 'nothing that calls through a pointer is called part:visit_end' <<'T'
through part:visit_all part:visit_end
through part:visit_end outside
T

if "$root/tools/recursion" /dev/null /nonexistent.a >/dev/null 2>&1; then
    echo "FAILED recursion_refuses_a_missing_archive"
    failed=1
fi
exit $failed
