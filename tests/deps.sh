#!/bin/sh
# Installs what is missing, and says what: `deps.sh run` for the build and the
# demo, `deps.sh test` for the tests, `deps.sh lint` for the linters, `deps.sh bench` for
# what the benches run and measure against, once all is built, `deps.sh soak` for the long
# runs of real programs, `deps.sh deb` for Debian packages, beside `run`.
set -eu

# Debian 12's own LLDB, 14, writes no cores on Linux.
lldb=lldb
if grep -qs '^VERSION_CODENAME=bookworm$' /etc/os-release; then lldb="lldb-22"; fi

# SETS PACKAGE PROOF: a Debian package, or several whose first that apt knows is meant (A|B), and
# what shows that it, or its like from another source, is there. Alternatives of a proof stand
# between commas.
needs() {
    cat <<END
run,test,lint,soak   gcc                  command:gcc
run,test,lint,soak   g++                  command:g++
run,test,lint,soak   libc6-dev            header:stdlib.h
run,test,lint,soak   libdwarf-dev         header:libdwarf.h,libdwarf/libdwarf.h,libdwarf-2/libdwarf.h,libdwarf-0/libdwarf.h
run,test,lint,soak   libelf-dev           header:gelf.h
run,test,lint,soak   zlib1g-dev           header:zlib.h
run,test,lint,soak   libiberty-dev        header:libiberty/demangle.h
run,test,lint,soak   liblzma-dev          header:lzma.h
run,test,lint,soak   libprotobuf-c-dev    header:protobuf-c/protobuf-c.h
run,test,lint,soak   protobuf-c-compiler  command:protoc-gen-c
run,test,lint,soak   protobuf-compiler    command:protoc
run,test,lint,soak   libsqlite3-dev       header:sqlite3.h
run,test,soak        gdb                  command:gdb
test,bench           $lldb                command:lldb,lldb-22,lldb-19,lldb-16,lldb-15,lldb-14
test,lint,soak,bench python3              command:/usr/bin/python3
deb                  python3              command:/usr/bin/python3
test,lint            libcunit1-dev        header:CUnit/CUnit.h
test,bench           binutils             command:readelf
test,lint            binutils-gold|binutils command:ld.gold
test                 dwz                  command:dwz
test                 xz-utils             command:xz
test,bench           elfutils             command:eu-addr2line
test,bench           valgrind             command:valgrind
test,bench           python3-dbg          command:python3-dbg
test                 libc6-dbg            file:/usr/share/doc/libc6-dbg
test                 libbinutils-dbg      file:/usr/lib/debug/.dwz/x86_64-linux-gnu/libbinutils.debug
test                 libstdc++6-14-dbg|libstdc++6-12-dbg file:/usr/lib/x86_64-linux-gnu/debug/libstdc++.so.6
test,soak,bench      sqlite3              command:sqlite3
test                 jq                   command:jq
test                 openssl              command:openssl
test,soak            redis-tools          command:redis-check-rdb
test,lint            clang                command:clang
test                 clang-22             command:clang++-22
test                 libclang-rt-dev      file:/usr/share/doc/libclang-rt-dev
test,bench           llvm                 command:llvm-symbolizer
test                 lld                  command:ld.lld
test                 mold                 command:mold
test                 rustc                command:rustc
test,lint            libunwind-dev        header:libunwind.h
test,lint            libjemalloc-dev      header:jemalloc/jemalloc.h
test,soak            git                  command:git
test                 zsh                  command:zsh
test                 g++-aarch64-linux-gnu command:aarch64-linux-gnu-g++
test                 gcc-aarch64-linux-gnu command:aarch64-linux-gnu-gcc
test                 qemu-user            command:qemu-aarch64
test                 gdbserver            command:gdbserver
test                 gdb-multiarch        command:gdb-multiarch
test,soak            redis-server         command:redis-server
test                 libglib2.0-0t64|libglib2.0-0 preload:libglib-2.0.so.0
test                 libqt5core5t64|libqt5core5a preload:libQt5Core.so.5
test                 libqt5widgets5t64|libqt5widgets5 preload:libQt5Widgets.so.5
test                 libc++1              preload:libc++.so.1
soak                 memcached            command:memcached
test,soak            nginx-light          command:nginx
test,soak            libpython3.13-testsuite|libpython3.11-testsuite module:test.test_tracemalloc
soak                 emacs-nox            command:emacs
soak                 vim                  command:vim
soak                 tmux                 command:tmux
soak                 r-base-core          command:R
soak                 ghc                  command:ghc
soak                 ocaml                command:ocamlopt
run,test,lint,soak,bench,deb nodejs        command:node
soak                 default-jdk-headless command:javac
soak                 ruby                 command:ruby
soak                 guile-3.0            command:guile
soak                 php-fpm              command:php-fpm8.2,php-fpm8.4
soak                 procps               command:ps
soak                 mariadb-server-core  command:mariadbd
soak                 mariadb-client-core  command:mariadb
test,soak            postgresql           file:/usr/lib/postgresql
test,bench           heaptrack            command:heaptrack
run,test,lint,bench,deb npm               command:npm
test,bench           chromium             command:chromium
test,bench           libjemalloc2         preload:libjemalloc.so.2
bench                libgoogle-perftools4t64|libgoogle-perftools4 preload:libtcmalloc.so.4
lint                 clang-format         command:clang-format
lint                 clang-tidy           command:clang-tidy
lint                 shellcheck           command:shellcheck
lint                 pyflakes3            command:pyflakes3
test,lint            mypy                 command:mypy
test,lint            mandoc               command:mandoc
test,deb             dpkg-dev             command:dpkg-gencontrol
test                 fakeroot             command:fakeroot
test                 fakechroot           command:fakechroot
test                 musl-tools           command:musl-gcc
test                 cowdancer            command:cow-shell
test                 eatmydata            command:eatmydata
test                 faketime             command:faketime
test                 libtcmalloc-minimal4t64|libtcmalloc-minimal4 preload:libtcmalloc_minimal.so.4
test                 libmimalloc3|libmimalloc2.0 preload:libmimalloc.so.2,libmimalloc.so.3
test                 pkgconf              command:pkg-config
test                 nodejs               command:node
test                 npm                  command:npm
test                 chromium             command:chromium
test                 golang-go            command:go
test                 golang-github-google-pprof-dev file:/usr/share/gocode/src/github.com/google/pprof/pprof.go
END
}

