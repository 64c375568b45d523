/* Names: from program counters to frames. */
#ifndef ALLOCSNAP_NAMES_H
#define ALLOCSNAP_NAMES_H

#include "allocsnap_inferior.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where the name of a frame is from. */
enum asnap_named_by {
    ASNAP_NAMED_UNTOLD,   /* not said: a snapshot's frames never have it */
    ASNAP_NAMED_NONE,     /* nothing: there is no line, and the function is "MODULE+0xOFFSET" of its
                             start, or NULL where its offset is not known either */
    ASNAP_NAMED_ADDRESS,  /* not looked for yet: the function is the return address */
    ASNAP_NAMED_SYMBOL,   /* a symbol table: there is no line */
    ASNAP_NAMED_DEBUGGER, /* the debugger */
    ASNAP_NAMED_LINE,     /* a line table */
    ASNAP_NAMED_INLINE,   /* a place where the function was inlined */
    ASNAP_NAMED_KINDS,
};

/* The word for it, as in JSON: "line table"; NULL for UNTOLD. */
ASNAP_API const char *asnap_named_by_text(enum asnap_named_by named_by);

/* One source location of a stack. */
struct asnap_frame {
    const char *filename; /* full path; the module's path or "<unknown>" where lineno is 0 */
    const char *function; /* NULL where unknown */
    uint32_t lineno;      /* from 1; 0 where there is no line information */
    bool inlined;         /* the function was inlined into the next older frame */
    uint8_t named_by;     /* asnap_named_by; a builder finds it out where it is UNTOLD */
};

/* Where code lies, whatever its name is. */
struct asnap_place {
    const char *module;   /* the path of the program or library; NULL: not known */
    const char *build_id; /* of it, in hexadecimal; "" where not known */
    uint64_t offset; /* of the call, or within it: a link-time address of the module, as addr2line
                        and gdb's `info symbol` take it; 0: not known */
};

/* Turns program counters into frames, and remembers what it has found. */
struct asnap_symbolizer;

/* `debug_directories` lists where separate debug files are, colon-separated, as
 * gdb's debug-file-directory; NULL means "/usr/lib/debug". */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_symbolizer_create(const char *debug_directories, struct asnap_symbolizer **symbolizer);

/* Tells which files are mapped where; replaces what was told before and keeps
 * what was learnt about files that are unchanged on disk. Copies the regions;
 * `memory` (for the vDSO, which is in no file, and for the build IDs, by which a
 * file that was replaced is known) is only used during the call and may be NULL. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_symbolizer_set_regions(struct asnap_symbolizer *symbolizer, const struct asnap_memory *memory,
                             const struct asnap_region *regions, size_t region_count);

/* Tells which files the debugger has read, to be used in place of a mapped file that
 * is missing or another build, and of a debug file that is not found: the one that has the
 * build ID in memory. Replaces what was told before. Copies the paths. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_symbolizer_set_files(struct asnap_symbolizer *symbolizer, const char *const *paths,
                           size_t count);

/* As asnap_symbolizer_set_files, of files of which some are known to be those that a program has
 * mapped which sees others at its paths (in a container): by `mapped[i]`, in which case `paths[i]`
 * is opened in place of that path; else NULL. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_symbolizer_set_seen_files(struct asnap_symbolizer *symbolizer, const char *const *mapped,
                                const char *const *paths, size_t count);

/* How the library asks the debugger for what it cannot name itself to the line: the frames of
 * `pc`, an address within a call, innermost first. `frames` has room for
 * ASNAP_DEBUGGER_FRAMES_MAX; *count is 0 before, and stays so where nothing is known. Strings
 * must live until the next call. `build_id` is that of the file in memory, in hexadecimal, ""
 * where it has none: symbols of another build are no answer. Returns ASNAP_READ_OK, or
 * ASNAP_READ_INTERRUPTED to give up. */
#define ASNAP_DEBUGGER_FRAMES_MAX 64
struct asnap_debugger {
    int (*name)(void *context, uint64_t pc, const char *build_id, struct asnap_frame *frames,
                size_t *count);
    void *context;
};

