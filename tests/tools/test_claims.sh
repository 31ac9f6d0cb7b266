#!/bin/sh
# test_claims.sh ROOT: the ledger is joined with what ran and passed, and with nothing else.
set -u
root=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

printf 'id\tkind\tclaim\n# a product\n' >"$work/ledger"
for id in A-ONE A-TWO A-THREE A-FOUR B-ONE-X B-TWO B-THREE; do
    printf '%s\tfn\ta <promise> & more\n' $id >>"$work/ledger"
done
printf 'B-BOX\thw\tIP54\n' >>"$work/ledger"
cat >"$work/log" <<'L'
7: [ RUN      ] claim_A_ONE
7: [       OK ] claim_A_ONE
7: [  SKIPPED ] claim_A_TWO
7: [  FAILED  ] claim_A_THREE
7: [       OK ] claim_B_BOX
8: [       OK ] claim_B_TWO
9: [       OK ] claim_B_ONE_X
9: [       OK ] other_test
10: [       OK ] claim_B_THREE
10: [  FAILED  ] claim_B_THREE
1/3 Test  #7: test_a ......................***Failed    0.01 sec
2/3 Test  #8: test_leaks ..................***Failed    0.01 sec
3/3 Test  #9: test_b ......................   Passed    0.01 sec
3/3 Test #10: test_c ......................***Failed    0.01 sec
L
out=$("$root/tools/claims" "$work/ledger" "$work/page.html" <"$work/log" 2>&1)
status=$?

expect() { # WHAT LINE: with tabs for |
    line=$(printf '%s' "$2" | tr '|' '\t')
    if ! printf '%s\n' "$out" | grep -qxF -- "$line"; then
        printf 'FAILED %s: no line %s in:\n%s\n' "$1" "$2" "$out"
        failed=1
    fi
}
expect claims_proves_a_row_whose_test_passed 'A-ONE|proved|test_a: claim_A_ONE'
expect claims_proves_nothing_when_skipped 'A-TWO|not yet|test skipped: claim_A_TWO'
expect claims_proves_nothing_when_failed 'A-THREE|not yet|test failed: claim_A_THREE'
expect claims_says_where_no_test_is 'A-FOUR|not yet|no test'
expect claims_proves_an_id_of_three_words 'B-ONE-X|proved|test_b: claim_B_ONE_X'
expect claims_distrusts_a_program_that_went_down 'B-TWO|not yet|test program went down: test_leaks'
expect claims_takes_the_worst_of_two_runs 'B-THREE|not yet|test failed: claim_B_THREE'
expect claims_leaves_hardware_open 'B-BOX|not yet|property of the hardware'
expect claims_counts_per_product 'A|1 of 4'
expect claims_counts_all 'all|2 of 8'
[ $status -eq 0 ] || { echo "FAILED claims_ends_well_when_rows_are_open: $status"; failed=1; }
grep -q 'a &lt;promise&gt; &amp; more' "$work/page.html" ||
    { echo 'FAILED claims_escapes_text_in_the_page'; failed=1; }

echo '9: [       OK ] claim_A_TYPO' >>"$work/log"
if "$root/tools/claims" "$work/ledger" "$work/page.html" <"$work/log" >/dev/null 2>&1; then
    echo 'FAILED claims_refuses_a_test_without_a_row'
    failed=1
fi
exit $failed
