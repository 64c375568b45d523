"""The structures and functions of the binding, as the compiler lays them out: sizes, offsets,
and what each function takes and returns."""

import ctypes
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "core", "python"))

# pylint: disable=wrong-import-position
from allocsnap import bulk  # noqa: E402
from allocsnap.library import exports, graph_types, heaps, native, structures  # noqa: E402

# {name in the header: structure of the binding}: PathRule is asnap_path_rule.
STRUCTURES = {
    "asnap_" + "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_"): structure
    for module in (structures, graph_types, heaps, exports)
    for name, structure in vars(module).items()
    if isinstance(structure, type) and issubclass(structure, ctypes.Structure)
}

PROGRAM = """
#include <allocsnap.h>
#include <cstddef>
#include <cstdio>
#include <type_traits>

template <class T> static void kind()
{
    using V = std::conditional_t<std::is_enum_v<T>, int, T>;
    if constexpr (std::is_void_v<T>)
        std::printf(" void");
    else if constexpr (std::is_pointer_v<T>)
        std::printf(" pointer");
    else if constexpr (std::is_class_v<T>)
        std::printf(" struct%%zu", sizeof(T));
    else if constexpr (std::is_same_v<T, bool>)
        std::printf(" bool");
    else
        std::printf(" %%s%%zu", std::is_signed_v<V> ? "int" : "uint", sizeof(T));
}

template <class R, class... A> static void show(const char *name, R (*)(A...))
{
    std::printf("%%s", name);
    kind<R>();
    (kind<A>(), ...);
    std::printf("\\n");
}

int main()
{
%s
}
"""


def compiled(statements):
    """What a program of these statements prints, a line each."""
    with tempfile.TemporaryDirectory() as directory:
        source = os.path.join(directory, "layout.cc")
        program = os.path.join(directory, "layout")
        with open(source, "w", encoding="utf-8") as file:
            file.write(PROGRAM % "\n".join("    " + line for line in statements))
        subprocess.run(
            ["g++", "-std=c++17", "-I" + os.path.join(ROOT, "core", "include"), source, "-o", program]
            + ["-L" + os.path.join(ROOT, "build"), "-lallocsnap"]
            + ["-Wl,-rpath," + os.path.join(ROOT, "build")],
            check=True,
        )
        return subprocess.check_output([program], encoding="utf-8").splitlines()


def kind(ctype):
    """A type of ctypes in the words of PROGRAM."""
    if ctype is None:
        return "void"
    if issubclass(ctype, ctypes.Structure):
        return "struct%d" % ctypes.sizeof(ctype)
    if ctype is ctypes.c_bool:
        return "bool"
    if issubclass(ctype, (ctypes._Pointer, ctypes.c_void_p, ctypes.c_char_p, ctypes._CFuncPtr)):
        return "pointer"
    if issubclass(ctype, ctypes.Array):
        return "pointer"
    sign = "int" if ctype(-1).value == -1 else "uint"
    return "%s%d" % (sign, ctypes.sizeof(ctype))


class Layout(unittest.TestCase):
    def test_structures(self):
        self.assertGreater(len(STRUCTURES), 12)
        statements, expected = [], []
        for name, structure in sorted(STRUCTURES.items()):
            statements.append('std::printf("%s %%zu\\n", sizeof(struct %s));' % (name, name))
            expected.append("%s %d" % (name, ctypes.sizeof(structure)))
            for field in (field[0] for field in structure._fields_):
                member = field.rstrip("_")  # from_: a word of Python
                statements.append(
                    'std::printf("%s.%s %%zu %%zu\\n", offsetof(struct %s, %s), sizeof(%s::%s));'
                    % (name, field, name, member, name, member)
                )
                place = getattr(structure, field)
                expected.append("%s.%s %d %d" % (name, field, place.offset, place.size))
        self.assertEqual(compiled(statements), expected)

    def test_columns(self):
        """What is read of many structures at once lies where the structures say."""
        for structure in (native.Trace, native.Traceback, native.Statistic, native.StatisticDiff):
            names = [field[0] for field in structure._fields_]
            pieces = [structure(*range(10 * i, 10 * i + len(names))) for i in range(3)]
            view = memoryview(b"".join(bytes(piece) for piece in pieces))
            columns = native.columns(view, structure)
            for place, name in enumerate(names):
                self.assertEqual(columns[name].tolist(), [10 * i + place for i in range(3)], name)
        names = [field[0] for field in native.Frame._fields_]
        frame = native.Frame(b"a", b"b", 3, True, 5)
        fields = bulk.FRAME.unpack(bytes(frame))
        self.assertEqual(list(fields[2:]), [getattr(frame, name) for name in names[2:]])
        self.assertEqual([ctypes.string_at(fields[i]) for i in range(2)], [b"a", b"b"])
        self.assertEqual(bulk.FRAME.size, ctypes.sizeof(native.Frame))
        self.assertEqual(bulk.PLACE.size, ctypes.sizeof(native.Place))

    def test_functions(self):
        names = sorted(native.FUNCTIONS)
        shown = compiled(['show("%s", %s);' % (name, name) for name in names])
        expected = []
        for name in names:
            result, arguments = native.FUNCTIONS[name]
            expected.append(" ".join([name, kind(result)] + [kind(argument) for argument in arguments]))
        self.assertEqual(shown, expected)


if __name__ == "__main__":
    unittest.main()
