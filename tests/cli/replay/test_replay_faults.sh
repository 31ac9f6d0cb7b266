#!/bin/sh
# What is wrong with a recording is refused with its place, or told with the result: no case of
# these passes without a word.
ferraris=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0

# table NAME RATE SAMPLES HZ CURRENT [STAMP [VOLTAGE]]: awk expressions of k, t, u, i
table() {
    awk -v rate="$2" -v n="$3" -v hz="$4" 'BEGIN {
        print "time,u1_V,i1_A"; pi = atan2(0, -1)
        for (k = 0; k < n; k++) {
            t = k / rate; u = 325 * sin(2 * pi * hz * t); i = 7 * sin(2 * pi * hz * t - 0.5)
            printf("%.9f,%s,%s\n", '"(${6:-t}), (${7:-u}), ($5)"')
        }
    }' </dev/null >"$dir/$1"
}

# refused NAME TEXT: exit 4, and the message holds TEXT
refused() {
    "$ferraris" replay "$dir/$1" >"$dir/out" 2>"$dir/err"
    got=$?
    if [ $got -ne 4 ] || ! grep -qF -e "$2" "$dir/err"; then
        echo "$1: exit $got, expected a refusal with '$2':"
        cat "$dir/err"
        failed=1
    fi
}

# told NAME TEXT [KIND]: counted, with TEXT beside it, and as KIND in the JSON
told() {
    name=$1 text=$2 kind=$3
    "$ferraris" replay "$dir/$name" >"$dir/out" 2>"$dir/err"
    got=$?
    if [ $got -ne 0 ] || ! grep -qF -e "$text" "$dir/out"; then
        echo "$name: exit $got, expected '$text' in:"
        cat "$dir/out" "$dir/err"
        failed=1
    fi
    "$ferraris" replay --json "$dir/$name" >"$dir/out" 2>/dev/null
    [ -n "$kind" ] && text="\"kind\": \"$kind\""
    if ! grep -qF -e "$text" "$dir/out"; then
        echo "$name: no $text in the JSON"
        failed=1
    fi
}

table sound.csv 4000 2000 50 i
"$ferraris" replay "$dir/sound.csv" >"$dir/out" || failed=1
if grep -q faults "$dir/out"; then
    echo "a sound recording is flagged:"
    cat "$dir/out"
    failed=1
fi

table nan.csv 4000 2000 50 'k == 100 ? "nan" : i'
table inf.csv 4000 2000 50 'k == 100 ? "-inf" : i'
table huge.csv 4000 2000 50 'k == 100 ? "1e300" : i'
table beyond.csv 4000 2000 50 'k == 100 ? "1e400" : i'
table word.csv 4000 2000 50 'k == 100 ? "-" : i'
table gap.csv 4000 2000 50 'k > 99 && k < 109 ? "" : i'
table back.csv 4000 2000 50 i 'k == 200 ? t - 0.01 : t'
table jump.csv 4000 2000 50 i 'k > 200 ? t + 0.5 : t'
table same.csv 4000 2000 50 i 0
table faster.csv 4000 2000 50 i 'k < 1000 ? t : 0.25 + (k - 1000) / 8000'
table slow.csv 399 400 50 i
table fast.csv 200000 2000 50 i
table none.csv 4000 0 50 i
table one.csv 4000 1 50 i
refused nan.csv "nan.csv line 102 column 3 (i1_A): 'nan' is not a finite number"
refused inf.csv "inf.csv line 102 column 3 (i1_A): '-inf' is not a finite number"
refused huge.csv 'i1_A reaches 1e+300 A, beyond any meter'
refused beyond.csv "'1e400' is not a finite number"
refused word.csv "line 102 column 3 (i1_A): '-' is no number"
refused gap.csv 'channel i1_A misses values from sample-set 101 on'
refused back.csv 'line 202: the time does not advance evenly here (by -0.0097'
refused jump.csv 'line 203: the time does not advance evenly here (by 0.50025 s'
refused same.csv 'line 3: the time does not advance evenly here (by 0 s'
refused faster.csv 'line 1003: the time does not advance evenly here'
refused slow.csv '399 samples per second; a front end of 500 to 64 000'
refused fast.csv '200000 samples per second; a front end of 500 to 64 000'
refused none.csv 'line 2: fewer than two rows of data'
refused one.csv 'line 3: fewer than two rows of data'

