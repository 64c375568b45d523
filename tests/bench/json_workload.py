"""Builds, dumps and loads JSON: `json_workload.py ROUNDS`, some 45,000 allocations each
with PYTHONMALLOC=malloc, from stacks of about 20 frames."""

import json
import sys


def build(levels, width, number):
    if levels > 0:
        return {
            "part %d" % i: build(levels - 1, width, number * width + i) for i in range(width)
        }
    return {
        "name": "entry %d" % number,
        "value": number * 0.5,
        "tags": [str(number + i) for i in range(4)],
    }


def main(rounds):
    for number in range(rounds):
        tree = build(3, 8, number)
        if json.loads(json.dumps(tree, indent=1)) != tree:
            sys.exit("what was loaded is not what was dumped")


main(int(sys.argv[1]))
