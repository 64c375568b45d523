"""The command line and processes in containers: with other files, and with other numbers of threads."""

import json
import os
import re
import signal
import subprocess

from . import harness
from .harness import HOOKS, ROOT
from .test_command_line_processes import SOURCE, Crowd
from .typed import threads, tracer

#: Fills a file system that nothing outside sees, and starts a program in it.
_ENTER = r"""
set -e
how=$1 box=$2 program=$3 inside=$4
shift 4
mount -t tmpfs none "$box"
for file; do
    mkdir -p "$box$(dirname "$file")"
    cp "$file" "$box$file"
done
mkdir -p "$box$(dirname "$inside")" "$box/old" "$box/proc"
mount -t proc proc "$box/proc"
cp "$program" "$box$inside"
cd "$box"
export LD_PRELOAD="$HOOKS" ALLOCSNAP=16
case $how in
pivot_root) LD_PRELOAD= pivot_root . old; exec "$inside" 2 ;;
chroot) exec chroot . "$inside" 2 ;;
esac
"""


class OfContainers(Crowd):
    """The program has other files at its paths than there are outside, and is process 1."""

    def entered(self, how, path, inside):
        """The number, outside, of a process that runs a program, which it sees as `inside`."""
        box = os.path.join(self.directory, "box")
        os.makedirs(box, exist_ok=True)
        said = subprocess.run(["ldd", path], stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout
        libraries = re.findall(r"/\S+", said)
        process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _ENTER, "sh"]
            + [how, box, path, inside, HOOKS] + libraries,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=harness.environment(self.home, HOOKS=HOOKS, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin"),
        )  # fmt: skip
        for close in (process.stdin.close, process.stdout.close, process.wait):
            self.addCleanup(close)
        if process.stdout.readline() != b"ready\n":
            self.skipTest("no mount namespace can be made here")
        with open("/proc/{0}/task/{0}/children".format(process.pid), encoding="ascii") as children:
            (pid,) = map(int, children.read().split())
        self.addCleanup(os.kill, pid, signal.SIGKILL)
        self.assertFalse(os.listdir(box))
        return pid

    def test_its_own_files_and_threads(self):
        """Also where there is another program at the path that it sees, and no build ID tells them apart."""
        self.need_attach()
        path, inside = os.path.join(self.directory, "crowd"), os.path.join(self.directory, "there", "crowd")
        os.mkdir(os.path.dirname(inside))
        for how, build_id in (("pivot_root", "sha1"), ("pivot_root", "none"), ("chroot", "none")):
            with self.subTest(how=how, build_id=build_id):
                for source, made in ((SOURCE, path), (os.path.join(ROOT, "tests", "programs", "holds.c"), inside)):
                    subprocess.run(
                        ["gcc", "-g", "-O0", "-pthread", "-Wl,--build-id=" + build_id, "-o", made, source],
                        check=True,
                    )
                pid = self.entered(how, path, inside)
                found = json.loads(self.told("-p", pid, "stats", "--json", "--no-skip"))
                for note in found["notes"]:
                    self.assertRegex(note, "^\\d+ parts? of the table w(as|ere) being changed: ")
                self.assertEqual(self.line(found["statistics"], "kept"), (2 * 48, 2))
                self.assertEqual(self.line(found["statistics"], "lost"), (777, 1))
                self.assertIn('thread 1 (1 "crowd")', self.told("-p", pid, "stats", "thread"))
                leaked = json.loads(self.told("-p", pid, "leaks", "--json", "--no-skip"))
                self.assertEqual(self.line(leaked["statistics"], "lost"), (777, 1))
                self.assertEqual(len(leaked["statistics"]), 1)
                # Its threads are known by the numbers that they have in there.
                outside, own = sorted(threads(pid))[1:], set()
                for number in outside:
                    with open("/proc/{}/task/{}/status".format(pid, number), encoding="ascii") as status:
                        own.add(re.search(r"^NSpid:.*\t(\d+)$", status.read(), re.M).group(1))
                said = self.told("-p", pid, "--stop", "stats", "thread")
                shown = set(re.findall(r'thread (\d+) \(\d+ "crowd"\): ', said)) - {"1"}
                self.assertEqual(shown, own)
                self.assertEqual(tracer(pid), 0)
