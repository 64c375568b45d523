"""The functions of the Python API that ask the debugger's session, with a session that is made up."""

import os
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "core", "python"))

# pylint: disable=wrong-import-position
import allocsnap  # noqa: E402
from allocsnap import session, target, tracing  # noqa: E402
from allocsnap.errors import ErrorCode  # noqa: E402
from allocsnap.library import native  # noqa: E402


class FakeSession:
    """A session.Session as tracing sees it."""

    def __init__(self):
        self.calls = []
        self.there = object()
        self.hooks = native.Status(tracing=True, frame_limit=5, traced_size=7, peak_size=9,
                                   tracker_size=11)
        self.launch = self
        self.limit = None

    def process(self):
        return self.there

    def frame_limit(self):
        return self.limit

    def status(self):
        if self.hooks is None:
            raise allocsnap.AllocsnapError("no hooks", ErrorCode.NO_HOOKS)
        return self.there, self.hooks

    def start(self, limit):
        self.calls.append(("start", limit))

    def __getattr__(self, name):
        if name not in ("stop", "clear", "reset_peak"):
            raise AttributeError(name)
        return lambda: self.calls.append(name)


class Tracing(unittest.TestCase):
    def setUp(self):
        before = tracing._session
        self.addCleanup(tracing.set_session, before)
        self.session = FakeSession()
        tracing.set_session(self.session)

    def test_traced(self):
        self.assertTrue(allocsnap.is_tracing())
        self.assertEqual(allocsnap.get_traceback_limit(), 5)
        self.assertEqual(allocsnap.get_traced_memory(), (7, 9))
        self.assertEqual(allocsnap.get_tracemalloc_memory(), 11)
        allocsnap.start(3)  # as in tracemalloc: it is tracing already
        allocsnap.clear_traces()
        allocsnap.reset_peak()
        allocsnap.stop()
        self.assertEqual(self.session.calls, ["clear", "reset_peak", "stop"])

    def check_not_traced(self):
        self.assertFalse(allocsnap.is_tracing())
        self.assertEqual(allocsnap.get_traceback_limit(), 16)
        self.assertEqual(allocsnap.get_traced_memory(), (0, 0))
        self.assertEqual(allocsnap.get_tracemalloc_memory(), 0)
        self.assertIsNone(allocsnap.get_object_traceback(0x1000))
        with self.assertRaisesRegex(RuntimeError, "must be tracing memory allocations"):
            allocsnap.take_snapshot()
        allocsnap.clear_traces()
        allocsnap.reset_peak()
        allocsnap.stop()
        self.assertEqual(self.session.calls, [])
        allocsnap.start()
        allocsnap.start(65535)
        self.assertEqual(self.session.calls, [("start", 16), ("start", 65535)])

    def test_stopped(self):
        self.session.hooks.tracing = False
        self.check_not_traced()

    def test_no_hooks(self):
        self.session.hooks = None
        self.check_not_traced()

    def test_no_process(self):
        self.session.there = None
        self.check_not_traced()
        self.session.calls.clear()
        self.session.limit = 3
        self.assertEqual(allocsnap.get_traceback_limit(), 3)
        allocsnap.stop()
        self.assertEqual(self.session.calls, ["stop"])

    def test_a_session_registers_itself(self):
        made = session.Session(target.Target())
        self.assertIs(tracing._session, made)

    def test_no_debugger(self):
        tracing.set_session(None)
        with self.assertRaisesRegex(RuntimeError, "^there is no debugger here: "):
            allocsnap.start()
        self.assertEqual(allocsnap.get_traceback_limit(), 16)


if __name__ == "__main__":
    unittest.main()
