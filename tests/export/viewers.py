"""What reads exported files here: programs of npm packages, which `make deps` has put into the build
directory."""

import json
import os
import subprocess

from e2e.harness import BUILD, DEADLINE

HERE = os.path.dirname(os.path.abspath(__file__))
VIEWERS = os.path.join(BUILD, "viewers")


def node(case, script, *arguments):
    """What a script beside this file answers, as JSON in a file that its first argument names."""
    if not os.path.isdir(os.path.join(VIEWERS, "node_modules")):
        case.fail("there are no viewers in {}: `make deps` installs them".format(VIEWERS))
    answer = os.path.join(case.directory, "answer.json")
    done = subprocess.run(
        ["node", "--max-old-space-size=4096", os.path.join(HERE, script), answer, *arguments],
        env=dict(os.environ, VIEWERS=VIEWERS, HOME=case.directory),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=DEADLINE,
        check=False,
    )
    case.assertEqual(done.returncode, 0, done.stdout.decode("utf-8", "replace"))
    with open(answer, encoding="utf-8") as file:
        return json.load(file)


def chromium(case, address):
    """The page that Chromium has of an address, when nothing more happens in it, as HTML."""
    done = subprocess.run(
        [
            "chromium", "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu-sandbox",
            "--allow-file-access-from-files", "--use-gl=angle", "--use-angle=swiftshader",
            "--enable-unsafe-swiftshader", "--user-data-dir=" + os.path.join(case.directory, "chromium"),
            "--virtual-time-budget=60000", "--dump-dom", address,
        ],
        env=dict(os.environ, HOME=case.directory),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=DEADLINE,
        check=False,
    )
    case.assertEqual(done.returncode, 0, done.stderr.decode("utf-8", "replace"))
    return done.stdout.decode("utf-8")
