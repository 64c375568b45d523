# Every room of the core, and the rooms whose headers its files may include beside its own.
# The include paths of the build are made from this table; tests/python/test_house.py checks
# each #include and the page docs/architecture.md against it.

MAY_INCLUDE_base := include
MAY_INCLUDE_collect := include table base
MAY_INCLUDE_cpython := include base collect
MAY_INCLUDE_heaps := include base collect
MAY_INCLUDE_model/snapshot := include base
MAY_INCLUDE_graph := include base model/snapshot
MAY_INCLUDE_model/select := include base model/snapshot
MAY_INCLUDE_model/group := include base model/snapshot
MAY_INCLUDE_model/dump := include base model/snapshot
MAY_INCLUDE_symbols/base := include base
MAY_INCLUDE_symbols/demangle := include base
MAY_INCLUDE_symbols/elf := include base symbols/base
MAY_INCLUDE_symbols/dwarf := include base symbols/base symbols/elf symbols/demangle
MAY_INCLUDE_symbols/apart := include base symbols/base symbols/elf symbols/demangle symbols/dwarf
MAY_INCLUDE_symbols/naming := include base collect symbols/base symbols/elf symbols/demangle symbols/dwarf symbols/apart
MAY_INCLUDE_render := include base
MAY_INCLUDE_export := include base

MAY_INCLUDE_hooks/base := table
MAY_INCLUDE_hooks/record := table hooks/base
MAY_INCLUDE_hooks/unwind :=
MAY_INCLUDE_hooks/walk := table hooks/base hooks/record hooks/unwind
MAY_INCLUDE_hooks/entry := include table hooks/base hooks/record hooks/unwind hooks/walk
