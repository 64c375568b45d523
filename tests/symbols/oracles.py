"""What other tools say of addresses, and what a file's symbols are."""

import concurrent.futures
import json
import os
import re
import subprocess

DISCRIMINATOR = re.compile(r" \(discriminator \d+\)$")
INLINED_AT = re.compile(r" inlined at .*$")
# Of the symbol of the part of a function that is seldom run.
COLD = re.compile(r"(\.cold| \[clone \.cold\])$")
# Of Rust: a function's hash and a crate's, which tell copies of one name apart, and the type of a
# constant that is a parameter.
RUST_DETAILS = re.compile(
    r"::h[0-9a-f]{16}$|(?<=\w)\[[0-9a-f]{8,16}\]|(?<=[\w']): ([iu](8|16|32|64|128|size)|bool|char)\b"
)
ADDRESS = re.compile(r"^0x[0-9a-f]+$")
# A relative compilation directory, which these tools join with itself where a file lies
# in directory 0 of DWARF 5 (6.2.4); gdb joins it once.
JOINED_TWICE = re.compile(r"^(\./.+?)/\1/")
COMMANDS = {
    "eu-addr2line": ["-a", "-f", "-i", "-e"],
    "addr2line": ["-a", "-f", "-i", "-e"],
    "llvm-symbolizer": ["--output-style=GNU", "--print-address", "--no-demangle", "-e"],
}


def _location(text):
    """(file, line) of FILE:LINE or FILE:LINE:COLUMN; (None, 0) where unknown."""
    text = DISCRIMINATOR.sub("", text)
    found = re.match(r"^(.*?):(\d+|\?)(?::\d+)?$", text)
    if not found or found.group(2) in ("?", "0") or found.group(1) == "??":
        return None, 0
    path = JOINED_TWICE.sub(r"\1/", found.group(1))
    return os.path.normpath(path), int(found.group(2))


def _stacks(output):
    """{address: [(function, file, line), innermost first]}."""
    stacks = {}
    lines = iter(output.splitlines())
    for line in lines:
        if not line:
            continue
        if ADDRESS.match(line):
            stack = stacks.setdefault(int(line, 16), [])
            continue
        function = RUST_DETAILS.sub("", COLD.sub("", INLINED_AT.sub("", line)))
        stack.append((None if function == "??" else function,) + _location(next(lines)))
    return stacks


def ask(tool, path, addresses):
    """What `tool`, one of COMMANDS, says of the addresses of a file. All names are made
    readable by c++filt."""
    answers = subprocess.run(
        [tool] + COMMANDS[tool] + [path],
        input="".join("0x%x\n" % address for address in addresses).encode(),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=300)
    readable = subprocess.run(
        ["c++filt"], input=answers.stdout, stdout=subprocess.PIPE, check=True, timeout=300)
    return _stacks(readable.stdout.decode("utf-8", "surrogateescape"))


def ask_all(tools, path, addresses):
    """For each tool, what it says of each address; nothing where it has ended early."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answers = pool.map(lambda tool: ask(tool, path, addresses), tools)
        return [[stacks.get(address, []) for address in addresses] for stacks in answers]


GDB_NAMES = """
import json
names = []
for address in json.loads({addresses!r}):
    found = []
    block = gdb.block_for_pc(address)
    while block is not None and not (block.is_static or block.is_global):
        if block.function is not None:
            found.append(block.function.print_name)
        block = block.superblock
    names.append(found)
print(json.dumps(names))
"""


def gdb_names(path, addresses):
    """The functions that gdb knows at each address of a file, the innermost first."""
    if not addresses:
        return []
    script = GDB_NAMES.format(addresses=json.dumps(addresses))
    output = subprocess.check_output(
        ["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off", path, "-ex",
         "python " + "exec({!r})".format(script)],
        stderr=subprocess.DEVNULL, encoding="utf-8", timeout=300)
    return json.loads(output.splitlines()[-1])


def functions(path):
    """The (start, size, demangled name) of each sized function symbol, by address."""
    output = subprocess.check_output(["nm", "-S", "-C", "-n", path], encoding="utf-8")
    found = []
    for line in output.splitlines():
        match = re.match(r"^([0-9a-f]{16}) ([0-9a-f]{16}) [tTWi] (.*)$", line)
        if match:
            name = RUST_DETAILS.sub("", match.group(3))
            found.append((int(match.group(1), 16), int(match.group(2), 16), name))
    return found
