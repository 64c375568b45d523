"""Building the page: what is said without npm, and what is in the page."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from .browser import BUILD, ROOT

SCRIPT = os.path.join(ROOT, "core", "report", "build.sh")
SAID = (
    "report: report.html is not built, as npm is not installed; snapshots cannot be exported as a page then\n"
)


class WithoutNpm(unittest.TestCase):
    def build(self, *mode):
        """(status, standard error) of the script where there is no npm."""
        with tempfile.TemporaryDirectory() as directory:
            tools = os.path.join(directory, "bin")
            os.mkdir(tools)
            for name in ("sh", "dirname", "cmp", "cp", "mkdir", "mv", "tail"):
                os.symlink(shutil.which(name), os.path.join(tools, name))
            done = subprocess.run(
                [os.path.join(tools, "sh"), SCRIPT, os.path.join(directory, "build"), *mode],
                env={"PATH": tools},
                stderr=subprocess.PIPE,
                encoding="utf-8",
                check=False,
            )
            self.assertFalse(os.path.exists(os.path.join(directory, "build", "report.html")))
            return done.returncode, done.stderr

    def test_all_else_builds(self):
        self.assertEqual(self.build("--if-possible"), (0, SAID))

    def test_the_page_alone_does_not(self):
        self.assertEqual(self.build(), (1, SAID))


class Built(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(BUILD, "report.html"), encoding="utf-8") as file:
            cls.page = file.read()

    def test_licences(self):
        """Of each package that is in the page, with its version."""
        with open(os.path.join(ROOT, "core", "report", "package-lock.json"), encoding="utf-8") as file:
            packages = json.load(file)["packages"]
        licences = self.page.partition('<details class="licences">')[2].partition("</details>")[0]
        named = re.findall(r"^(?:<pre>)?([a-z0-9-]+) (\d+\.\d+\.\d+)$", licences, re.M)
        self.assertGreaterEqual({name for name, _ in named}, {"d3-hierarchy", "d3-scale", "d3-shape"})
        for name, version in named:
            self.assertEqual(packages["node_modules/" + name]["version"], version)
        self.assertEqual(licences.count("Permission to use, copy, modify"), len(named))

    def test_nothing_is_loaded(self):
        """There is no address in it but in licences and of namespaces, and its policy forbids all."""
        policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', self.page).group(1)
        self.assertIn("default-src 'none'", policy)
        body = re.sub(r'<details class="licences">.*?</details>', "", self.page, flags=re.S)
        self.assertEqual(set(re.findall(r"https?://[^\"'`\s]*", body)) - {"http://www.w3.org/2000/svg"}, set())
        self.assertNotRegex(body, r"<(link|img|iframe|script) [^>]*(src|href)=")


if __name__ == "__main__":
    unittest.main()
