"""`snapshot heap`: what it shows is what glibc says of itself, and the same in every debugger."""

import json
import subprocess

from . import debuggers, harness
from .harness import program
from .typed import Typed

# Of mallinfo2(3), in the order in which heap_known writes them.
_FIELDS = ("arena", "hblks", "hblkhd", "uordblks", "fordblks", "fsmblks", "smblks", "ordblks", "keepcost")


class HeapCommand(Typed):
    def started(self, **variables):
        """heap_known, and what it says of its heap."""
        process = subprocess.Popen(
            [program("heap_known")],
            stdout=subprocess.PIPE,
            env=harness.environment(self.home, **variables),
        )
        for close in (process.stdout.close, process.wait, process.kill):
            self.addCleanup(close)
        return process, dict(zip(_FIELDS, map(int, process.stdout.readline().split())))

    def check(self, found, said):
        arenas = [area for area in found["areas"] if area["kind"] != "large blocks"]
        large = [area for area in found["areas"] if area["kind"] == "large blocks"]

        def sizes(*uses):
            return sum(area["chunks"][use]["size"] for area in arenas for use in uses)

        def count(use):
            return sum(area["chunks"][use]["count"] for area in arenas)

        self.assertEqual([area["kind"] for area in arenas], ["main arena", "arena"])
        self.assertEqual(
            {
                "arena": sum(area["size"] for area in arenas),
                "hblks": sum(area["chunks"]["live"]["count"] for area in large),
                "hblkhd": sum(area["size"] for area in large),
                "uordblks": sizes("live", "cached", "own", "lost") + sum(area["rest"] for area in arenas),
                "fordblks": sizes("free", "fast", "top"),
                "fsmblks": sizes("fast"),
                "smblks": count("fast"),
                "ordblks": count("free") + count("top"),
                "keepcost": arenas[0]["chunks"]["top"]["size"],
            },
            said,
        )
        self.assertEqual(found["size"], said["arena"] + said["hblkhd"])
        self.assertEqual(found["notes"], [])

    def classes(self, found):
        return {one["least"]: one["chunks"] for one in found["classes"]}

    def test_process(self):
        """In each arena 7 blocks of 40 bytes are in the cache and 3 in a fast bin; 10 of 100 are in
        use, 104 with what malloc adds; of the blocks of 3000 between those none is."""
        self.need_attach()
        process, said = self.started()
        found = json.loads(self.told("-p", process.pid, "heap", "--json"))
        self.check(found, said)
        classes = self.classes(found)
        self.assertEqual(classes[32]["cached"], {"size": 14 * 48, "count": 14})
        self.assertEqual(classes[32]["fast"], {"size": 6 * 48, "count": 6})
        self.assertEqual(classes[64]["live"]["size"] % 112, 0)
        self.assertEqual(classes[1024]["live"], {"size": 20 * 2016, "count": 20})
        self.assertEqual(classes.get(2048, {"live": {"count": 0}})["live"]["count"], 0)
        self.check_resident(process, found)
        self.assertIsNone(found["rounding"])

    def check_resident(self, process, found):
        """All of the arenas below their tops was written to, and the first page of each large block;
        that they were read makes no difference."""
        live = sum(a["chunks"]["live"]["size"] for a in found["areas"] if a["kind"] != "large blocks")
        parts = found["resident"]["chunks"]
        self.assertEqual(parts["live"], live + 2 * 4096)
        for use in ("free", "cached", "fast"):
            self.assertEqual(parts[use], sum(area["chunks"][use]["size"] for area in found["areas"]))
        again = json.loads(self.told("-p", process.pid, "heap", "--json"))
        self.assertEqual(again["resident"]["chunks"], parts)
        text = self.told("-p", process.pid, "heap")
        self.assertRegex(
            text,
            r"(?m)^resident: .* = .* live \+ .* free in arenas \+ 672 B in thread caches \+ .* at the top"
            r" \+ .* in files \+ .* other$",
        )

    def test_with_hooks(self):
        """Of 100 bytes 12 are lost, of 2000 16, of the large ones a page each; the thread has one more."""
        self.need_attach()
        process, said = self.started(LD_PRELOAD=harness.HOOKS, ALLOCSNAP="1")
        found = json.loads(self.told("-p", process.pid, "heap", "--json"))
        self.check(found, said)
        self.check_resident(process, found)
        lost = found["rounding"]
        self.assertEqual(lost["count"], sum(area["chunks"]["live"]["count"] for area in found["areas"]))
        known = 20 * 12 + 20 * 16 + 2 * 4096
        self.assertGreaterEqual(lost["size"], known)
        self.assertLessEqual(lost["size"], known + 32 * (lost["count"] - 42))
        self.assertIn("\nlost to rounding: ", self.told("-p", process.pid, "heap"))

    def test_another_allocator(self):
        self.need_attach()
        process, _ = self.started(LD_PRELOAD="libjemalloc.so.2")
        told = self.told("-p", process.pid, "heap")
        self.assertRegex(told, r"^warning: the program's blocks are those of jemalloc 5\.\d+\.\d+ \(")
        self.assertNotRegex(told, r"\n\n|usable size")

    def test_debuggers(self):
        core = self.kernel_core("heap_known", "abort", preload=None)
        told = self.told("-c", core, "heap")
        self.assertRegex(told, r"(?m)^main arena 0x[0-9a-f]+ ")
        for debugger in debuggers.every():
            results = debugger.run(self, ["snapshot heap"], program("heap_known"), core=core)
            with self.subTest(debugger.name):
                self.assertEqual(results["snapshot heap"].strip(), told.strip())
