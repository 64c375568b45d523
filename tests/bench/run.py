"""Runs the benches and prints what they measure.

    run.py BUILD [NAME...]

A bench is tests/bench/bench_NAME.py, run with BUILD as its argument, or
tests/bench/bench_NAME.c, built to BUILD/tests/bench/bench_NAME and run without one. It
prints lines `WHAT<TAB>VALUE<TAB>GOAL`: VALUE is what was measured, best as a ratio with its
unit ("2.1 times the plain read"), GOAL what is wanted of it ("at most 5 times") or empty. A
bench never fails because it was slow: it ends with another status than 0 where it could not
measure.
"""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 900


def commands(build):
    """{bench name: its command}, in order of names."""
    found = {}
    for file in sorted(os.listdir(HERE)):
        name, ending = os.path.splitext(file)
        if not name.startswith("bench_"):
            continue
        if ending == ".py":
            found[name[len("bench_") :]] = [sys.executable, os.path.join(HERE, file), build]
        elif ending == ".c":
            found[name[len("bench_") :]] = [os.path.join(build, "tests", "bench", name)]
    return found


def run(name, command):
    """Runs one bench and prints its lines; whether it could measure."""
    print(name, flush=True)
    try:
        output = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            timeout=SECONDS,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        print("  could not measure: %s" % error, flush=True)
        return False
    for line in output.splitlines():
        what, value, goal = (line.split("\t") + ["", ""])[:3]
        print("  %-44s %-28s %s" % (what, value, goal and "(wanted: %s)" % goal), flush=True)
    return bool(output)


def main(arguments):
    build, wanted = os.path.abspath(arguments[0]), arguments[1:]
    benches = commands(build)
    unknown = [name for name in wanted if name not in benches]
    if unknown:
        print("no bench named %s; there are: %s" % (unknown[0], ", ".join(benches)))
        return 2
    results = [run(name, benches[name]) for name in wanted or benches]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
