"""How the symbolizer's answers relate to those of three other tools: each difference has a rule
that explains it and is counted, or it is wrong."""

import collections
import re

from . import oracles
from .test_symbols_accuracy import plain, same, sample

TOOLS = ("llvm-symbolizer", "eu-addr2line", "addr2line")
LEAST = 0.999

# By which tools say the same: why the others say something else.
RULES = {
    TOOLS: "all agree",
    ("llvm-symbolizer", "eu-addr2line"): "addr2line 2.40 takes file 1 of DWARF 5 for file 0, names "
    "the innermost inlined function by its plain name, or misses an inlined call",
    ("llvm-symbolizer", "addr2line"): "eu-addr2line 0.188 takes the last of two entries for an "
    "address, misses callers in clang's units of many sections, or has lines of a neighbour",
    ("eu-addr2line", "addr2line"): "llvm-symbolizer 14 names the part of a function that is seldom "
    "run, or code without lines, otherwise, or knows no file that debug files share",
    ("llvm-symbolizer",): "both faults of eu-addr2line and of addr2line",
    ("eu-addr2line",): "both faults of llvm-symbolizer and of addr2line",
    ("addr2line",): "both faults of llvm-symbolizer and of eu-addr2line",
}
CLONES = "the tools name a copy or part of a function by its symbol, with what gcc adds to it"
BY_GDB = (
    "llvm-symbolizer has the files and lines, and no name (of a file that debug files share) or "
    "that of a symbol beside it: the names are those of gdb"
)

# What gcc adds to the symbols of copies and parts of functions.
ADDED = re.compile(r"(\.(lto_priv|part|constprop|isra|cold|localalias)(\.\d+)?| \[clone [^]]*\])+$")


def _without_added(stack):
    return [(function and ADDED.sub("", function), file, line) for function, file, line in stack]


def _same_places(ours, theirs):
    return [frame[1:] for frame in ours] == [frame[1:] for frame in theirs]


def explain(ours, answers, symbols):
    """The rule for an address that does not need gdb; `answers` are those of TOOLS."""
    tools = tuple(tool for tool, stack in zip(TOOLS, answers) if same(ours, stack, symbols))
    if tools:
        return RULES[tools]
    if any(same(ours, _without_added(stack), symbols) for stack in answers):
        return CLONES
    return None


class Comparison:
    """Of a sample of a file's addresses. `symbols_of`: the file with symbols and debug
    information, where it is another one."""

    def __init__(self, path, count, named, symbols_of=None):
        source = symbols_of or path
        functions = oracles.functions(source)
        addresses = sample(functions, count)
        answers = list(zip(*oracles.ask_all(TOOLS, source, addresses)))
        self.total = len(addresses)
        self.counts = collections.Counter()
        self.agreed = collections.Counter()
        self.wrong = []
        left = []
        for address, stack, said in zip(addresses, named(path, addresses), answers):
            ours = plain(stack)
            symbols = {name for start, size, name in functions if start <= address < start + size}
            for tool, theirs in zip(TOOLS, said):
                self.agreed[tool] += same(ours, theirs, symbols)
            rule = explain(ours, said, symbols)
            if rule is not None:
                self.counts[rule] += 1
            elif _same_places(ours, said[0]):
                left.append((address, ours, said))
            else:
                self.wrong.append((hex(address), ours, said))
        self._ask_gdb(path, left)

    def _ask_gdb(self, path, left):
        names = oracles.gdb_names(path, [address for address, _, _ in left])
        for (address, ours, said), known in zip(left, names):
            if [function for function, _, _ in ours] == known:
                self.counts[BY_GDB] += 1
            else:
                self.wrong.append((hex(address), ours, said, known))
