"""Programs without symbols: their functions are told by where they begin."""

import os
import re
import subprocess

import expectations

from .harness import Case, program

HOLDS = expectations.source("holds.c")
MARKS = [mark for mark in expectations.named(HOLDS).values() if mark.count]
FUNCTIONS = ("hold_large", "hold_small", "hold_deep", "hold_nothing")


def address(path, function):
    """The link-time address of a function, by nm."""
    text = subprocess.check_output(["nm", path], encoding="utf-8")
    return int(re.search(r"^([0-9a-f]+) \w {}$".format(function), text, re.M).group(1), 16)


class Stripped(Case):
    """A core of a program whose symbols and debug information come later."""

    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.directory, "holds")
        self.debug = os.path.join(self.directory, "holds.debug")
        subprocess.run(["objcopy", "--only-keep-debug", program("holds"), self.debug], check=True)
        subprocess.run(["objcopy", "--strip-all", program("holds"), self.path], check=True)
        notes = subprocess.check_output(["readelf", "-n", self.path], encoding="utf-8")
        self.build_id = re.search("Build ID: ([0-9a-f]+)", notes).group(1)
        self.core = self.kernel_core(self.path, "abort")
        #: What each function is called.
        self.names = {
            name: "holds+{:#x}".format(address(program("holds"), name)) for name in FUNCTIONS
        }

    def shown(self, *commands):
        return self.batch(list(commands), self.path, self.core)

    def install(self):
        """Puts the debug file where debuggers look for it; returns the directory."""
        directory = os.path.join(self.directory, "debug")
        place = os.path.join(directory, ".build-id", self.build_id[:2])
        os.makedirs(place)
        os.rename(self.debug, os.path.join(place, self.build_id[2:] + ".debug"))
        return directory

    def test_each_function_is_a_row(self):
        command = "snapshot stats --no-skip --json"
        answer = self.shown(command).json(command)
        frames = [row["traceback"][0] for row in answer["statistics"]]
        self.assertEqual(
            {(frame["function"], row["size"], row["count"])
             for frame, row in zip(frames, answer["statistics"])},
            {(self.names["hold_large"], 9096, 2), (self.names["hold_small"], 1000, 10),
             (self.names["hold_deep"], 32, 1), (self.names["hold_nothing"], 0, 1)})
        for frame in frames:
            self.assertEqual(
                (frame["filename"], frame["lineno"], frame["named_by"], frame["module"],
                 frame["build_id"]),
                (self.path, 0, "none", self.path, self.build_id))

    def test_offsets_are_those_that_addr2line_takes(self):
        command = "snapshot traces --json"
        traces = self.shown(command).json(command)["traces"]
        found = {}
        for trace in traces:
            offset = trace["traceback"][0]["offset"]
            text = subprocess.check_output(
                ["addr2line", "-e", program("holds"), hex(offset)], encoding="utf-8")
            line = int(re.search(r":(\d+)", text).group(1))
            found[line] = found.get(line, 0) + trace["size"]
        self.assertEqual(found, {mark.line: mark.size for mark in MARKS})

    def test_text_has_the_start_and_the_call(self):
        commands = ["snapshot stats --no-skip", "snapshot stats traceback -n 1", "snapshot stats function"]
        shown = self.shown(*commands)
        large = re.escape(self.names["hold_large"])
        self.assertRegex(shown[commands[0]], r"#1: {}:0: size=9096 B, .*, in {}\n".format(
            re.escape(self.path), large))
        found = re.search(r"    at {}:0 in {} \(at (0x[0-9a-f]+)\)\n".format(
            re.escape(self.path), large), shown[commands[1]])
        start = int(self.names["hold_large"].partition("+")[2], 16)
        self.assertLess(start, int(found.group(1), 16))
        self.assertRegex(shown[commands[2]], r"#1: {}: size=9096 B, .*, in {}\n".format(
            large, re.escape(self.path)))

    def test_skip_rules_match_such_names(self):
        main = "holds+{:#x}".format(address(program("holds"), "main"))
        command = "snapshot stats --json --skip {} --skip {}".format(
            self.names["hold_large"], self.names["hold_small"])
        [first] = self.shown(command).json(command)["statistics"][:1]
        self.assertEqual((first["traceback"][0]["function"], first["size"], first["count"]),
                         (main, 10096, 12))

    def test_a_debug_file_that_comes_later(self):
        dump = os.path.join(self.directory, "file.dump")
        before = self.shown("snapshot take a", "snapshot dump a " + dump)
        self.assertIn("10128 B in 14 blocks", before["snapshot take a"])
        commands = ["set debug-file-directory " + self.install(), "snapshot load {} b".format(dump),
                    "snapshot stats b --json", "snapshot symbolize b", "snapshot stats b --json "]
        shown = self.batch(commands)
        bare, named = shown.json(commands[2]), shown.json(commands[4])
        self.assertEqual({row["traceback"][0]["lineno"] for row in bare["statistics"]}, {0})
        self.assertEqual(
            {(row["traceback"][0]["lineno"], row["size"]) for row in named["statistics"]},
            {(mark.line, mark.size) for mark in MARKS})
        self.assertEqual([row["traceback"][0]["offset"] > 0 for row in named["statistics"]],
                         [True] * len(MARKS))

    def test_a_file_that_comes_later(self):
        """Without the file, the program headers in the core tell where in it calls are."""
        moved = self.path + ".moved"
        os.rename(self.path, moved)
        commands = ["snapshot take a", "snapshot traces a --json", "snapshot symbolize a " + moved,
                    "snapshot traces a --json "]
        shown = self.batch(commands, "-c", self.core)
        before, after = (
            {trace["address"]: trace["traceback"][0] for trace in shown.json(command)["traces"]}
            for command in (commands[1], commands[3]))
        for address_of_block, frame in before.items():
            self.assertEqual(frame["function"], "holds+{:#x}".format(frame["offset"]))
            self.assertEqual(after[address_of_block]["offset"], frame["offset"])
        self.assertEqual({frame["function"] for frame in after.values()}, set(self.names.values()))

    def test_in_python(self):
        script = (
            "python import allocsnap as t; f = t.take_snapshot().statistics('traceback')[0].traceback[-1];"
            " print(f.filename, f.lineno, f.function, f.named_by, f.module, f.build_id, f.offset)")
        words = self.shown(script)[script].split()
        self.assertEqual(words[:3], [self.path, "0", self.names["hold_large"]])
        self.assertEqual(words[3:6], ["none", self.path, self.build_id])
        self.assertGreater(int(words[6]), address(program("holds"), "hold_large"))


