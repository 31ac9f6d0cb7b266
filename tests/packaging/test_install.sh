#!/bin/sh
# test_install.sh BUILD CC: what `make install` lays down is enough to build a program of others.
set -eu
build=$1
cc=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/tree" >/dev/null
cat >"$work/program.c" <<'C'
#include <firmware/meter/meter.h>
#include <lib/base/crc.h>
#include <lib/cosem/client.h>
#include <lib/cosem/session.h>
#include <model/objects.h>
int main(void) /* the rows name bindings, so all rooms are linked */
{
    return crc32_update(0, "123456789", 9) == 0xCBF43926u && model_n_rows > 0 && model_rows[0].kind->binding->get ? 0 : 1;
}
C
export PKG_CONFIG_PATH="$work/tree/lib/pkgconfig"
sanitize=
grep -q '^SANITIZE:BOOL=ON' "$build/CMakeCache.txt" && sanitize=-fsanitize=address,undefined
# shellcheck disable=SC2046 # words on purpose
"$cc" $sanitize -o "$work/program" "$work/program.c" $(pkg-config --cflags --libs ferraris-meter)
LD_LIBRARY_PATH="$work/tree/lib" "$work/program"
"$work/tree/bin/ferraris" --help >/dev/null

# The service: it is there, systemd understands it, and what it starts is there, too.
unit="$work/tree/lib/systemd/system/ferraris-headend.service"
grep -q '^ExecStart=ferraris-headend run ' "$unit"
if command -v systemd-analyze >/dev/null; then
    sed -i "s|^ExecStart=|ExecStart=$work/tree/bin/|" "$unit"
    said=$(systemd-analyze verify "$unit" 2>&1) || { echo "$said"; exit 1; }
    [ -z "$said" ] || { echo "$said"; exit 1; }
else
    echo "systemd-analyze is not installed: the unit was not verified"
fi
