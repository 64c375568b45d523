"""Where programs stop at their ends, and what addresses are, of debuggers that say what they are
given."""

import os
import sys
import types
import unittest

sys.path.insert(
    0,
    os.path.join(
        os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "core", "python"
    ),
)

from allocsnap import target, untouched, whereabouts  # noqa: E402
from allocsnap.exit_stop import ExitStop  # noqa: E402
from allocsnap.library import native  # noqa: E402
from allocsnap.library.calls import Regions  # noqa: E402
from allocsnap.target import FilePlace, Process, Region, Thread, ThreadFacts  # noqa: E402


class Debugger(target.Target):
    """One that has two programs, and three threads."""

    selected = 1

    def __init__(self):
        self.told = []
        self.places = {}  # address -> FilePlace
        self.frames = {}  # (thread, address) -> frame
        self.pointers = {}

    def process(self):
        return Process(("process", self.selected), self.selected)

    def tell(self, text):
        self.told.append(text)

    def stack_pointers(self):
        return self.pointers

    def frame_over(self, number, address):
        return self.frames.get((number, address))

    def file_place(self, address):
        return self.places.get(address)

    def threads(self):
        return [Thread(number + 70, number) for number in (1, 2, 3)]

    def thread_facts(self):
        return [ThreadFacts(71, 0x7008, 0x9100), ThreadFacts(72, 0x5100, 0x5F00), ThreadFacts(79, 0, 0)]


class ExitStops(unittest.TestCase):
    def setUp(self):
        self.debugger = Debugger()
        self.stop = ExitStop(self.debugger, lambda: True)

    def reached(self, process, function):
        self.debugger.selected = process
        return self.stop.reached(function)

    def test_each_process_stops_once(self):
        """Also where another one has come to its exit meanwhile."""
        self.assertTrue(self.reached(1, "exit"))
        self.assertTrue(self.reached(2, "exit"))
        self.assertFalse(self.reached(1, "_exit"))
        self.assertFalse(self.reached(2, "_exit"))
        self.assertTrue(self.reached(3, "_exit"))
        self.assertFalse(self.reached(3, "_Exit"))
        self.assertEqual([" to exit" in text for text in self.debugger.told], [True, True, False])

    def test_at_the_end_only(self):
        self.stop.mode = "end"
        self.assertFalse(self.reached(1, "exit"))
        self.assertTrue(self.reached(1, "_exit"))

    def test_what_is_not_traced(self):
        self.stop = ExitStop(self.debugger, lambda: False)
        self.assertFalse(self.reached(1, "exit"))
        self.assertEqual(self.debugger.told, [])


class Places(unittest.TestCase):
    REGIONS = [
        Region(0x1000, 0x3000, 0, "/bin/server", True, True),
        Region(0x5000, 0x6000, 0, "", True, True),
        Region(0x7000, 0x8000, 0, "[stack]", True, True),
        Region(0x9000, 0xA000, 0, "", True, True),
        Region(0xB000, 0xC000, 0, "", True, True),
    ]

    def setUp(self):
        self.debugger = Debugger()
        self.debugger.pointers = {1: 0x7008, 2: 0x2800}  # 2 is on a stack of its own in .bss

    def sentence(self, address, kept=None):
        regions = Regions(self.REGIONS)
        return whereabouts.sentence(
            self.debugger, self.debugger.process(), regions, kept or {}, address
        )

    def test_variables_in_the_mapping_of_a_stack(self):
        self.debugger.places[0x1010] = FilePlace(".data", "/bin/server", "index_", 8)
        self.assertEqual(self.sentence(0x1010), "it is in section .data of server: index_+8")
        self.debugger.places[0x1010] = FilePlace(".data", "/bin/server", "index_", 16)
        self.assertEqual(self.sentence(0x1010), "it is in section .data of server: index_+0x10")
        self.debugger.places[0x1010] = FilePlace(".bss", "")
        self.assertEqual(self.sentence(0x1010), "it is in section .bss of the program")

    def test_former_blocks_in_the_mapping_of_a_stack(self):
        snapshot = types.SimpleNamespace(find=lambda address: address == 0x1020 or None)
        kept = {
            "other": types.SimpleNamespace(source="process 9", snapshot=snapshot),
            "mine": types.SimpleNamespace(source="process 1", snapshot=snapshot),
        }
        said = "it was in a block of the snapshot mine, which `snapshot who --in mine 0x1020` shows"
        self.assertEqual(self.sentence(0x1020, kept), said)
        self.assertNotIn("block", self.sentence(0x1021, kept))

    def test_stacks(self):
        self.debugger.frames[1, 0x7010] = (0, "main")
        self.assertEqual(self.sentence(0x7010), "it is on the stack of thread 1, frame #0 in main")
        self.assertEqual(
            self.sentence(0x7001), "it is on the stack of thread 1, below its stack pointer"
        )
        self.assertEqual(
            self.sentence(0x7800), "it is in the mapping of the stack of thread 1, above its frames"
        )

    def test_a_stack_that_its_thread_has_left(self):
        self.debugger.frames[2, 0x5200] = (6, None)
        self.assertEqual(self.sentence(0x5200), "it is on the stack of thread 2, frame #6")

    def test_storage(self):
        self.assertEqual(
            self.sentence(0x9010), "it is in the mapping of the thread-local storage of thread 1"
        )

    def test_nothing_known(self):
        self.assertIsNone(self.sentence(0xB010))
        self.assertIsNone(self.sentence(0x4000))


class Untouched(unittest.TestCase):
    """Of this process, whose memory the test makes."""

    def test_large_mappings(self):
        import ctypes  # pylint: disable=import-outside-toplevel
        import mmap  # pylint: disable=import-outside-toplevel

        size, large = 256 << 20, 2 << 20
        memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)
        self.addCleanup(memory.close)
        view = ctypes.c_char.from_buffer(memory)
        start = ctypes.addressof(view)
        del view
        for place in (0, 100 << 20, size - 1):
            memory[place] = 1
        region = Region(start, start + size, 0, "", True, True)
        found, left_out = untouched.untouched(os.getpid(), Regions([region]))
        self.assertEqual(left_out, 0)
        self.assertGreater(sum(end - begin for begin, end in found), size - 8 * large)
        for place in (0, 100 << 20, size - 1):
            self.assertFalse(any(begin <= start + place < end for begin, end in found), place)
        small = Region(start, start + (1 << 20), 0, "", True, True)
        self.assertEqual(untouched.untouched(os.getpid(), Regions([small])), ([], 0))
        self.assertEqual(untouched.untouched(2**30, Regions([region])), ([], 0))

    def test_too_large_to_be_looked_through(self):
        huge = Region(1 << 40, 1 << 41, 0, "", True, True)
        self.assertEqual(
            untouched.untouched(os.getpid(), Regions([huge])), ([(1 << 40, 1 << 41)], 1 << 40)
        )
        self.assertTrue(Regions([huge]).array[0].flags & native.REGION_WRITABLE)


if __name__ == "__main__":
    unittest.main()
