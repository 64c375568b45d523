"""The laws of the house about Python files, of the same form as those of house.py."""

import ast
import configparser

from .house import OPENERS, files, folders, text

OLDEST_PYTHON = (3, 8)

_NEWER_NAMES = {
    "removeprefix", "removesuffix", "bit_count", "pairwise", "batched", "lcm", "nextafter",
    "ulp", "unparse", "randbytes", "is_relative_to", "with_stem", "hardlink_to",
    "to_thread", "StrEnum", "add_note", "sumprod",
}
_NEWER_IMPORTS = {"zoneinfo", "graphlib", "tomllib", "cache"}
_NEWER_BUILTINS = {"aiter", "anext", "ExceptionGroup", "BaseExceptionGroup", "EncodingWarning"}
_GENERIC_SINCE_3_9 = {"list", "dict", "tuple", "set", "frozenset", "type"}


def python_openers(root):
    """Python files open files whose names come from elsewhere in one place, too; those of /proc and temporary
    ones may be opened anywhere."""
    found = []
    for path in files(root, "core/python", *folders(root), endings=(".py",)):
        for node in ast.walk(ast.parse(text(root, path), path)):
            if not isinstance(node, ast.Call) or path in OPENERS:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", None))
            place = node.args[0] if node.args else None
            called = ast.dump(place) if place is not None else ""
            if name in ("open", "fdopen") and "/proc/" not in called:
                found.append("%s:%d calls %s" % (path, node.lineno, name))
    return found


def imports(root, path):
    """Top names of the modules that a Python file imports."""
    found = set()
    for node in ast.walk(ast.parse(text(root, path), path)):
        if isinstance(node, ast.Import):
            found.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module.split(".")[0])
    return found


def debugger_imports(root):
    """Each debugger is imported in its own folder."""
    return [
        "%s imports %s" % (path, name)
        for path in files(root, "core", *folders(root), endings=(".py",))
        for name in folders(root)
        if name in imports(root, path) and not path.startswith(name + "/")
    ]


def python_syntax(root):
    """The shared Python code runs on the oldest Python."""
    found = []
    for path in files(root, "core", *folders(root), endings=(".py",)):
        try:
            ast.parse(text(root, path), path, feature_version=OLDEST_PYTHON)
        except SyntaxError as error:
            found.append("%s: %s" % (path, error.msg))
    return found


def python_library(root):
    """It uses nothing of the standard library that is newer than the oldest Python."""
    return [
        "%s:%d: %s" % (path, node.lineno, found)
        for path in files(root, "core", *folders(root), endings=(".py",))
        for node in ast.walk(ast.parse(text(root, path), path))
        for found in _newer_than_oldest(node)
    ]


def _newer_than_oldest(node):
    """What a node has that Python 3.8 has not (What's New in Python 3.9 and later)."""
    if isinstance(node, ast.Attribute):
        of_functools = getattr(node.value, "id", None) == "functools"
        if node.attr in _NEWER_NAMES or (of_functools and node.attr == "cache"):
            yield node.attr
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
        yield from sorted(names & (_NEWER_NAMES | _NEWER_IMPORTS))
    if isinstance(node, ast.Subscript) and getattr(node.value, "id", None) in _GENERIC_SINCE_3_9:
        yield node.value.id + "[...]"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        if any(isinstance(side, (ast.Dict, ast.DictComp)) for side in (node.left, node.right)):
            yield "a union of dicts"
    if isinstance(node, ast.Call):
        keywords = {keyword.arg for keyword in node.keywords}
        if getattr(node.func, "id", None) == "zip" and "strict" in keywords:
            yield "zip(strict=)"
        if getattr(node.func, "id", None) in _NEWER_BUILTINS:
            yield node.func.id


def typed_modules(root):
    """.mypy.ini asks for annotations in each module that the package's public names are from."""
    package = "core/python/allocsnap/__init__.py"
    nodes = ast.parse(text(root, package), package).body
    public = [
        ast.literal_eval(node.value)
        for node in nodes
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) == "__all__"
    ][0]
    homes = {"allocsnap"}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module is not None:
            if {alias.name for alias in node.names} & set(public):
                homes.add("allocsnap." + node.module)
    asked = configparser.ConfigParser()
    asked.read_string(text(root, ".mypy.ini"))
    typed = {
        name
        for section in asked.sections()
        if section != "mypy" and asked.getboolean(section, "disallow_untyped_defs", fallback=False)
        for name in section[len("mypy-") :].split(",")
    }
    return [".mypy.ini does not disallow_untyped_defs in %s" % name for name in sorted(homes - typed)]


PYTHON_LAWS = (
    python_openers,
    debugger_imports,
    python_syntax,
    python_library,
    typed_modules,
)