fail() {
    echo "deps: $*" >&2
    exit 1
}

has() { # KIND NAME
    case $1 in
    command) command -v "$2" >/dev/null ;;
    module) /usr/bin/python3 -c "import $2" 2>/dev/null ;;
    header) echo "#include <$2>" | ${CC:-cc} -E - >/dev/null 2>&1 ;;
    file) test -e "$2" ;;
    preload) test -z "$(LD_PRELOAD=$2 env 2>&1 >/dev/null)" ;; # ld.so complains
    esac
}

proven() { # KIND:NAME[,NAME...]
    for name in $(echo "${1#*:}" | tr , ' '); do
        if has "${1%%:*}" "$name"; then
            return 0
        fi
    done
    return 1
}

set_name=${1:-test}
case $set_name in
run | test | lint | bench | soak | deb) ;;
*) fail "no set named '$set_name': say run, test, lint, bench, soak or deb" ;;
esac

wanted=$(needs | while read -r sets package proof; do
    case ,$sets, in *,"$set_name",*) echo "$package $proof" ;; esac
done)
# dpkg-query fails where it is absent and where it does not know a package.
# shellcheck disable=SC2016 # dpkg-query's variables, not the shell's
installed=$(echo "$wanted" | while read -r package proof; do echo "${package%%|*}"; done |
    xargs dpkg-query -W -f '${Status} ${Package}\n' 2>/dev/null |
    while read -r want state status package; do
        if [ "$want $state $status" = "install ok installed" ]; then echo "$package"; fi
    done) || true
missing=$(echo "$wanted" | while read -r package proof; do
    if echo "$installed" | grep -qxF "${package%%|*}" || proven "$proof"; then continue; fi
    echo "$package"
done | tr '\n' ' ')
missing=${missing% }

if [ -z "$missing" ]; then
    echo "deps: nothing missing"
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    fail "missing, and no apt-get to install it: what Debian packages as $missing"
fi
if [ "$(id -u)" -eq 0 ]; then
    as_root=
    how="as root"
elif command -v sudo >/dev/null; then
    as_root=sudo
    how="with sudo"
else
    fail "missing, and neither root nor sudo: as root, run apt-get install $missing"
fi

apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@"
}

choose() { # A|B|...: the first that apt knows, or the first of all
    for name in $(echo "$1" | tr '|' ' '); do
        if [ "$name" = "$1" ] || [ -n "$(apt-cache show "$name" 2>/dev/null)" ]; then
            echo "$name"
            return
        fi
    done
    echo "${1%%|*}"
}

apt update || echo "deps: apt-get update failed; trying with the package lists there are" >&2
missing=$(for package in $missing; do choose "$package"; done | tr '\n' ' ')
missing=${missing% }
echo "deps: installing $missing (apt-get, $how)"
# shellcheck disable=SC2086 # a list of words
apt install -y --no-install-recommends $missing ||
    fail "apt-get could not install $missing (its words are above)"
