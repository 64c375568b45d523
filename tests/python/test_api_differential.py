"""The Python API against the standard library's tracemalloc: the same calls with the same
arguments must give the same values, texts and errors.
"""

import copy
import operator
import os
import pickle
import random
import sys
import tempfile
import tracemalloc
import unittest

from .differential import (
    BOTH, COUNT, FILENAMES, MODES, SEED, Differential, allocsnap, frame_facts, outcome, random_filter,
    random_traces, row_facts, snapshot_facts, trace_facts,
)


class Snapshots(Differential):
    def test_statistics(self):
        rows = 0
        for generator in self.cases(1):
            traces = random_traces(generator)
            pair = [module.Snapshot(traces, 16) for module in BOTH]
            for mode in MODES:
                wanted, got = [snapshot.statistics(*mode) for snapshot in pair]
                self.assertEqual(list(map(row_facts, got)), list(map(row_facts, wanted)))
                self.assertIs(type(got), list)
                rows += len(got)
        self.assertGreater(rows, COUNT)

    def test_compare_to(self):
        rows = 0
        for generator in self.cases(2):
            old = random_traces(generator)
            new = generator.sample(old, len(old) // 2) + random_traces(generator)
            for mode in MODES:
                wanted, got = [
                    module.Snapshot(new, 16).compare_to(module.Snapshot(old, 8), *mode)
                    for module in BOTH
                ]
                self.assertEqual(list(map(row_facts, got)), list(map(row_facts, wanted)))
                rows += len(got)
        self.assertGreater(rows, COUNT)

    def test_compare_to_a_snapshot_of_tracemalloc(self):
        for generator in self.cases(3, 5):
            old, new = random_traces(generator), random_traces(generator)
            wanted = tracemalloc.Snapshot(new, 16).compare_to(tracemalloc.Snapshot(old, 16),
                                                              "lineno")
            got = allocsnap.Snapshot(new, 16).compare_to(tracemalloc.Snapshot(old, 16), "lineno")
            self.assertEqual(list(map(row_facts, got)), list(map(row_facts, wanted)))

    def test_filter_traces(self):
        kept = {"all": 0, "some": 0, "none": 0}
        for generator in self.cases(4, 3 * COUNT):
            traces = random_traces(generator)
            filters = [random_filter(generator) for _ in range(generator.randint(0, 4))]
            again = [random_filter(generator)]

            def chain(module):
                snapshot = module.Snapshot(traces, 16)
                first = snapshot.filter_traces([make(module) for make in filters])
                second = first.filter_traces(tuple(make(module) for make in again))
                rows = [row_facts(row) for row in second.statistics("traceback")]
                self.assertIsNot(first, snapshot)
                self.assertIsNot(first.traces._traces, traces)
                return [snapshot_facts(each) for each in (snapshot, first, second)], rows

            facts = self.both(chain)[0]
            count = facts[1][2]
            kept["none" if not count else "all" if count == len(traces) else "some"] += 1
        self.assertTrue(all(kept.values()), kept)

    def test_filters_of_ones_own(self):
        for generator in self.cases(5, 10):
            traces = random_traces(generator)

            def filtered(module):
                class Large(module.BaseFilter):
                    def _match(self, trace):
                        return (trace[1] > 8) == self.inclusive

                class Line(module.Filter):
                    def _match_frame_impl(self, filename, lineno):
                        return lineno == 1

                filters = [Large(True), Line(False, "*"), module.Filter(True, "*.c")]
                filters[2]._match_frame = lambda filename, lineno: lineno != 2
                return snapshot_facts(module.Snapshot(traces, 4).filter_traces(iter(filters)))

            self.both(filtered)

    def test_wrong_arguments(self):
        traces = [(0, 1, (("a.c", 1),), 1)]
        calls = [
            lambda m, s: s.statistics("file"),
            lambda m, s: s.statistics(None),
            lambda m, s: s.statistics(["lineno"]),
            lambda m, s: s.statistics("traceback", True),
            lambda m, s: s.statistics("traceback", cumulative="yes"),
            lambda m, s: s.statistics("file", True),
            lambda m, s: s.compare_to(s, "file"),
            lambda m, s: s.compare_to(s, "traceback", True),
            lambda m, s: s.filter_traces(None),
            lambda m, s: s.filter_traces(m.Filter(True, "*")),
            lambda m, s: s.filter_traces([None]),
            lambda m, s: s.filter_traces("abc"),
            lambda m, s: s.filter_traces([m.BaseFilter(True)]),
            lambda m, s: m.Filter(True, 5),
            lambda m, s: m.Filter(True, b"*.c"),
            lambda m, s: setattr(m.Filter(True, "a"), "filename_pattern", "b"),
            lambda m, s: setattr(m.DomainFilter(True, 1), "domain", 2),
            lambda m, s: s.traces[1],
            lambda m, s: s.traces[-2],
            lambda m, s: s.traces["0"],
            lambda m, s: 5 in s.traces,
            lambda m, s: hash(s.traces),
            lambda m, s: setattr(s.traces[0], "size", 1),
            lambda m, s: setattr(s.traces[0], "other", 1),
            lambda m, s: setattr(s.traces[0].traceback, "total_nframe", 1),
            lambda m, s: setattr(s.traces[0].traceback, "other", 1),
            lambda m, s: setattr(s.traces[0].traceback[0], "lineno", 1),
            lambda m, s: setattr(s.traces[0].traceback[0], "other", 1),
            lambda m, s: setattr(s.statistics("lineno")[0], "other", 1),
            lambda m, s: str(m.Traceback(())),
            lambda m, s: m.Traceback((("a", 1),)) < 5,
            lambda m, s: m.Frame(("a", 1)) < 5,
            lambda m, s: m.Statistic(None, 1, 1) < m.Statistic(None, 2, 2),
            lambda m, s: m.BaseFilter(True)._match(None),
            lambda m, s: m.Snapshot.load("/nonexistent/file"),
            lambda m, s: m.Snapshot.load("/"),
            lambda m, s: s.dump("/"),
            lambda m, s: s.dump("/nonexistent/file"),
            lambda m, s: s.dump("/dev/null/file"),
        ]
        for number, call in enumerate(calls):
            with self.subTest(call=number):
                results = [outcome(call, module, module.Snapshot(traces, 1)) for module in BOTH]
                self.assertEqual(results[1], results[0])
                self.assertNotEqual(results[0][0], "value")

    def test_sequence_of_traces(self):
        for generator in self.cases(6, 20):
            traces = random_traces(generator)
            slices = [slice(*generator.choices([None, 0, 1, 2, 5, -1, -3, 200], k=2),
                            generator.choice([None, 1, 2, -1, -2])) for _ in range(8)]

            def facts(module):
                snapshot = module.Snapshot(traces, 16)
                filtered = snapshot.filter_traces([module.Filter(True, "*")])
                found = []
                for each in (snapshot.traces, filtered.traces):
                    found.append([[trace_facts(one) for one in each[piece]] for piece in slices])
                    found.append([[trace_facts(one) for one in reversed(each)]])
                    for index in range(-len(traces), len(traces)):
                        found.append(trace_facts(each[index]))
                    found.append([each.index(one) for one in list(each)[:5]])
                    found.append([each.count(one) for one in list(each)[:5]])
                    found.append(module.Trace((0, 1, (("never", 1),), 1)) in each)
                    found.append(all(one in each for one in each))
                    found.append(bool(each))
                found.append((filtered.traces == snapshot.traces, snapshot.traces == traces,
                              snapshot.traces != filtered.traces))
                return found

            self.both(facts)

    def test_empty_snapshot(self):
        def facts(module):
            snapshot = module.Snapshot([], 1)
            filtered = snapshot.filter_traces([module.Filter(True, "*")])
            return [snapshot_facts(each) for each in (snapshot, filtered)], [
                (each.statistics(*mode), each.compare_to(filtered, *mode))
                for each in (snapshot, filtered) for mode in MODES
            ]

        self.both(facts)

    def test_total_nframe_may_be_missing(self):
        traces = [(0, 5, (("a.c", 1), ("b.c", 2))), (0, 5, (("b.c", 2),))]
        snapshot = allocsnap.Snapshot(traces, 2)
        whole = tracemalloc.Snapshot([trace + (None,) for trace in traces], 2)
        for mode in MODES:
            self.assertEqual(list(map(row_facts, snapshot.statistics(*mode))),
                             list(map(row_facts, whole.statistics(*mode))))
        kept = snapshot.filter_traces([allocsnap.Filter(True, "a.c")])
        self.assertEqual(kept.traces._traces, traces[:1])
        self.assertIsNone(snapshot.traces[0].traceback.total_nframe)

    def test_total_nframe_may_be_none(self):
        stack = (("a.c", 1), ("b.c", 2))
        traces = [(0, 5, stack, None), (0, 5, stack, 2), (0, 6, stack[1:], None)]

        def facts(module):
            with tempfile.TemporaryDirectory() as directory:
                path = os.path.join(directory, "dump")
                snapshot = module.Snapshot(traces, 1)
                filtered = snapshot.filter_traces([module.Filter(True, "a.c")])
                found = [snapshot_facts(snapshot), snapshot_facts(filtered)]
                for each in (snapshot, filtered):
                    each.dump(path)
                    loaded = module.Snapshot.load(path)
                    found += [snapshot_facts(loaded), loaded.traces == each.traces,
                              loaded.traces[0] == loaded.traces[1],
                              loaded.traces[0].traceback == loaded.traces[1].traceback]
            return found, [
                list(map(row_facts, snapshot.statistics(*mode))) for mode in MODES
            ], [list(map(row_facts, snapshot.compare_to(filtered, *mode))) for mode in MODES]

        self.both(facts)

    def test_no_total_nframe_is_taken_for_none(self):
        for total in (2**32 - 2, 2**32 - 1, 2**32):
            with self.subTest(total=total):
                snapshot = allocsnap.Snapshot([(0, 5, (("a.c", 1),), total)], 1)
                with self.assertRaisesRegex(
                    (ValueError, allocsnap.AllocsnapError),
                    "number of frames that is none" if total > 2**32 - 2 else "more than 65535",
                ):
                    snapshot.statistics("lineno")

    def test_dump_and_load(self):
        for generator in self.cases(10, COUNT // 3 + 1):
            traces, limit = random_traces(generator), generator.choice([1, 16, 65535])
            # A file keeps how many frames a stack had, which is never less than it has.
            traces = [(*trace[:3], max(trace[3], len(trace[2]))) for trace in traces]
            name = generator.choice(["a", "\u00e9.snap", "b \udcff"])

            def facts(module):
                with tempfile.TemporaryDirectory() as directory:
                    path = os.path.join(directory, name)
                    snapshot = module.Snapshot(traces, limit)
                    snapshot.note = "mine \u00e9\udc80"
                    filtered = snapshot.filter_traces([module.Filter(True, "*.c")])
                    found = []
                    for each in (snapshot, filtered, snapshot):
                        each.dump(path)
                        loaded = module.Snapshot.load(path)
                        self.assertEqual(os.listdir(directory), [name])
                        found += [snapshot_facts(loaded), getattr(loaded, "note", None),
                                  loaded.traces == each.traces]
                        for mode in MODES:
                            rows = loaded.statistics(*mode) + loaded.compare_to(filtered, *mode)
                            found.append(list(map(row_facts, rows)))
                    return found

            self.both(facts)

    def test_changed_traceback_limit(self):
        def facts(module):
            with tempfile.TemporaryDirectory() as directory:
                path = os.path.join(directory, "a")
                snapshot = module.Snapshot([(0, 1, (("a", 1),), 1)], 1)
                snapshot.statistics("lineno")
                snapshot.traceback_limit = 7
                snapshot.dump(path)
                return snapshot_facts(module.Snapshot.load(path))

        self.both(facts)

    def test_copies_and_pickles(self):
        for generator in self.cases(7, 5):
            traces = random_traces(generator)

            def facts(module):
                snapshot = module.Snapshot(traces, 16)
                snapshot.note = "mine"
                filtered = snapshot.filter_traces([module.Filter(True, "*.c")])
                rows = snapshot.statistics("lineno") + snapshot.compare_to(filtered, "filename")
                found = []
                for each in (copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))):
                    found += [snapshot_facts(each(one)) for one in (snapshot, filtered)]
                    found += [row_facts(each(row)) for row in rows]
                    found += [trace_facts(each(trace)) for trace in snapshot.traces[:3]]
                return found

            self.both(facts)


