#include "skip_sets.h"

#include <stdlib.h>
#include <string.h>

#include "function_name.h"

/* In patterns, * stands for anything; they are for the whole of a text. */
struct set {
    struct asnap_skip_set description;
    const char *const *functions; /* of short names (function_name.h); these end with NULL */
    const char *const *modules;   /* of paths */
    const char *const *files;     /* of paths of sources */
};

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

/* The order is the order of numbers. A number is a bit of a frame's eight. */
static const struct set sets[] = {
    {
        .description =
            {"libc", "the C library and the dynamic loader: strdup, asprintf, getline, fopen ..."},
        .functions = LIST("_start", "__interceptor_strdup", "__interceptor_strndup"),
        .modules =
            LIST("*/libc.so.*", "*/libc-2.*.so", "*/ld-linux*.so.*", "*/ld-2.*.so", "*/ld64.so.*",
                 "*/ld-musl-*.so.*", "*/libc.musl-*.so.*", "*/libpthread.so.*",
                 "*/libpthread-2.*.so", "*/libdl.so.*", "*/libdl-2.*.so", "*/libm.so.*",
                 "*/librt.so.*", "*/librt-2.*.so", "*/libresolv.so.*", "*/libresolv-2.*.so",
                 "*/libanl.so.*", "*/libnss_*.so.*", "*/gconv/*.so"),
        /* Wrappers of _FORTIFY_SOURCE are inlined. */
        .files = LIST("/usr/include/bits/*", "/usr/include/*-linux-*/bits/*"),
    },
    {
        .description = {"c++", "operator new, the standard library and its containers"},
        .functions = LIST("operator new*", "*::operator new*", "std::*", "__gnu_cxx::*",
                          "__gnu_debug::*", "__cxxabiv1::*", "__cxa_*"),
        .modules = LIST("*/libstdc++.so.*", "*/libc++.so.*", "*/libc++abi.so.*", "*/libgcc_s.so.*",
                        "*/libunwind.so.*"),
        /* What gcc inlines everywhere has no qualified name. */
        .files = LIST("*/include/c++/*"),
    },
    {
        .description = {"rust", "Rust's standard library and its collections"},
        .functions = LIST("alloc::*", "std::*", "core::*", "hashbrown::*", "<alloc::*", "<std::*",
                          "<core::*", "<hashbrown::*", "<* as alloc::*", "<T as core::*",
                          "<T as std::*", "<I as core::*", "<&T as core::*", "<&str as core::*",
                          "<str as core::*", "<U as core::*", "<F as core::*", "__rust_*",
                          "__rustc::*", "__rdl_*", "__rg_*", "rust_begin_unwind"),
        /* As rustc's own builds say it, what is installed beside them, and Debian's builds. */
        .files = LIST("/rustc/*", "*/lib/rustlib/src/rust/library/*", "/rust/deps/*",
                      "/usr/src/rustc-*"),
    },
    {
        .description = {"glib", "GLib and GObject: g_malloc, g_strdup, containers, objects ..."},
        .functions = LIST("g_malloc*", "g_realloc*", "g_try_*alloc*", "g_slice_*alloc*",
                          "g_slice_copy", "g_strdup*", "g_strndup", "g_memdup*"),
        .modules = LIST("*/libglib-2.0.so*", "*/libgobject-2.0.so*", "*/libgio-2.0.so*",
                        "*/libgmodule-2.0.so*", "*/libgthread-2.0.so*"),
    },
    {
        .description = {"qt", "Qt's core library and its containers"},
        .functions =
            LIST("QArrayData::*", "QArrayDataOps::*", "QArrayDataPointer::*", "QByteArray::*",
                 "QHash*::*", "QLinkedList*::*", "QList*::*", "QMap*::*", "QMultiHash::*",
                 "QMultiMap::*", "QSet::*", "QSharedPointer::*", "QString::*", "QStringBuilder::*",
                 "QStringList::*", "QTypedArrayData::*", "QVarLengthArray::*", "QVector::*",
                 "QtPrivate::*", "QtSharedPointer::*", "QGenericArrayOps::*", "QPodArrayOps::*"),
        .modules = LIST("*/libQt5Core*.so*", "*/libQt6Core*.so*", "*/QtCore"),
    },
    {
        .description =
            {"wrappers",
             "xmalloc and its like, safe_malloc, zmalloc, and those of PostgreSQL, nginx, PHP,"
             " SQLite, OpenSSL, Python"},
        .functions =
            LIST(/* gnulib, libiberty, git, OpenSSH, tmux, util-linux, busybox, libX11 */
                 "xmalloc", "xmallocz", "xmallocz_gently", "xmalloc0", "xzalloc", "xcalloc",
                 "xrealloc", "xreallocarray", "xreallocz", "xrecallocarray", "xallocarray",
                 "xnmalloc", "xnrealloc", "x2realloc", "x2nrealloc", "xcharalloc", "xpalloc",
                 "ximalloc", "xicalloc", "xizalloc", "xirealloc", "xireallocarray", "xinmalloc",
                 "xalignalloc", "xaligned_alloc", "xmemalign", "xposix_memalign", "xvalloc",
                 "xstrdup", "xstrndup", "xstrdup_or_null", "xstrfmt", "xstrvfmt", "xstrappend",
                 "xmemdup", "xmemdup0", "xmemdupz", "ximemdup", "ximemdup0", "xasprintf",
                 "xvasprintf", "do_xmalloc", "do_xmallocz", "sh_xmalloc", "sh_xrealloc",
                 "safe_malloc", "safe_calloc", "safe_zalloc", "safe_realloc", "safe_reallocarray",
                 "safe_strdup", "safe_strndup", "checked_malloc", "checked_calloc",
                 "checked_realloc",
                 /* redis */
                 "zmalloc*", "zcalloc*", "zrealloc*", "ztrymalloc*", "ztrycalloc*", "ztryrealloc*",
                 "zstrdup", "valkey_malloc*", "valkey_calloc*", "valkey_realloc*",
                 /* PostgreSQL */
                 "palloc", "palloc0*", "palloc_*", "repalloc*", "pstrdup", "pnstrdup", "psprintf",
                 "pvsnprintf", "MemoryContextAlloc*", "MemoryContextStrdup", "AllocSetAlloc*",
                 "AllocSetRealloc", "AllocSetContextCreate*", "GenerationAlloc*",
                 "GenerationRealloc", "GenerationContextCreate", "SlabAlloc*", "SlabContextCreate",
                 "pg_malloc*", "pg_realloc", "pg_strdup", "guc_malloc", "guc_realloc", "guc_strdup",
                 /* nginx */
                 "ngx_alloc", "ngx_calloc", "ngx_memalign", "ngx_palloc*", "ngx_pcalloc*",
                 "ngx_pnalloc*", "ngx_pmemalign", "ngx_create_pool", "ngx_slab_alloc*",
                 "ngx_slab_calloc*",
                 /* PHP */
                 "_emalloc*", "_ecalloc", "_erealloc*", "_estrdup", "_estrndup", "_safe_emalloc",
                 "_safe_erealloc", "_safe_malloc", "_safe_realloc", "zend_mm_*", "__zend_*alloc",
                 "zend_strndup",
                 /* SQLite */
                 "sqlite3Malloc*", "sqlite3_malloc*", "sqlite3Realloc", "sqlite3_realloc*",
                 "sqlite3DbMalloc*", "sqlite3DbRealloc*", "sqlite3DbStr*Dup", "sqlite3_mprintf",
                 "sqlite3_vmprintf", "sqlite3MPrintf", "sqlite3VMPrintf",
                 /* OpenSSL */
                 "CRYPTO_malloc*", "CRYPTO_zalloc", "CRYPTO_calloc", "CRYPTO_realloc*",
                 "CRYPTO_clear_realloc*", "CRYPTO_aligned_alloc*", "CRYPTO_strdup",
                 "CRYPTO_strndup", "CRYPTO_memdup", "CRYPTO_secure_malloc*", "CRYPTO_secure_zalloc",
                 "CRYPTO_secure_calloc",
                 /* Python */
                 "PyMem_*", "_PyMem_*", "PyObject_Malloc", "PyObject_Calloc", "PyObject_Realloc",
                 "_PyObject_Malloc", "_PyObject_Calloc", "_PyObject_Realloc", "_PyObject_Alloc",
                 "_PyObject_Arena*", "pymalloc_alloc", "new_arena", "allocate_from_new_pool",
                 "PyObject_GC_*", "_PyObject_GC_*", "_PyObject_New*", "gc_alloc",
                 "PyType_GenericAlloc", "_PyType_AllocNoTrack"),
    },
    {.description = {"nameless",
                     "functions without a name, where an older frame of the stack has one"}},
};

