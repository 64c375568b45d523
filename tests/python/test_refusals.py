"""What the command line says of what the kernel refuses, for each setting of it."""

import os
import sys
import unittest
from unittest import mock

from .installed import ROOT

sys.path.insert(0, os.path.join(ROOT, "core", "python"))

# pylint: disable=wrong-import-position
from allocsnap.command_line import process_files, refusals, run_command  # noqa: E402

PID = 4321
OTHER = {"Tgid": str(PID), "State": "S (sleeping)", "VmSize": "1 kB", "TracerPid": "0"}


class Refusals(unittest.TestCase):
    """As the kernel's files say them, which a test cannot change for the whole machine."""

    def said(self, scope="0", uid=None, euid=1000, effective="0", owner=1000, namespaces=None, question="not_readable"):
        uid = euid if uid is None else uid
        facts = dict(OTHER, Uid="{0} {0} {0} {0}".format(uid))
        states = {PID: facts, "self": {"CapEff": effective}}
        with mock.patch.multiple(
            refusals,
            status=lambda number: states.get(number, {}),
            _scope=lambda: scope,
            _owner=lambda pid: owner,
            _namespace=lambda pid: (namespaces or {}).get(pid, "user:[1]"),
        ), mock.patch.object(os, "getuid", lambda: euid):
            text = getattr(refusals, question)(PID)
        self.assertNotIn("\n", text)
        return text

    def test_ptrace_scope(self):
        for question, verb in (("not_readable", "read"), ("not_stopped", "stopped")):
            self.assertEqual(
                self.said("1", question=question),
                "process 4321 cannot be {}: /proc/sys/kernel/yama/ptrace_scope is 1, which lets only who started"
                " a process do so: `sysctl kernel.yama.ptrace_scope=0`, or run allocsnap as root (capability"
                " CAP_SYS_PTRACE), or start the program with `allocsnap run`".format(verb),
            )
        self.assertIn("ptrace_scope is 2, which lets only root do so: `sysctl", self.said("2"))
        self.assertIn("ptrace_scope is 3, which forbids it to everybody", self.said("3"))
        self.assertIn("ptrace_scope is 3", self.said("3", effective="80000"))

    def test_of_another_user(self):
        self.assertRegex(
            self.said(uid=0), "it is of user root, and you are [^:]+: run allocsnap as that user, or as root"
        )

    def test_with_other_rights(self):
        self.assertIn("(setuid, file capabilities), or has forbidden it (PR_SET_DUMPABLE)", self.said(owner=0))

    def test_in_a_container(self):
        self.assertIn(
            "you are root without the capability CAP_SYS_PTRACE, as in a container: start that with"
            " `--cap-add SYS_PTRACE`",
            self.said(euid=0, owner=0),
        )
        self.assertIn(
            "it is in another user namespace", self.said(effective="80000", namespaces={PID: "user:[2]"})
        )
        self.assertIn("a filter of system calls (seccomp, as containers have)", self.said(effective="80000"))

    def test_programs_that_cannot_be_followed(self):
        for scope, wanted in {
            "3": "ptrace_scope is 3, which forbids it to everybody until the machine starts again$",
            "2": "ptrace_scope is 2, which lets only root do so: `sysctl kernel.yama.ptrace_scope=1`",
            "0": "Operation not permitted \\(a filter of system calls, as containers have: .*--cap-add SYS_PTRACE",
        }.items():
            with self.subTest(scope), mock.patch.object(process_files, "ptrace_scope", lambda scope=scope: scope):
                error = run_command._not_followed(PermissionError(1, os.strerror(1)))
                self.assertRegex(str(error), "^the program cannot be followed by ptrace: .*" + wanted)
                self.assertEqual(error.status, 125)


if __name__ == "__main__":
    unittest.main()
