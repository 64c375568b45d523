#!/bin/sh
# Makes Debian packages in $BUILD/deb of what is built in $BUILD. DEBFULLNAME and DEBEMAIL are
# those of who makes them, SOURCE_DATE_EPOCH the time that they say, DEB_REVISION their own
# version.
set -eu

triplet=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
libdir=usr/lib/$triplet
work=$BUILD/deb
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(date +%s)}
export SOURCE_DATE_EPOCH
who="${DEBFULLNAME:-allocsnap} <${DEBEMAIL:-allocsnap@localhost}>"

rm -rf "$work"
mkdir -p "$work"
# Not whom the files belong to, nor what they may be, is left to who builds.
umask 022

# What dpkg's tools want of a source package.
cp -R core/install/debian "$work/debian"
cat >"$work/debian/changelog" <<END
allocsnap ($VERSION-${DEB_REVISION:-1}) unstable; urgency=medium

  * Made of a checkout by make deb. The project's own changelog is changelog.gz.

 -- $who  $(date -R -u -d "@$SOURCE_DATE_EPOCH")
END

DESTDIR=$work/tree PREFIX=/usr LIBDIR=/$libdir core/install/install.sh install >"$work/said"
tree=$work/tree
rm "$tree/usr/share/allocsnap/installed"
gzip -9n "$tree"/usr/share/man/man[17]/*
# Debian's zsh looks elsewhere for what packages bring.
mv "$tree/usr/share/zsh/site-functions" "$tree/usr/share/zsh/vendor-completions"
strip --strip-unneeded -R .comment "$tree/$libdir/liballocsnap.so.0" "$tree/$libdir/liballocsnap-hooks.so"
mkdir -p "$tree/usr/lib/python3/dist-packages"
ln -s ../../../share/allocsnap/core/python/allocsnap "$tree/usr/lib/python3/dist-packages/allocsnap"

move() { # PACKAGE PATH...: out of the tree
    package=$1
    shift
    for path in "$@"; do
        mkdir -p "$work/$package/$(dirname "$path")"
        mv "$tree/$path" "$work/$package/$path"
    done
}

make_package() { # PACKAGE
    root=$work/$1
    doc=$root/usr/share/doc/$1
    mkdir -p "$root/DEBIAN" "$doc"
    : >"$work/$1.substvars"
    if [ "$1" = allocsnap ]; then
        grep -v '^#' core/debuggers.txt | cut -d '|' -f 6 | paste -s -d '|' | sed 's/|/ | /g; s/^/allocsnap:Debuggers=/' \
            >"$work/$1.substvars"
    fi
    cp core/install/debian/copyright "$doc"
    gzip -9cn docs/changelog.md >"$doc/changelog.gz"
    gzip -9cn "$work/debian/changelog" >"$doc/changelog.Debian.gz"
    find "$root" -type f -exec chmod u=rw,go=r {} +
    if [ -d "$root/usr/bin" ]; then chmod 755 "$root"/usr/bin/*; fi
    libraries=$(cd "$work" && find "$1/$libdir" -maxdepth 1 -type f)
    (
        cd "$work"
        # shellcheck disable=SC2086 # a list of words
        if [ -n "$libraries" ]; then dpkg-shlibdeps -T"$1.substvars" $libraries; fi
        dpkg-gencontrol -p"$1" -P"$1" -T"$1.substvars" -DMaintainer="$who"
        cd "$1"
        find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums
    )
    if [ -n "$libraries" ]; then echo "activate-noawait ldconfig" >"$root/DEBIAN/triggers"; fi
    if [ "$1" = allocsnap ]; then
        install -m 755 -t "$root/DEBIAN" core/install/debian/postinst core/install/debian/prerm
    elif [ "$1" = liballocsnap0 ]; then
        echo "liballocsnap 0 liballocsnap0 (>= $VERSION)" >"$root/DEBIAN/shlibs"
    fi
    dpkg-deb --root-owner-group --build "$root" "$work" >>"$work/said"
}

move liballocsnap0 "$libdir/liballocsnap.so.0"
move liballocsnap-dev usr/include "$libdir/liballocsnap.so" "$libdir/pkgconfig"
install -D -m 644 core/install/debian/lintian "$tree/usr/share/lintian/overrides/allocsnap"
move allocsnap usr
for package in liballocsnap0 liballocsnap-dev allocsnap; do make_package "$package"; done
ls "$work"/*.deb
