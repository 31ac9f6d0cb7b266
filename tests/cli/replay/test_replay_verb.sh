#!/bin/sh
# The words, exit codes and JSON of `ferraris replay`; its figures are tested in test_replay_run.c.
ferraris=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0

# expect CODE TEXT WORDS...: the verb exits with CODE and its messages hold TEXT
expect() {
    code=$1 text=$2
    shift 2
    "$ferraris" replay "$@" >"$dir/out" 2>"$dir/err"
    got=$?
    if [ $got -ne "$code" ] || ! cat "$dir/out" "$dir/err" | grep -qF -e "$text"; then
        echo "replay $*: exit $got, expected $code and '$text':"
        cat "$dir/err"
        failed=1
    fi
}

printf 'time,U1,I1\n0,1,2\n0.001,nan,2\n' >"$dir/nan.csv"
printf 'time,CH1,CH2\n0,1,2\n0.001,1,2\n0.002,1,2\n' >"$dir/unnamed.csv"
printf 'station,dev,1999\n1,1A,0D\n1,UA,A,,V,1,0,0,-9,9,1,1,S\n50\n1\n1000,100\na,b\na,b\nASCII\n1\n' >"$dir/short.cfg"
printf '1,,5\n2,,6\n' >"$dir/short.dat"

# two NAME UNIT1 UNIT2 REST1 REST2: a record of three samples of a voltage and a current
two() {
    printf 'st,dev,1999\n2,2A,0D\n1,%s,,,%s,1,0,0,-9,9,%s\n2,Ia,,,%s,1,0,0,-9,9,%s\n50\n1\n1000,3\na,b\na,b\nASCII\n1\n' \
        "$2" "$3" "$5" "$4" "$6" >"$dir/$1.cfg"
    printf '1,,5,1\n2,,6,2\n3,,-4,0\n' >"$dir/$1.dat"
}
two line VAB V A 1,1,S 1,1,S
two sides VA V A 110000,100,P 5,1,S
two same VA V A 110000,100,S 5,1,S
two cyrillic Ua 'В' 'А' 1,1,S 1,1,S

expect 0 'VAB and others are not used' "$dir/line.cfg"
expect 0 'VA is told in primary values, Ia in secondary ones' "$dir/sides.cfg"
expect 0 'no frequency found' "$dir/cyrillic.cfg"
"$ferraris" replay "$dir/same.cfg" | grep -q 'secondary' && {
    echo "same.cfg: sides that agree are noted"
    failed=1
}
expect 0 'active' synth:u=230,i=5,pf=0.8
expect 0 '"frequency_hz": 50.0' --json synth:u=230,i=5
expect 0 '"events": []' --json synth:
expect 0 '"un_v": 230.0' --json synth:u=231,i=5
expect 0 'events by 260 V declared (given)' --un 260 synth:u=230
expect 0 'voltage_dip' --un 260 synth:u=230
expect 0 '"kind": "voltage_swell"' --json --un 200 synth:u=230
expect 2 '--un' --un -1 synth:
expect 2 'one FILE' --json
expect 2 'one FILE' a.csv b.csv
expect 2 "'foo=1' has no known key" synth:foo=1
expect 2 'no channel' --map u1=nothing "$dir/unnamed.csv"
expect 2 'above 0' --ct 0 synth:
expect 2 '--repeat' --repeat -5 synth:
expect 0 'no frequency' --map u1=CH1 "$dir/unnamed.csv"
expect 4 '--map u1=NAME' "$dir/unnamed.csv"
expect 4 'nan.csv line 3 column 2' "$dir/nan.csv"
expect 4 'short.dat line 3: the data end after 2 of 100' "$dir/short.cfg"
expect 4 'No such file' "$dir/none.cfg"
expect 4 'No such file' "$dir/none.csv"
expect 4 'not a waveform' "$dir/none.xyz"

# JSON of a three-phase source has three phases, and the scaling holds.
"$ferraris" replay --json --scale 2 --ct 10 --vt 2 synth:u=230,i=5 >"$dir/scaled"
for want in '"u_v": (230.0|229.99)' '"i_a": (1.0|0.9999)'; do
    [ "$(grep -cE "$want" "$dir/scaled")" -ge 3 ] || {
        echo "scaled: no three $want"
        failed=1
    }
done
exit $failed
