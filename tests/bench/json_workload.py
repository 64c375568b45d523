"""Builds, dumps and loads JSON: `json_workload.py ROUNDS [WIDTH]`, some 45,000 allocations each
with PYTHONMALLOC=malloc, from stacks of about 20 frames; more as WIDTH is larger, and so many live
blocks: of 35 some 800,000."""

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


def main(rounds, width):
    for number in range(rounds):
        tree = build(3, width, number)
        if json.loads(json.dumps(tree, indent=1)) != tree:
            sys.exit("what was loaded is not what was dumped")


main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 8)
