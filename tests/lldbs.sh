#!/bin/sh
# Unpacks other versions of LLDB into a directory: `lldbs.sh DIRECTORY [VERSION...]`; without a
# version, of 14, 19 and 22 those that the release has and that are not installed. Debian's
# Python packages of two versions exclude each other on one system. Afterwards
# DIRECTORY/bin/lldb-VERSION runs each.
set -eu

fail() {
    echo "lldbs: $*" >&2
    exit 1
}

test $# -ge 1 || fail "say where to"
directory=$1
shift
if [ $# -eq 0 ]; then
    for version in 14 19 22; do
        if [ -n "$(apt-cache show "lldb-$version" 2>/dev/null)" ] &&
            ! dpkg-query -W -f '${Status}' "lldb-$version" 2>/dev/null | grep -q ' installed$'; then
            set -- "$@" "$version"
        fi
    done
fi
mkdir -p "$directory/bin" "$directory/packages"
directory=$(cd "$directory" && pwd)

for version in "$@"; do
    root=$directory/$version
    binary=$directory/bin/lldb-$version
    if [ -x "$binary" ]; then
        echo "lldbs: $binary is there"
        continue
    fi
    # What apt would install, without what would have to go.
    packages=$(apt-get -s --no-install-recommends install "lldb-$version" |
        sed -n 's/^Inst \([^ ]*\).*/\1/p') || fail "apt-get knows no lldb-$version: apt-get update"
    test -n "$packages" || fail "lldb-$version is installed: \`make test\` tests it"
    # shellcheck disable=SC2086 # a list of words
    (cd "$directory/packages" && apt-get -qq download $packages) ||
        fail "apt-get could not download $packages"
    rm -rf "$root"
    for package in $packages; do
        dpkg -x "$directory/packages/$(echo "$package" | cut -d : -f 1)"_*.deb "$root"
    done
    libraries=$root/usr/lib/llvm-$version/lib
    for place in "$root"/usr/lib/*-linux-gnu*; do libraries=$libraries:$place; done
    wrap() { # PROGRAM PATH
        cat >"$2" <<END_OF_SCRIPT
#!/bin/sh
LD_LIBRARY_PATH=$libraries exec $root/usr/lib/llvm-$version/bin/$1 "\$@"
END_OF_SCRIPT
        chmod +x "$2"
    }
    wrap lldb "$binary.new"
    if [ -e "$root/usr/lib/llvm-$version/bin/lldb-dap" ]; then
        wrap lldb-dap "$directory/bin/lldb-dap-$version"
    fi
    # Debian's lldb-14 looks for its Python below local/.
    wanted=$("$binary.new" -P 2>/dev/null)
    if [ ! -e "$wanted/lldb" ]; then
        mkdir -p "$(dirname "$wanted")"
        ln -sfn "$root/usr/lib/llvm-$version/lib/python3".*/*-packages "$wanted"
    fi
    mv "$binary.new" "$binary"
    "$binary" --version
done
