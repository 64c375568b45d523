"""The leak of docs/tutorial.md, found by one command, in Debian 12's jq."""

import os
import shutil
import subprocess
import unittest

from .harness import Case

ORDERS = 2000
LEAKS = "snapshot leaks --json"


class Tutorial(Case):
    def test_the_leak(self):
        """Each second order's number makes an error that nothing points to, which alone leads to its message."""
        jq = shutil.which("jq")
        version = subprocess.run([jq, "--version"], stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout
        if version != "jq-1.6\n":
            self.skipTest("{} has not the leak of 1.6".format(version.strip()))
        with open(os.path.join(self.directory, "orders.json"), "w", encoding="ascii") as file:
            for number in range(1, ORDERS + 1):
                file.write('{{"id":{}}}\n'.format('"order-{}"'.format(number) if number % 2 else number))
        with open(os.path.join(self.directory, "strip.jq"), "w", encoding="ascii") as file:
            file.write('.id |= ltrimstr("order-")')
        begin = ["set inferior-tty /dev/null", "snapshot start 32", "run"]
        line = ["--args", jq, "-c", "-f", "strip.jq", "orders.json"]
        results = self.batch(begin + [LEAKS], *line, stops=True)
        answer = results.json(LEAKS)
        (row,) = answer["statistics"]
        self.assertEqual(answer["notes"], [])
        self.assertEqual((row["count"], row["size"]), (ORDERS // 2, ORDERS // 2 * 24))
        self.assertEqual(row["indirect_count"], ORDERS // 2)


if __name__ == "__main__":
    unittest.main()
