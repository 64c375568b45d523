#!/bin/sh
# Shows a session in gdb on tests/programs/server.c: live, then from a core of it.
# `demo.sh BUILD`: the build directory.
set -eu

build=$(cd "${1:-build}" && pwd)
root=$(cd "$(dirname "$0")/.." && pwd)
server=$build/tests/programs/server
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
core=$scratch/server.core
# Without npm there is no page to make it of.
report=
if [ -f "$build/report.html" ]; then report="snapshot export before after $build/demo-report.html"; fi

# Runs the commands of standard input in gdb, each shown as a person would type it.
session() {
    awk 'NF { gsub(/\\/, "\\\\"); print "echo \\n(gdb) " $0 "\\n"; print }' >"$scratch/commands"
    gdb -q -nx -batch -iex 'set debuginfod enabled off' \
        -ex 'set pagination off' -ex 'set confirm off' -ex 'set width 0' \
        -x "$scratch/commands" "$@" </dev/null
}

cd "$root"
printf '$ gdb %s\n' "${server#"$root"/}"
session "$server" <<END
source gdb/allocsnap_gdb.py
snapshot start 16
break handle_request
run
snapshot take before
snapshot stats lineno
ignore 1 1499
continue
snapshot stats lineno --limit 3
snapshot stats traceback --limit 1
snapshot diff before
snapshot who sessions[3]
snapshot take after
snapshot list
snapshot status
$report
generate-core-file $core
kill
END

printf '\n$ gdb %s %s\n' "${server#"$root"/}" "$(basename "$core")"
session "$server" "$core" <<END
source gdb/allocsnap_gdb.py
snapshot stats lineno --limit 3
END

if [ -n "$report" ]; then printf '\nIn a browser: %s\n' "$build/demo-report.html"; fi