class Objects(Differential):
    def test_relations(self):
        comparisons = (operator.eq, operator.ne, operator.lt, operator.le, operator.gt,
                       operator.ge)

        def makers(generator):
            frames = generator.choices([("a", 1), ("a", 2), ("b", 1), ("\udcff", 1)],
                                       k=generator.randint(1, 3))
            total = generator.choice([None, 3, 9])
            size, count = generator.choice([0, 5]), generator.choice([0, 1])
            traceback = lambda m: m.Traceback(frames, total)  # noqa: E731
            return [
                lambda m: m.Frame(frames[0]),
                traceback,
                lambda m: m.Trace((count, size, tuple(frames), total)),
                lambda m: m.Statistic(traceback(m), size, count),
                lambda m: m.StatisticDiff(traceback(m), size, -size, count, -count),
                lambda m: m._Traces([(count, size, tuple(frames), total)]),
                lambda m: 5,
            ]

        for generator in self.cases(8, 2 * COUNT):
            for left in makers(generator):
                for right in makers(generator):
                    for compare in comparisons:
                        self.both(lambda m: compare(left(m), right(m)))

    def test_sizes(self):
        generator = random.Random(SEED)
        sizes = [(1 << bits) + change for bits in range(64) for change in (-1, 0, 1)]
        sizes += [(factor << bits) + change for bits in range(60) for factor in (10, 100)
                  for change in (-52, -51, -1, 0, 1)]
        sizes += [generator.randint(0, 1 << generator.randint(1, 63)) for _ in range(10 * COUNT)]
        sizes += [generator.random() * (1 << generator.randint(1, 63)) for _ in range(10 * COUNT)]
        for size in sizes:
            for sign in (False, True):
                for value in (size, -size):
                    self.assertEqual(allocsnap._format_size(value, sign),
                                     tracemalloc._format_size(value, sign), value)

    def test_format(self):
        frames = tuple((__file__, line) for line in (1, 3, 10**6, 0)) + (("/no/file", 1),)
        for limit in (None, -9, -2, -1, 0, 1, 2, 9, True):
            for first in (False, True, 1):
                self.both(lambda m: m.Traceback(frames).format(limit, first))
        self.assertIn('    """The Python API against', "\n".join(
            allocsnap.Traceback(frames).format()))

    def test_sequence_of_frames(self):
        frames = (("a", 1), ("b", 2), ("a", 1))

        def facts(module):
            traceback = module.Traceback(frames, 7)
            return ([list(map(frame_facts, traceback[piece]))
                     for piece in (slice(None), slice(1, 2), slice(None, None, -1))],
                    [frame_facts(traceback[index]) for index in range(-3, 3)],
                    module.Frame(("b", 2)) in traceback, module.Frame(("c", 2)) in traceback,
                    traceback.count(module.Frame(("a", 1))),
                    traceback.index(module.Frame(("b", 2))), list(map(str, reversed(traceback))))

        self.both(facts)
        self.both(lambda module: module.Traceback(frames)[3])

    def test_filters(self):
        for generator in self.cases(9, 3 * COUNT):
            make = random_filter(generator)
            trace = (generator.choice([0, 1, 7]), 8,
                     tuple((generator.choice(FILENAMES), generator.choice([0, 1, 2]))
                           for _ in range(generator.randint(1, 4))), 9)

            def facts(module):
                one = make(module)
                found = [outcome(one._match, trace), vars(one)]
                if isinstance(one, module.Filter):
                    found += [one._match_traceback(trace[2]), one._match_frame(*trace[2][0]),
                              one._match_frame_impl(*trace[2][0]), one.filename_pattern]
                return found

            self.both(facts)

    def test_arguments_by_name(self):
        self.both(lambda m: vars(m.Filter(inclusive=True, filename_pattern="a.pyc", lineno=1,
                                          all_frames=True, domain=2)))
        self.both(lambda m: vars(m.DomainFilter(inclusive=True, domain=2)))
        self.both(lambda m: repr(m.Frame(frame=("a", 1))))
        self.both(lambda m: repr(m.Traceback(frames=(("a", 1),), total_nframe=2)))
        self.both(lambda m: repr(m.Trace(trace=(0, 1, (("a", 1),), 2))))
        self.both(lambda m: repr(m.Statistic(traceback=1, size=2, count=3)))
        self.both(lambda m: repr(m.StatisticDiff(traceback=1, size=2, size_diff=3, count=4,
                                                 count_diff=5)))
        self.both(lambda m: m.Snapshot(traces=[], traceback_limit=2).traceback_limit)

    def test_changed_statistics(self):
        def facts(module):
            row = module.Snapshot([(0, 5, (("a", 1),), 1)], 1).statistics("lineno")[0]
            row.size, row.count, row.traceback = 2.5, 0, "x"
            return str(row), repr(row), row.traceback

        self.both(facts)

    def test_every_name_is_there(self):
        modules = type(sys)
        names = [name for name in dir(tracemalloc) if not name.startswith("__")
                 and not isinstance(getattr(tracemalloc, name), modules)]
        self.assertIn("take_snapshot", names)
        self.assertEqual([name for name in names if not hasattr(allocsnap, name)], [])
        for kind in ("Snapshot", "Filter", "DomainFilter", "BaseFilter", "Trace", "Traceback",
                     "Frame", "Statistic", "StatisticDiff", "_Traces"):
            theirs = [name for name in dir(getattr(tracemalloc, kind)) if name[:2] != "__"]
            ours = dir(getattr(allocsnap, kind))
            self.assertEqual([name for name in theirs if name not in ours
                              and name not in ("_filter_trace", "_abc_impl")], [], kind)


class NotTracing(Differential):
    def test_functions(self):
        self.assertFalse(tracemalloc.is_tracing())
        for name in ("is_tracing", "stop", "clear_traces", "reset_peak", "get_traced_memory",
                     "_get_traces", "take_snapshot"):
            self.both(lambda m, name=name: getattr(m, name)())
        self.both(lambda m: m.get_object_traceback(id(m)))
        self.both(lambda m: m._get_object_traceback(id(m)))

    def test_start_refuses(self):
        for arguments in ((0,), (-1,), (65536,), (2**31,), ("x",), (1.5,), (None,), (1, 2)):
            with self.subTest(arguments=arguments):
                self.both(lambda m: m.start(*arguments))


if __name__ == "__main__":
    unittest.main()
