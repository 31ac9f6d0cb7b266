#!/bin/sh
# test_classes_page.sh ROOT CLASSES: the page of the interface classes is what the descriptors of today
# give, and every class of the list in ic.h is on it.
set -u
failed=0
"$2" | diff "$1/docs/CLASSES.md" - ||
    { echo 'FAILED classes_page_is_current: run make docs'; failed=1; }
on_page=$("$2" | grep -c '^## ')
declared=$(sed -n 's/^extern const struct cosem_class cosem_ic_\([0-9]*\).*/\1/p' "$1/lib/cosem/ic.h" | sort -u | wc -l)
[ "$on_page" -gt 0 ] && [ "$on_page" -eq "$declared" ] ||
    { echo "FAILED classes_page_has_all: $on_page of $declared"; failed=1; }
exit $failed
