"""Runs real programs under load with the hooks in them, for minutes: `make soak`.

Each has its own checks of what it does, and at its end gdb looks at what it holds, which
must add up. Prints a line for each; status 0 only where all is right.
"""

import os
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from soak import batch_programs, databases, editors, languages, servers  # noqa: E402

PROGRAMS = (
    batch_programs.sqlite3,
    batch_programs.python3,
    batch_programs.gxx,
    batch_programs.git,
    editors.emacs,
    editors.vim,
    editors.tmux,
    languages.r,
    languages.ghc,
    languages.ocaml,
    languages.node,
    languages.java,
    languages.ruby,
    languages.guile,
    servers.redis,
    servers.memcached,
    servers.nginx,
    servers.php_fpm,
    databases.mariadb,
    databases.postgresql,
)


def main(names):
    scale = int(os.environ.get("ALLOCSNAP_SOAK", "10"))
    failed = 0
    for program in PROGRAMS:
        if names and program.__name__ not in names:
            continue
        directory = tempfile.mkdtemp(prefix="allocsnap-soak-")
        start = time.monotonic()
        try:
            shown = program(directory, scale)
            text = "{}: {:.0f} s, {:,} blocks, {:,} bytes at its end; {}".format(
                shown.command, time.monotonic() - start, shown.blocks, shown.size, shown.checks
            )
        except AssertionError as failure:
            text = "{}: FAILED after {:.0f} s: {}".format(
                program.__name__, time.monotonic() - start, failure
            )
            failed += 1
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        print(text, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
