#!/bin/sh
# test_ledger.sh ROOT: every test claim_* belongs to a row, and the ledger is the one that was handed
# over with the datasheets (skipped, after the first check, where they are not beside the tree).
set -u
ledger=$1/tests/claims/claims.tsv
given=$1/../shared/datasheets/claims.tsv

known=$(mktemp) || exit 1
trap 'rm -f "$known"' EXIT
sed -n 's/^\([A-Z][A-Z0-9-]*\)	.*/claim_\1/p' "$ledger" | tr - _ >"$known"
double=$(sort "$known" | uniq -d)
[ -z "$double" ] || { echo "rows that share a test name: $double"; exit 1; }
stray=$(grep -rhoE --include='*.c' '\bclaim_[A-Z][A-Z0-9_]*' "$1/tests" | sort -u | grep -vxF -f "$known")
[ -z "$stray" ] || { echo "tests named after no row: $stray"; exit 1; }

if [ ! -e "$given" ]; then
    echo "skipped: no $given to compare with"
    exit 77
fi
diff "$given" "$ledger"
