#!/bin/sh
# `install.sh install` lays what is built in $BUILD below $DESTDIR, for $PREFIX;
# `install.sh uninstall` takes it back. Below share/allocsnap the tree is as it is in the
# checkout. A list of all that was made lies there too: another version of this script, which
# lays other files, takes back the right ones.
set -eu

newline='
'
PREFIX=${PREFIX%/}
LIBDIR=${LIBDIR:-$PREFIX/lib}
LIBDIR=${LIBDIR%/}
root=${DESTDIR-}
share=$PREFIX/share/allocsnap
manifest=$share/installed
# What the templates name.
export PREFIX LIBDIR VERSION SHAREDIR="$share"

fail() {
    echo "install: $*" >&2
    exit 1
}

debuggers() {
    grep -v '^#' core/debuggers.txt
}

noted=
note() { # PATH, which is made next
    noted=$noted$1$newline
    if [ -d "$root$share" ]; then printf %s "$noted" >"$root$manifest"; fi
}

directory() { # PATH
    if [ ! -d "$root$1" ]; then
        directory "$(dirname "$1")"
        note "$1/"
        mkdir -m 755 "$root$1"
    fi
}

put() { # MODE SOURCE PATH
    directory "$(dirname "$3")"
    note "$3"
    install -m "$1" "$2" "$root$3"
}

put_link() { # TARGET PATH
    note "$2"
    ln -sf "$1" "$root$2"
}

put_completion() { # SHELL PATH
    directory "$(dirname "$2")"
    note "$2"
    ALLOCSNAP_LIBRARY="$BUILD/liballocsnap.so" "$PYTHON" -B core/install/completions.py "$1" >"$root$2"
    chmod 644 "$root$2"
}

put_filled() { # SOURCE PATH
    directory "$(dirname "$2")"
    note "$2"
    ALLOCSNAP_LIBRARY="$BUILD/liballocsnap.so" "$PYTHON" -B core/install/fill.py "$1" >"$root$2"
    chmod 644 "$root$2"
}

lay() {
    mkdir -p "$root/"
    directory "$share"
    put 755 "$BUILD/liballocsnap.so" "$LIBDIR/$SONAME"
    put_link "$SONAME" "$LIBDIR/liballocsnap.so"
    put 755 "$BUILD/liballocsnap-hooks.so" "$LIBDIR/liballocsnap-hooks.so"
    for file in core/include/*.h; do
        put 644 "$file" "$PREFIX/include/$(basename "$file")"
    done
    for file in core/python/allocsnap/*.py core/python/allocsnap/py.typed core/python/allocsnap/*/*.py; do
        put 644 "$file" "$share/$file"
    done
    for folder in $(debuggers | cut -d '|' -f 1); do
        for file in "$folder"/*.py; do put 644 "$file" "$share/$file"; done
    done
    # Where it could not be built, the commands say so.
    if [ -f "$BUILD/report.html" ]; then put 644 "$BUILD/report.html" "$share/report.html"; fi
    put_filled core/install/allocsnap.pc "$LIBDIR/pkgconfig/allocsnap.pc"
    for file in docs/man/*.[17]; do
        put_filled "$file" "$PREFIX/share/man/man${file##*.}/$(basename "$file")"
    done
    put 755 core/install/allocsnap "$PREFIX/bin/allocsnap"
    put_completion bash "$PREFIX/share/bash-completion/completions/allocsnap"
    put_completion zsh "$PREFIX/share/zsh/site-functions/_allocsnap"
}

# What is gone already is no matter; where a step fails, the list is there for the next try.
take_back() {
    # Python's own files, which it writes where it may.
    find "$root$share" -type d -name __pycache__ -prune -exec rm -rf {} +
    paths=$(tac "$root$manifest")
    printf '%s\n' "$paths" | grep -v '/$' | while IFS= read -r path; do rm -f "$root$path"; done
    rm "$root$manifest"
    printf '%s\n' "$paths" | grep '/$' | while IFS= read -r path; do
        if [ -d "$root$path" ]; then rmdir --ignore-fail-on-non-empty "$root$path"; fi
    done
}

# The linker's list of libraries; that of a system which is being put together is not ours.
# LDCONFIG=: leaves it alone.
list_libraries() {
    if [ -z "$root" ]; then ${LDCONFIG:-ldconfig} 2>/dev/null || :; fi
}

say() {
    before='For the snapshot commands in every %s, add this line to your %s:\n'
    debuggers | while IFS='|' read -r folder called init line quotes _; do
        # shellcheck disable=SC2059 # the format is one of two
        printf "$before" "$called" "$init"
        before='In every %s, with this one in your %s:\n'
        script=$share/$folder/allocsnap_$folder.py
        case $quotes$script in
        '"'*[!A-Za-z0-9/._+-]*) script=\"$(printf %s "$script" | sed 's/["\\]/\\&/g')\" ;;
        esac
        printf '%s%s%s\n' "${line%SCRIPT*}" "$script" "${line#*SCRIPT}"
    done
}

case $PREFIX$LIBDIR in
*"$newline"*) fail "PREFIX and LIBDIR cannot hold the end of a line" ;;
esac
case $PREFIX in
/* | '') ;;
*) fail "PREFIX must be an absolute path, not $PREFIX" ;;
esac
# Where the Python package looks for the library (native.py).
case $LIBDIR in
"$PREFIX/lib" | "$PREFIX/lib64" | "$PREFIX"/lib/*-linux-gnu) ;;
*) fail "LIBDIR must be lib, lib64 or lib/TRIPLET below $PREFIX, not $LIBDIR" ;;
esac

case $1 in
install)
    if [ -f "$root$manifest" ]; then take_back; fi
    lay
    list_libraries
    say
    ;;
uninstall)
    if [ ! -f "$root$manifest" ]; then
        fail "allocsnap is not installed in $root$PREFIX: give the PREFIX and DESTDIR of the install"
    fi
    take_back
    list_libraries
    ;;
esac
