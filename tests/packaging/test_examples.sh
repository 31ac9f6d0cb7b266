#!/bin/sh
# test_examples.sh ROOT BUILD CC: the examples, compiled from the installed library alone, shared and
# static, talk to each other; they stay as short as their README says; and the library shows the names
# of packaging/exports.txt.
set -eu
root=$1
build=$2
cc=$3
work=$(mktemp -d)
meter=
trap '[ -z "$meter" ] || kill "$meter" 2>/dev/null; rm -rf "$work"' EXIT

for component in runtime dev; do
    cmake --install "$build" --prefix "$work/tree" --component $component >/dev/null
done
[ "$(wc -l <"$root/examples/meter.c")" -lt 100 ] || { echo "examples/meter.c has 100 lines or more"; exit 1; }
[ "$(wc -l <"$root/examples/reader.c")" -lt 60 ] || { echo "examples/reader.c has 60 lines or more"; exit 1; }

export PKG_CONFIG_PATH="$work/tree/lib/pkgconfig"
sanitize=
grep -q '^SANITIZE:BOOL=ON' "$build/CMakeCache.txt" && sanitize=-fsanitize=address,undefined
cp "$root/examples/meter.c" "$root/examples/reader.c" "$work"
for program in meter reader; do
    # shellcheck disable=SC2046 # words on purpose
    "$cc" -Wall -Wextra -Werror $sanitize -o "$work/$program-shared" "$work/$program.c" $(pkg-config --cflags --libs ferraris)
    # libferraris.a instead of what -lferraris finds first, the rest (libcrypto) as pkg-config says
    # shellcheck disable=SC2046
    "$cc" -Wall -Wextra -Werror $sanitize -o "$work/$program-static" "$work/$program.c" \
        $(pkg-config --static --cflags --libs ferraris | sed 's/-lferraris/-l:libferraris.a/g')
done
if readelf -d "$work/reader-static" | grep -q libferraris; then
    echo "the static reader needs the shared library"
    exit 1
fi
readelf -d "$work/reader-shared" | grep -q 'libferraris\.so\.0' || { echo "no soname libferraris.so.0"; exit 1; }

export LD_LIBRARY_PATH="$work/tree/lib"
echo a-password >"$work/password"
echo another-one >"$work/wrong"
for kind in shared static; do
    port=
    for try in 1 2 3 4 5; do # a port somebody has is not an error
        port=$((20000 + ($$ * 7 + try * 131) % 20000))
        "$work/meter-$kind" $port "$work/password" 2>"$work/log" &
        meter=$!
        for wait in 1 2 3 4 5 6 7 8 9 10; do
            read=$("$work/reader-$kind" 127.0.0.1 $port "$work/password" 2>"$work/why") && break 2
            kill -0 "$meter" 2>/dev/null || break
            sleep 0.2
        done
        kill "$meter" 2>/dev/null || true
    done
    case ${read:-} in
    [0-9]*" Wh") ;;
    *) echo "$kind: the reader printed '${read:-}'"; cat "$work/log" "$work/why"; exit 1 ;;
    esac
    if "$work/reader-$kind" 127.0.0.1 $port "$work/wrong" >/dev/null 2>"$work/why"; then
        echo "$kind: a wrong password was let in"
        exit 1
    fi
    grep -q 'association' "$work/why" || { echo "$kind: no reason given"; cat "$work/why"; exit 1; }
    kill "$meter"
    meter=
done
"$root/tools/exports" "$build"