table filled.csv 4000 2000 50 'k > 99 && k < 102 ? "" : i'
table stuck.csv 4000 2000 50 3.25
table direct.csv 4000 2000 50 5 t 230
table silent.csv 4000 2000 50 0 t 0
table clipped.csv 4000 2000 50 'i > 4 ? 4 : i < -4 ? -4 : i'
table wrapped.csv 4000 2000 50 'i > 5 ? i - 10 : i < -5 ? i + 10 : i'
table bit.csv 4000 2000 50 'k == 1000 ? i + 40 : i'
table half.csv 4000 2000 25 i
table twice.csv 4000 2000 100 i
cut -d, -f1,2 "$dir/sound.csv" >"$dir/no_current.csv"
cut -d, -f1,3 "$dir/sound.csv" >"$dir/no_voltage.csv"
told filled.csv '2 missing values of i1_A filled by straight lines'
told stuck.csv 'i1  does not move' stuck
told direct.csv 'u1  does not move' stuck
told silent.csv 'u1  is 0 throughout' zero
told clipped.csv 'i1  reaches an end of its range: clipped samples (1200 of them' clipped
told wrapped.csv 'i1  jumps across its whole span' torn
told bit.csv 'i1  has single samples far from both neighbours (1 of them, the first 4' lone
told half.csv 'u1  has no frequency of 40 to 70 Hz: is the sample rate right?' no_frequency
told twice.csv 'u1  has no frequency of 40 to 70 Hz: is the sample rate right?' no_frequency
told no_current.csv 'i1  is not in the source and counts as 0' missing
told no_voltage.csv 'u1  is not in the source and counts as 0' missing

# comtrade NAME RATE: 4000 samples per second by the time stamps
comtrade() {
    printf 'X,Y,1999\n2,2A,0D\n1,VA,A,,V,0.02,0,0,-32767,32767,1,1,S\n2,IA,A,,A,0.001,0,0,-32767,32767,1,1,S\n50\n1\n%s,2000\n01/01/2020,00:00:00.0\n01/01/2020,00:00:00.0\nASCII\n1\n' "$2" >"$dir/$1.cfg"
    awk 'BEGIN { pi = atan2(0, -1)
        for (k = 0; k < 2000; k++) {
            a = 2 * pi * 50 * k / 4000
            printf "%d,%d,%d,%d\n", k + 1, k * 250, 16250 * sin(a), 7000 * sin(a - 0.5)
        } }' </dev/null >"$dir/$1.dat"
}
comtrade right 4000
comtrade tenth 4400
comtrade double 8000
told tenth.cfg 'the time stamps say 4000 samples per second, the configuration, which counts, 4400'
told tenth.cfg 'the file states a line of 50 Hz, its samples show 55 Hz'
told double.cfg 'the time stamps say 4000 samples per second, the configuration, which counts, 8000'
"$ferraris" replay "$dir/right.cfg" | grep -q "note: the\|faults" && { echo "right.cfg is flagged"; failed=1; }

"$ferraris" replay --map u1=i1_A,i1=u1_V "$dir/sound.csv" >"$dir/out"
grep -qF 'i1_A is in A and taken for a voltage; u1_V is in V and taken for a current' "$dir/out" || {
    echo "exchanged inputs are not told"
    failed=1
}
"$ferraris" replay synth:u=230,i=5,rate=3999 >/dev/null || failed=1
for rate in 0 499 200000 nan; do
    "$ferraris" replay "synth:u=230,i=5,rate=$rate" >/dev/null 2>"$dir/err"
    [ $? -eq 2 ] && grep -q rate "$dir/err" || {
        echo "rate=$rate:"
        cat "$dir/err"
        failed=1
    }
done
exit $failed
