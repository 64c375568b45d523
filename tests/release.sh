#!/bin/bash
# Runs make's targets in a root of another release of Debian, from a clean clone of what this
# checkout has committed: `release.sh RELEASE [-d DIRECTORY] [TARGET...]`. RELEASE is bookworm or
# trixie; the targets are demo, lint, test and deb where none is given. The root is made by
# debootstrap in DIRECTORY (build/roots/RELEASE) from the mirror that this machine's apt is set up
# with, kept, and used again. `release.sh RELEASE -s` opens a shell in it. Needs root, for chroot.
set -eu

fail() {
    echo "release: $*" >&2
    exit 1
}

say() {
    echo "release: $*"
}

usage() {
    fail "say bookworm or trixie, then -d DIRECTORY, -s (a shell), or targets of make"
}

here=$(cd "$(dirname "$0")/.." && pwd)
place=/src/allocsnap
case ${1:-} in
bookworm | trixie) release=$1 ;;
*) usage ;;
esac
shift
root=
shell=
while getopts d:s option; do
    case $option in
    d) root=$OPTARG ;;
    s) shell=yes ;;
    *) usage ;;
    esac
done
shift $((OPTIND - 1))
root=${root:-$here/build/roots/$release}
case $root in
/*) ;;
*) root=$PWD/$root ;;
esac
if [ $# -eq 0 ]; then set -- demo lint test deb; fi
[ "$(id -u)" -eq 0 ] || fail "run it as root: debootstrap and chroot need that"

# Where this machine's apt has Debian from: the address of each of Debian's parts, by what its
# suite's name adds to that of the release ("", -updates, -security).
mirrors() {
    # shellcheck disable=SC2016 # apt's variables, not the shell's
    apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(REPO_URI) $(CODENAME)' \
        'Created-By: Packages' |
        sed -nE 's/^Debian main (\S+) [a-z]+(-updates|-security)?$/\2 \1/p' | sort -u
}

main_mirror() {
    mirrors | sed -n 's/^ //p' | head -n 1
}

# apt's sources of the root are those of this machine, for the other release.
write_sources() {
    mirrors | while read -r part address; do
        case $part in
        -*) echo "deb $address $release$part main" ;;
        *) echo "deb $part $release main" ;;
        esac
    done >"$root/etc/apt/sources.list"
    apt-config dump | grep -E '^Acquire::https?::Proxy ' >"$root/etc/apt/apt.conf.d/01proxy" || true
    if [ -e /etc/resolv.conf ]; then cp -L /etc/resolv.conf "$root/etc/resolv.conf"; fi
}

# npm's registry and certificates are those of this machine.
write_npm() {
    rm -f "$root/root/.npmrc" "$root/root/npm.crt"
    command -v npm >/dev/null || return 0
    certificates=$(npm config get cafile)
    {
        echo "registry=$(npm config get registry)"
        if [ -f "$certificates" ]; then
            cp "$certificates" "$root/root/npm.crt"
            echo "cafile=/root/npm.crt"
        fi
    } >"$root/root/.npmrc"
}

make_root() {
    command -v debootstrap >/dev/null || fail "there is no debootstrap: apt-get install debootstrap"
    mirror=$(main_mirror)
    [ -n "$mirror" ] || fail "apt knows no mirror of Debian: see apt's sources, and run apt-get update"
    say "making $root"
    mkdir -p "$(dirname "$root")"
    # A root that was cut short does not look like one.
    rm -rf "$root.new"
    debootstrap --variant=minbase --include=ca-certificates,git,make "$release" "$root.new" "$mirror"
    mv "$root.new" "$root"
}

# Runs a command in the root, with mounts and processes that end with it. The root is that of its
# mounts as well: where it is chroot's alone, the kernel refuses user namespaces, which tests make.
within() {
    # shellcheck disable=SC2016 # the inner shell's variables
    unshare --mount --pid --fork --kill-child sh -euc '
        root=$1
        shift
        mount --bind "$root" "$root"
        mount -t proc proc "$root/proc"
        mount --rbind /sys "$root/sys"
        mount --bind /dev "$root/dev"
        mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$root/dev/pts"
        mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
        mount --bind "$root/dev/pts/ptmx" "$root/dev/ptmx"
        cd "$root"
        pivot_root . .
        umount -l .
        exec chroot . env -i HOME=/root TERM="${TERM:-dumb}" LC_ALL=C.UTF-8 \
            PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
    ' sh "$root" "$@"
}

[ -e "$root/etc/debian_version" ] || make_root
write_sources
write_npm
if [ -n "$shell" ]; then
    within /bin/bash -c "cd $place 2>/dev/null || cd; exec bash"
    exit
fi

rm -rf "${root:?}$place"
mkdir -p "$root$(dirname "$place")"
git clone -q "$here" "$root$place"
say "$(git -C "$root$place" log -1 --format='%h %s'), in $release ($root)"

passed=
failed=
for target in "$@"; do
    say "make $target"
    if within make -j"$(nproc)" -C "$place" "$target" </dev/null; then
        passed="$passed $target"
    else
        failed="$failed $target"
    fi
done
[ -z "$passed" ] || say "in $release passed:$passed"
[ -z "$failed" ] || fail "in $release failed:$failed"
