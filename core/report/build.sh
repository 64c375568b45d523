#!/bin/sh
# Builds the report's page: `build.sh BUILD` makes BUILD/report.html, or fails. With `--if-possible`
# what is missing for it is said, and is no failure: all else builds without npm.
set -eu

here=$(dirname "$0")
build=$1
mode=${2-}
modules=$build/report/node_modules

give_up() {
    echo "report: $*; snapshots cannot be exported as a page then" >&2
    if [ "$mode" = --if-possible ]; then exit 0; fi
    exit 1
}

command -v npm >/dev/null || give_up "report.html is not built, as npm is not installed"
mkdir -p "$build/report"
if ! cmp -s "$here/package-lock.json" "$build/report/installed"; then
    cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$build/report"
    (cd "$build/report" && npm ci --omit=dev --loglevel=error >npm.log 2>&1) || {
        tail -n 5 "$build/report/npm.log" >&2
        give_up "report.html is not built, as npm could not get the packages of $here/package-lock.json"
    }
    cp "$here/package-lock.json" "$build/report/installed"
fi
node "$here/build.mjs" "$modules" "$build/report/report.html"
mv "$build/report/report.html" "$build/report.html"
