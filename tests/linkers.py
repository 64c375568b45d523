"""Linkers, and ways of linking that lay out the segments of a file differently.

Linkers like lld do not pad segments to whole pages of the file: a page that two segments share is
mapped twice, and a small file has several mappings with offset 0."""

import concurrent.futures
import hashlib
import os
import shutil
import subprocess
import tempfile

import expectations

_SMALL = ["-ffunction-sections", "-Wl,--gc-sections", "-Wl,--icf=all"]

#: {linker, as compilers name it: [flags]}
WAYS = {
    "bfd": [
        [],
        ["-Wl,-z,separate-code"],
        ["-Wl,-z,noseparate-code"],
        ["-ffunction-sections", "-Wl,--gc-sections"],
        ["-Wl,-z,pack-relative-relocs"],
        ["-Wl,-z,max-page-size=0x200000", "-Wl,-z,noseparate-code"],
        ["-Wl,-Ttext-segment=0x3000000"],
    ],
    "gold": [[], ["-Wl,--rosegment"], _SMALL, ["-Wl,-z,max-page-size=0x200000"]],
    "lld": [
        [],
        ["-Wl,-z,separate-code"],
        ["-Wl,-z,noseparate-code"],
        ["-Wl,-z,separate-loadable-segments"],
        ["-Wl,--no-rosegment"],
        _SMALL,
        ["-Wl,-z,norelro"],
        ["-Wl,-z,max-page-size=0x200000"],
        ["-Wl,--image-base=0x3000000"],
        ["-Wl,--pack-dyn-relocs=relr"],
        ["-Wl,--pack-dyn-relocs=android"],
    ],
    "mold": [
        [],
        ["-Wl,-z,separate-code"],
        ["-Wl,-z,noseparate-code"],
        ["-Wl,-z,separate-loadable-segments"],
        _SMALL,
        ["-Wl,-z,norelro"],
        ["-Wl,-z,max-page-size=0x200000"],
        ["-Wl,--pack-dyn-relocs=relr"],
    ],
}

#: What gives a library an address of its own, as prelinked ones have.
FIXED = ("-Wl,-Ttext-segment=", "-Wl,--image-base=")

#: Relocations in forms that glibc's dynamic linker does not know, or not as lld 14 writes them:
#: such files are named, but not run.
NOT_RUN = ("-Wl,--pack-dyn-relocs=relr", "-Wl,--pack-dyn-relocs=android")

#: Flags for libraries.
LIBRARY = ["-O1", "-fno-optimize-sibling-calls", "-shared", "-fPIC"]

#: Sizes of liblinked.c.
SIZES = {"small": [], "large": ["-DLARGE"]}


def ways(runs=True):
    """[(linker, flags)]; those that run, or all."""
    return [
        (linker, flags)
        for linker, lists in WAYS.items()
        for flags in lists
        if not runs or not set(flags) & set(NOT_RUN)
    ]


def build_all(directory, jobs):
    """Builds files side by side: each job is (name, compiler, source, linker, flags). Returns
    their paths."""

    def build(job):
        name, compiler, source, linker, flags = job
        path = os.path.join(directory, name)
        command = [compiler, "-g", "-w", "-fuse-ld=" + linker, "-o", path]
        subprocess.run(command + [expectations.source(source)] + flags, check=True, cwd=directory)
        return path

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(build, jobs))


def libraries(directory, runs=True):
    """{path: (linker, flags, size)} of liblinked.c in every way and size; no two are one build."""
    jobs = {}
    for number, (linker, flags) in enumerate(ways(runs)):
        for size, size_flags in SIZES.items():
            name = "lib{}-{}-{}.so".format(linker, number, size)
            build_id = "-Wl,--build-id=0x" + hashlib.sha1(name.encode()).hexdigest()
            job = (name, "gcc", "liblinked.c", linker, LIBRARY + flags + size_flags + [build_id])
            jobs[os.path.join(directory, name)] = (linker, flags, size), job
    build_all(directory, [job for _, job in jobs.values()])
    return {path: what for path, (what, _) in jobs.items()}


def is_movable(flags):
    """Whether a file that is linked so has no address of its own."""
    return not any(flag.startswith(FIXED) for flag in flags)


def temporary_directory(case):
    """A directory of a test, or of a class of tests."""
    directory = tempfile.mkdtemp(prefix="allocsnap-")
    clean_up = case.addClassCleanup if isinstance(case, type) else case.addCleanup
    clean_up(shutil.rmtree, directory, ignore_errors=True)
    return directory