/* Has addresses named by the debugger too, from here on; it must live as long, or until it is
 * replaced. NULL: no debugger. */
ASNAP_API void asnap_symbolizer_set_debugger(struct asnap_symbolizer *symbolizer,
                                             const struct asnap_debugger *debugger);

/* Whether debug information is read by a process that is forked for it, so that a file that
 * libdwarf does not survive costs its own names and nothing else. To begin with it is read in
 * this process. */
ASNAP_API void asnap_symbolizer_read_apart(struct asnap_symbolizer *symbolizer, bool apart);

ASNAP_API void asnap_symbolizer_destroy(struct asnap_symbolizer *symbolizer);

/* A variable of a program or library. */
struct asnap_variable {
    const char *name;   /* made readable; NULL: no symbol is there */
    uint64_t offset;    /* of the place in it */
    const char *source; /* the last part of the path of its source, where it is static and the
                           symbol table tells it (STT_FILE); NULL: not known */
};

/* Names the variable at a place in the file that begins at `file` in memory: `offset` bytes behind
 * that, or, of thread-local ones, behind the start of its PT_TLS segment. It is looked for in the
 * symbol tables of the file, or of its debug file. The strings live as long as the symbolizer.
 * Fails with NO_MEMORY only. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_symbolizer_variable(struct asnap_symbolizer *symbolizer, uint64_t file, uint64_t offset,
                          bool is_thread_local, struct asnap_variable *variable);

/* The frames that one program counter stands for, innermost (inlined) first.
 * At least one; owned by the symbolizer. */
struct asnap_named_pc {
    const struct asnap_frame *frames;
    size_t frame_count;
    const char *allocates; /* the type of the objects in the block that the call returns, where the
                              debug information tells it; NULL: it does not */
};

/* Names `count` return addresses, in any order. names[i] belongs to
 * return_addresses[i]; frames and strings live until the symbolizer is destroyed.
 * An address that no file explains gets one frame ("<unknown>", line 0). Fails
 * with NO_MEMORY or INTERRUPTED only; a bad file costs its own names. `progress`
 * may be NULL. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_symbolizer_name(struct asnap_symbolizer *symbolizer, const uint64_t *return_addresses,
                      size_t count, const struct asnap_progress *progress,
                      struct asnap_named_pc *names);

/* What the symbol tables of the mapped files say of addresses: for whoever has no debugger to ask.
 * `symbolizer` must outlive it, and its regions and files not be set meanwhile. Fails with
 * NO_MEMORY only. */
struct asnap_mapped_symbols;
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_mapped_symbols_create(struct asnap_symbolizer *symbolizer,
                            struct asnap_mapped_symbols **symbols);
ASNAP_API void asnap_mapped_symbols_destroy(struct asnap_mapped_symbols *symbols);

/* Where in a file an address is. Strings live as long as the asnap_mapped_symbols. */
struct asnap_symbol_place {
    const char *path;    /* of the program or library that is mapped */
    const char *section; /* ".data"; "" where none is there */
    const char *symbol;  /* the name, made readable; NULL: no symbol is there */
    uint64_t address;    /* where the symbol begins in memory */
    uint64_t size;       /* of the symbol; 0: not said */
    bool is_function;
    bool is_local; /* several files may have a symbol of this name */
};

/* The place of an address; *is_found becomes whether it is in a file that can be read. Fails with
 * NO_MEMORY only. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_mapped_symbols_at(struct asnap_mapped_symbols *symbols, uint64_t address,
                        struct asnap_symbol_place *place, bool *is_found);

/* Up to `limit` of the symbols of this name, as it is in the symbol table or made readable, in the
 * order of the mapped files; each address once. Sets *count to those written. Fails with NO_MEMORY
 * only. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_mapped_symbols_named(struct asnap_mapped_symbols *symbols, const char *name,
                           struct asnap_symbol_place *places, size_t limit, size_t *count);

#ifdef __cplusplus
}
#endif

#endif
