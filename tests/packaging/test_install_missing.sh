#!/bin/sh
# test_install_missing.sh ROOT: installs what is missing and only that, and leaves the package manager
# alone otherwise. A stand-in for apt-get writes down how it was called.
set -u
root=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
mkdir "$work/bin"
printf '#!/bin/sh\necho "$@" >>"%s/calls"\n' "$work" >"$work/bin/apt-get"
printf '#!/bin/sh\nexec "$@"\n' >"$work/bin/sudo"
chmod +x "$work/bin/apt-get" "$work/bin/sudo"

expect() { # WHAT STATUS CALLS; the list on stdin
    : >"$work/calls"
    cat >"$work/list"
    PATH="$work/bin:$PATH" "$root/packaging/install-missing" "$work/list" >/dev/null 2>&1
    status=$?
    calls=$(tr '\n' ';' <"$work/calls")
    if [ "$status" -ne "$2" ] || [ "$calls" != "$3" ]; then
        printf 'FAILED %s: status %d, apt-get was called: %s\n' "$1" "$status" "$calls"
        failed=1
    fi
}
install='install -q -y --no-install-recommends'
tab=$(printf '\t')

expect install_missing_leaves_a_complete_machine_alone 0 '' <<L
# a comment
command:sh${tab}dash
header:stdio.h${tab}libc6-dev
file:$work/bin/apt-*${tab}apt
L
expect install_missing_installs_a_command 0 "update -q;$install pkg-a;" <<L
command:sh${tab}dash
command:no-such-command-here${tab}pkg-a
L
expect install_missing_installs_headers_and_files_in_one_go 0 "update -q;$install pkg-b pkg-c;" <<L
header:no/such/header.h${tab}pkg-b
file:$work/none-*${tab}pkg-c
L
expect install_missing_refuses_an_unknown_kind 2 '' <<L
package:dash${tab}dash
L
exit $failed
