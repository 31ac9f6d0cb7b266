#!/bin/sh
# test_objects.sh ROOT OBJECTS: the page of the object model is what the tables of today give, and the
# form for programs has the same objects.
set -u
failed=0
"$2" md | diff "$1/docs/OBJECTS.md" - ||
    { echo 'FAILED objects_page_is_current: run make docs'; failed=1; }
lines=$("$2" md | grep -c '^| [0-9]*-[0-9]*:')
entries=$("$2" json | grep -c '"obis": ')
[ "$lines" -gt 0 ] && [ "$lines" -eq "$entries" ] ||
    { echo "FAILED objects_json_has_what_the_page_has: $entries of $lines"; failed=1; }
exit $failed