class Git(Case):
    """A large program of Debian's, which is stripped."""

    def setUp(self):
        super().setUp()
        for command in (["init", "-q", "."], ["commit", "-q", "--allow-empty", "-m", "one"]):
            subprocess.run(
                ["git", "-c", "user.name=a", "-c", "user.email=a@example"] + command,
                cwd=self.directory, check=True, env=dict(os.environ, HOME=self.home))
        text = subprocess.run(["readelf", "--debug-dump=frames", "/usr/bin/git"], check=True,
                              capture_output=True, encoding="utf-8").stdout
        self.starts = {int(number, 16) for number in re.findall(r"FDE cie=\w+ pc=(\w+)\.\.", text)}

    def test_its_functions_are_told_apart(self):
        commands = ["snapshot start", "catch syscall exit_group", "run",
                    "snapshot stats --no-skip --json", "snapshot traces -n 50 --json"]
        shown = self.batch(commands, "--args", "/usr/bin/git", "-C", self.directory, "--no-pager", "log")
        rows = [row["traceback"][0] for row in shown.json(commands[3])["statistics"]]
        names = [frame["function"] for frame in rows if frame["module"] == "/usr/bin/git"]
        self.assertGreater(len(names), 1)
        self.assertEqual(len(names), len(set(names)))
        frames = [frame for trace in shown.json(commands[4])["traces"]
                  for frame in trace["traceback"] if frame["module"] == "/usr/bin/git"]
        self.assertGreater(len({frame["function"] for frame in frames}), 10)
        for frame in frames:
            module, _, start = frame["function"].partition("+")
            self.assertEqual(module, "git")
            self.assertIn(int(start, 16), self.starts)
            self.assertLess(int(start, 16), frame["offset"])
