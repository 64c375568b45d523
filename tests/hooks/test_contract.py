"""The promises of the allocation functions, and programs of other users."""

import os
import shutil
import subprocess

from e2e.harness import DEADLINE, HOOKS, environment, program

from .hooked import Case

NOBODY = "65534"


class Contract(Case):
    def test_results_and_errno_at_the_edges(self):
        status, plain = self.finish("contract", traced=False)
        self.assertEqual(status, 0)
        # As the manual has it, whatever the allocator says.
        self.assertIn("malloc(100): done, errno kept\n", plain)
        self.assertIn("malloc(huge): failed, errno Cannot allocate memory\n", plain)
        for nframe in (0, 1, 16, 1000):
            with self.subTest(nframe=nframe):
                self.assertEqual(self.finish("contract", nframe=nframe), (0, plain))


class OtherUsers(Case):
    def run_as_nobody(self, path, preload):
        env = environment(self.home, ALLOCSNAP="16")
        if preload:
            env["LD_PRELOAD"] = preload
        done = subprocess.run(
            ["setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups", path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            env=env,
            cwd=self.directory,
            timeout=DEADLINE,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def installed(self, name, mode):
        """A copy of a program, and one of the hooks, where any user can run them."""
        if os.geteuid() != 0:
            self.skipTest("only root can make a program that runs with another user's rights")
        os.chmod(self.directory, 0o755)
        path = os.path.join(self.directory, name)
        shutil.copyfile(program(name), path)
        os.chmod(path, mode)
        hooks = os.path.join(self.directory, os.path.basename(HOOKS))
        shutil.copyfile(HOOKS, hooks)
        os.chmod(hooks, 0o755)
        return path, hooks

    def test_plain_program_of_another_user(self):
        path, hooks = self.installed("rights", 0o755)
        self.assertEqual(
            self.run_as_nobody(path, hooks), "secure 0, hooks loaded, tracing on\n"
        )

    def test_setuid_program_is_not_given_the_hooks(self):
        path, hooks = self.installed("rights", 0o4755)
        self.assertEqual(
            self.run_as_nobody(path, hooks), "secure 1, hooks absent, tracing off\n"
        )

    def test_setuid_program_that_is_linked_with_the_hooks(self):
        path, _ = self.installed("rights_linked", 0o4755)
        self.assertEqual(self.run_as_nobody(path, None), "secure 1, hooks loaded, tracing off\n")
        os.chmod(path, 0o755)
        self.assertEqual(self.run_as_nobody(path, None), "secure 0, hooks loaded, tracing on\n")
