"""`allocsnap` on programs of musl."""

import os
import signal
import subprocess

import expectations

from .test_command_line_run import TOTALS, Running
from .typed import children

#: Without debug information of musl itself, as its package has none.
FLAGS = ["-g", "-O0", "-fno-builtin", "-w", "-D_GNU_SOURCE"]


class OfMusl(Running):
    seconds = 20

    def built(self, name):
        path = os.path.join(self.directory, name)
        subprocess.run(["musl-gcc", *FLAGS, "-o", path, expectations.source(name + ".c")], check=True)
        return path

    def test_ways_to_end(self):
        path = self.built("exits")
        for (mode, way), (size, count) in TOTALS.items():
            with self.subTest(mode=mode, way=way):
                status, out, err = self.run_so("--", path, way, before=["--set", "stop-at-exit " + mode])
                self.assertEqual((status, out), (0, ""), err)
                self.assertTrue(err.endswith("Total: size={} B, count={}\n".format(size, count)), err)

    def test_children(self):
        """Of musl, of a shell of glibc."""
        script = "{}; exit 4".format(self.built("holds"))
        name = os.path.join(self.directory, "%p.dump")
        status, out, err = self.run_so("--children", "-o", name, "--", "sh", "-c", script)
        self.assertEqual((status, out), (4, ""))
        self.assertRegex(err, r"process \d+ \(holds\):\n\S+: 10128 B in 14 blocks\.\n")

    def test_ended_by_a_signal_and_read_before(self):
        path = os.path.join(self.directory, "waits")
        with open(path + ".c", "w", encoding="utf-8") as file:
            file.write(
                "#include <stdlib.h>\n#include <unistd.h>\nstatic void *kept;\n"
                "int main(void) { kept = malloc(700); if (write(1, \"ready\\n\", 6) == 6) pause(); return 0; }\n"
            )
        subprocess.run(["musl-gcc", *FLAGS, "-o", path, path + ".c"], check=True)
        process = self.begun("--report", "lineno", path)
        (child,) = children(process.pid)
        self.assertTrue(self.told("-p", child, "stats").endswith("Total: size=700 B, count=1\n"))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), 128 + signal.SIGTERM)
        self.assertTrue(process.stderr.read().endswith(b"Total: size=700 B, count=1\n"))