#define SETS (sizeof(sets) / sizeof(sets[0]))
_Static_assert(SETS <= 8, "a frame has a bit for each");

const struct asnap_skip_set *asnap_skip_set(size_t number)
{
    return number < SETS ? &sets[number].description : NULL;
}

/* Whether a pattern is for this text. */
static bool matches(const char *pattern, const char *text)
{
    const char *star = NULL;
    const char *again = NULL;
    while (*text != '\0') {
        if (*pattern == '*') {
            star = ++pattern;
            again = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star;
            text = ++again;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

enum kind { FUNCTIONS, MODULES, SOURCES };

static const char *const *list_of(const struct set *set, enum kind kind)
{
    return kind == FUNCTIONS ? set->functions : kind == MODULES ? set->modules : set->files;
}

static uint8_t sets_of(const char *text, enum kind kind)
{
    unsigned int found = 0;
    for (size_t i = 0; i < SETS; i++) {
        const char *const *patterns = list_of(&sets[i], kind);
        for (; patterns != NULL && *patterns != NULL; patterns++) {
            bool may_match = **patterns == '*' || **patterns == *text;
            if (!may_match || !matches(*patterns, text))
                continue;
            found |= 1u << i;
            break;
        }
    }
    return (uint8_t)found;
}

/* Rust's functions have no parameters in their names, those of C++ have, but for lambdas. */
static bool is_of_cplusplus(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && (strstr(name, "{lambda at ") != NULL || strstr(name, ") const") != NULL ||
                          name[length - 1] == ')' || strstr(name, ") [clone") != NULL);
}

static struct asnap_error *match_functions(const struct asnap_store *store, uint8_t *found)
{
    size_t longest = 0;
    for (uint32_t i = 0; i < store->functions.count; i++) {
        size_t length = strlen(asnap_names_get(&store->functions, i));
        if (length > longest)
            longest = length;
    }
    char *shortened = malloc(longest + 1);
    if (shortened == NULL)
        return asnap_error_no_memory();
    for (uint32_t i = 0; i < store->functions.count; i++) {
        const char *name = asnap_names_get(&store->functions, i);
        asnap_function_shorten(name, shortened);
        found[i] = sets_of(shortened, FUNCTIONS);
        if (is_of_cplusplus(name))
            found[i] &= (uint8_t)~ASNAP_SET_RUST;
    }
    free(shortened);
    return NULL;
}

static uint8_t *match_names(const struct asnap_names *names, enum kind kind)
{
    uint8_t *found = calloc((size_t)names->count + 1, sizeof(*found));
    for (uint32_t i = 0; found != NULL && i < names->count; i++)
        found[i] = sets_of(asnap_names_get(names, i), kind);
    return found;
}

struct asnap_error *asnap_set_matches_init(struct asnap_set_matches *found,
                                           const struct asnap_store *store)
{
    *found = (struct asnap_set_matches){
        .functions = calloc((size_t)store->functions.count + 1, sizeof(*found->functions)),
        .files = match_names(&store->files, SOURCES),
        .modules = match_names(&store->files, MODULES),
        .mapped = match_names(&store->mapping_names, MODULES),
    };
    struct asnap_error *error = NULL;
    if (found->functions == NULL || found->files == NULL || found->modules == NULL ||
        found->mapped == NULL)
        error = asnap_error_no_memory();
    if (error == NULL)
        error = match_functions(store, found->functions);
    if (error != NULL)
        asnap_set_matches_deinit(found);
    return error;
}

void asnap_set_matches_deinit(struct asnap_set_matches *found)
{
    free(found->functions);
    free(found->files);
    free(found->modules);
    free(found->mapped);
    *found = (struct asnap_set_matches){0};
}

static bool is_rust_source(const char *path)
{
    size_t length = strlen(path);
    return length > 3 && strcmp(path + length - 3, ".rs") == 0;
}

static bool has_part(const char *path, const char *const *parts)
{
    while (*parts != NULL && strstr(path, *parts) == NULL)
        parts++;
    return *parts != NULL;
}

/* The sets of a function whose line is known. What the program implements for a library's types has
 * names that begin as the library's own, but its own sources: impl ToString for Mine, and
 * std::hash<Mine>. */
static uint8_t sets_with_source(uint8_t functions, const char *name, const char *path)
{
    static const char *const rust[] = {"library/", "/rustc/", "hashbrown", NULL};
    static const char *const cxx[] = {"/c++/", "libstdc++", "libcxx", "libc++", NULL};
    if (!is_rust_source(path) || (*name == '<' && !has_part(path, rust)))
        functions &= (uint8_t)~ASNAP_SET_RUST;
    if (strncmp(name, "std::", 5) == 0 && !has_part(path, cxx))
        functions &= (uint8_t)~ASNAP_SET_CXX;
    return functions;
}

uint8_t asnap_sets_of_frame(const struct asnap_set_matches *found, const struct asnap_store *store,
                            uint32_t frame_id)
{
    const struct asnap_stored_frame *frame = &store->frames[frame_id];
    const struct asnap_location *location = &store->locations[frame->location];
    uint8_t sets_found = 0;
    if (!asnap_frame_is_code(frame))
        return 0;
    if (frame->function != ASNAP_NONE) {
        sets_found = found->functions[frame->function];
        if (location->lineno != 0)
            sets_found =
                sets_with_source(sets_found, asnap_names_get(&store->functions, frame->function),
                                 asnap_names_get(&store->files, location->file));
    }
    if (frame->mapping != ASNAP_NONE)
        sets_found |= found->mapped[store->mappings[frame->mapping].path];
    else if (location->lineno == 0)
        sets_found |= found->modules[location->file];
    if (location->lineno != 0)
        sets_found |= found->files[location->file];
    return sets_found;
}
