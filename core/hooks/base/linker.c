#include "linker.h"

#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>

#include "file_symbols.h"
#include "libc.h"
#include "pages.h"

/* More is not believed: the list may be another thread's work in progress, or damaged. */
enum {
    LIBRARIES_MAX = 1 << 16,
    DYNAMIC_ENTRIES_MAX = 4096,
    TEXT_MAX = 4096,
};

/* This file's own dynamic section, by which its place in the list is known. */
extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

static int (*find_object)(void *address, struct asnap_linker_object *object);

bool asnap_linker_can_find(void)
{
    return find_object != NULL;
}

bool asnap_linker_find(uint64_t address, struct asnap_linker_object *object)
{
    return find_object != NULL && find_object((void *)(uintptr_t)address, object) == 0;
}

/* ---- the list ---- */

/* glibc puts addresses in memory into the section, others leave those of the file. */
static uint64_t in_memory(const struct asnap_library *library, uint64_t address)
{
    return address < library->bias ? address + library->bias : address;
}

static bool read_dynamic(struct asnap_known_pages *known, const struct asnap_library *library,
                         uint32_t entry, ElfW(Dyn) * dynamic)
{
    return entry < DYNAMIC_ENTRIES_MAX &&
           asnap_readable_copy(known, library->dynamic + entry * sizeof(*dynamic), dynamic,
                               sizeof(*dynamic)) &&
           dynamic->d_tag != DT_NULL;
}

static void find_tables(struct asnap_known_pages *known, struct asnap_library *library)
{
    ElfW(Dyn) dynamic;
    for (uint32_t i = 0; read_dynamic(known, library, i, &dynamic); i++) {
        uint64_t value = dynamic.d_un.d_val;
        if (dynamic.d_tag == DT_STRTAB)
            library->strings = in_memory(library, value);
        else if (dynamic.d_tag == DT_SYMTAB)
            library->symbols = in_memory(library, value);
        else if (dynamic.d_tag == DT_VERSYM)
            library->versions = in_memory(library, value);
        else if (dynamic.d_tag == DT_HASH)
            library->hash = in_memory(library, value);
        else if (dynamic.d_tag == DT_GNU_HASH)
            library->gnu_hash = in_memory(library, value);
        else if (dynamic.d_tag == DT_SONAME)
            library->soname = value;
        else if (dynamic.d_tag == DT_RELA)
            library->relocations = in_memory(library, value);
        else if (dynamic.d_tag == DT_RELASZ)
            library->relocation_bytes = value;
        else if (dynamic.d_tag == DT_JMPREL)
            library->jumps = in_memory(library, value);
        else if (dynamic.d_tag == DT_PLTRELSZ)
            library->jump_bytes = value;
    }
}

/* How many files are in the list from `link` on. */
static uint32_t count_from(struct asnap_known_pages *known, uint64_t link)
{
    struct link_map map;
    uint32_t count = 0;
    while (link != 0 && count < LIBRARIES_MAX &&
           asnap_readable_copy(known, link, &map, sizeof(map))) {
        link = (uint64_t)(uintptr_t)map.l_next;
        count++;
    }
    return count;
}

static uint64_t hooks_root(struct asnap_libraries *libraries, uint32_t place);

static size_t list_bytes(const struct asnap_libraries *libraries)
{
    return libraries->count * sizeof(struct asnap_library);
}

static void read_list(struct asnap_libraries *libraries, uint64_t link)
{
    struct asnap_known_pages *known = &libraries->known;
    struct link_map map;
    libraries->count = count_from(known, link);
    libraries->own = libraries->count;
    libraries->list = libraries->count == 0 ? NULL : asnap_pages_map(list_bytes(libraries));
    if (libraries->list == NULL)
        libraries->count = libraries->own = 0;
    for (uint32_t i = 0; i < libraries->count; i++) {
        struct asnap_library *library = &libraries->list[i];
        if (link == 0 || !asnap_readable_copy(known, link, &map, sizeof(map)))
            return;
        library->link = link;
        library->bias = map.l_addr;
        library->name = (uint64_t)(uintptr_t)map.l_name;
        library->dynamic = (uint64_t)(uintptr_t)map.l_ld;
        find_tables(known, library);
        if (map.l_ld == _DYNAMIC)
            libraries->own = i;
        uint64_t root = hooks_root(libraries, i);
        library->is_hooks = root != 0;
        if (root != 0 && libraries->first_root == 0 && libraries->own == libraries->count)
            libraries->first_root = root;
        link = (uint64_t)(uintptr_t)map.l_next;
    }
}

/* The beginning of the list that the hooks are in, where that is not the program's: dlmopen
 * makes others. 0: it is not known. */
static uint64_t own_list(struct asnap_known_pages *known)
{
    struct asnap_linker_object object;
    struct link_map map;
    if (!asnap_linker_find((uint64_t)(uintptr_t)_DYNAMIC, &object))
        return 0;
    uint64_t link = (uint64_t)(uintptr_t)object.link_map;
    for (uint32_t i = 0; i < LIBRARIES_MAX && asnap_readable_copy(known, link, &map, sizeof(map));
         i++) {
        if (map.l_prev == NULL)
            return link;
        link = (uint64_t)(uintptr_t)map.l_prev;
    }
    return 0;
}

/* A copy in the program's list still comes before. */
static void read_own_list(struct asnap_libraries *libraries)
{
    uint64_t link = libraries->own < libraries->count ? 0 : own_list(&libraries->known);
    if (link == 0)
        return;
    asnap_libraries_close(libraries);
    read_list(libraries, link);
}

static void find_whether_late(struct asnap_libraries *libraries);

void asnap_libraries_open(struct asnap_libraries *libraries, bool moving)
{
    memset(libraries, 0, sizeof(*libraries));
    libraries->known.moving = moving;
    const struct r_debug *debug = &_r_debug;
    if (debug == NULL && &_dl_debug_addr != NULL)
        debug = _dl_debug_addr;
    if (debug != NULL)
        read_list(libraries, (uint64_t)(uintptr_t)debug->r_map);
    read_own_list(libraries);
    find_whether_late(libraries);
}

void asnap_libraries_close(struct asnap_libraries *libraries)
{
    asnap_pages_unmap(libraries->list, list_bytes(libraries));
    libraries->list = NULL;
    libraries->count = libraries->own = 0;
}

static void *find_in(struct asnap_libraries *libraries, uint32_t place, struct asnap_wanted *wanted)
{
    return asnap_file_symbol(&libraries->known, &libraries->list[place], wanted);
}

/* The root of the copy of the hooks that a file is; 0: it is none. */
static uint64_t hooks_root(struct asnap_libraries *libraries, uint32_t place)
{
    static const char *const names[] = {"allocsnap_table", "allocsnap_root"};
    void *root = NULL;
    for (size_t i = 0; root == NULL && i < sizeof(names) / sizeof(names[0]); i++) {
        struct asnap_wanted wanted = asnap_wanted_symbol(names[i]);
        root = find_in(libraries, place, &wanted);
    }
    return (uint64_t)(uintptr_t)root;
}

/* ---- symbols in the order of the list ---- */

/* Among the files from the place `first` on, up to that before `end`. */
static void *find_among(struct asnap_libraries *libraries, uint32_t first, uint32_t end,
                        struct asnap_wanted *wanted)
{
    void *found = NULL;
    for (uint32_t i = first; i < end && found == NULL; i++)
        if (i <= libraries->own || !libraries->list[i].is_hooks)
            found = find_in(libraries, i, wanted);
    return found;
}

static void *find_others(struct asnap_libraries *libraries, struct asnap_wanted *wanted)
{
    void *found = NULL;
    for (uint32_t i = 0; i < libraries->count && found == NULL; i++)
        if (!libraries->list[i].is_hooks)
            found = find_in(libraries, i, wanted);
    return found;
}

/* The allocator is among the files before the hooks, and none comes after. */
static void find_whether_late(struct asnap_libraries *libraries)
{
    struct asnap_wanted wanted = asnap_wanted_symbol("malloc");
    libraries->is_late =
        libraries->own < libraries->count &&
        find_among(libraries, libraries->own + 1, libraries->count, &wanted) == NULL &&
        find_others(libraries, &wanted) != NULL;
}

void *asnap_symbol_first(struct asnap_libraries *libraries, const char *name)
{
    struct asnap_wanted wanted = asnap_wanted_symbol(name);
    return find_among(libraries, 0, libraries->count, &wanted);
}

void *asnap_symbol_before(struct asnap_libraries *libraries, const char *name, uint64_t *bytes)
{
    struct asnap_wanted wanted = asnap_wanted_symbol(name);
    wanted.also_hidden = true;
    void *found = find_among(libraries, 0, libraries->own, &wanted);
    *bytes = wanted.bytes;
    return found;
}

void *asnap_symbol_own(struct asnap_libraries *libraries, const char *name)
{
    struct asnap_wanted wanted = asnap_wanted_symbol(name);
    return libraries->own < libraries->count ? find_in(libraries, libraries->own, &wanted) : NULL;
}

void *asnap_symbol_next(struct asnap_libraries *libraries, const char *name)
{
    uint32_t first = libraries->own < libraries->count ? libraries->own + 1 : 0;
    struct asnap_wanted wanted = asnap_wanted_symbol(name);
    return libraries->is_late ? find_others(libraries, &wanted)
                              : find_among(libraries, first, libraries->count, &wanted);
}

void asnap_linker_init(struct asnap_libraries *libraries)
{
    void *found = asnap_symbol_first(libraries, "_dl_find_object");
    memcpy(&find_object, &found, sizeof(found));
    read_own_list(libraries);
    find_whether_late(libraries);
}

/* ---- symbols as one file sees them ---- */

static bool same_text(struct asnap_known_pages *known, uint64_t one, uint64_t other)
{
    for (uint32_t i = 0; i < TEXT_MAX; i++) {
        char a;
        char b;
        if (!asnap_readable_copy(known, one + i, &a, 1) ||
            !asnap_readable_copy(known, other + i, &b, 1) || a != b)
            return false;
        if (a == '\0')
            return true;
    }
    return false;
}

/* The part of a path after its last slash. */
static uint64_t file_name(struct asnap_known_pages *known, uint64_t path)
{
    uint64_t name = path;
    char at = '/';
    for (uint32_t i = 0; i < TEXT_MAX && at != '\0' && asnap_readable_copy(known, path + i, &at, 1);
         i++)
        if (at == '/')
            name = path + i + 1;
    return name;
}

/* Whether others need a library by the name at `name`. */
static bool has_name(struct asnap_known_pages *known, const struct asnap_library *library,
                     uint64_t name)
{
    uint64_t own = library->soname != 0 && library->strings != 0
                       ? library->strings + library->soname
                       : file_name(known, library->name);
    return same_text(known, own, name);
}

/* The place of the file that has code at `pc`, or `count`. */
static uint32_t library_at(const struct asnap_libraries *libraries, uint64_t pc)
{
    struct asnap_linker_object object;
    uint32_t nearest = libraries->count;
    if (asnap_linker_can_find() && !asnap_linker_find(pc, &object))
        return libraries->count;
    for (uint32_t i = 0; i < libraries->count; i++) {
        const struct asnap_library *library = &libraries->list[i];
        if (asnap_linker_can_find() && library->link == (uint64_t)(uintptr_t)object.link_map)
            return i;
        if (library->bias <= pc &&
            (nearest == libraries->count || library->bias > libraries->list[nearest].bias))
            nearest = i;
    }
    return asnap_linker_can_find() ? libraries->count : nearest;
}

bool asnap_linker_same_file(const struct asnap_libraries *libraries, uint64_t one, uint64_t other)
{
    uint32_t place = library_at(libraries, one);
    return place < libraries->count && place == library_at(libraries, other);
}

/* Puts the files that one needs behind `*last`, the last of the queue. */
static void queue_needed(struct asnap_libraries *libraries, uint32_t place, uint32_t *last)
{
    const struct asnap_library *library = &libraries->list[place];
    ElfW(Dyn) dynamic;
    for (uint32_t i = 0; read_dynamic(&libraries->known, library, i, &dynamic); i++) {
        if (dynamic.d_tag != DT_NEEDED || library->strings == 0)
            continue;
        uint64_t name = library->strings + dynamic.d_un.d_val;
        for (uint32_t j = 0; j < libraries->count; j++) {
            struct asnap_library *needed = &libraries->list[j];
            if (needed->queued || !has_name(&libraries->known, needed, name))
                continue;
            needed->queued = true;
            needed->next = libraries->count;
            libraries->list[*last].next = j;
            *last = j;
            break;
        }
    }
}

/* Another thread may be about to load the file: then nothing of it can be called. */
static bool is_ready(const struct asnap_libraries *libraries, uint32_t place)
{
    const struct asnap_library *library = &libraries->list[place];
    struct asnap_linker_object object;
    return !asnap_linker_can_find() || (asnap_linker_find(library->dynamic, &object) &&
                                        library->link == (uint64_t)(uintptr_t)object.link_map);
}

static void *find_ready(struct asnap_libraries *libraries, uint32_t place,
                        struct asnap_wanted *wanted)
{
    return !libraries->list[place].is_hooks && is_ready(libraries, place)
               ? find_in(libraries, place, wanted)
               : NULL;
}

/* In a C++ library that the program has loaded for all to see; it came with none of those that
 * the code needs by name. */
static void *find_in_cxx_library(struct asnap_libraries *libraries, struct asnap_wanted *wanted)
{
    static const char *const names[] = {"libstdc++.so.6", "libc++.so.1"};
    void *found = NULL;
    for (uint32_t i = 0; asnap_linker_can_find() && i < libraries->count; i++)
        for (size_t j = 0; found == NULL && j < sizeof(names) / sizeof(names[0]); j++)
            if (has_name(&libraries->known, &libraries->list[i], (uint64_t)(uintptr_t)names[j]))
                found = find_ready(libraries, i, wanted);
    return found;
}

void *asnap_symbol_seen_from(struct asnap_libraries *libraries, uint64_t pc, const char *name)
{
    struct asnap_wanted wanted = asnap_wanted_symbol(name);
    uint32_t place = library_at(libraries, pc);
    uint32_t last = place;
    void *found = NULL;
    if (place < libraries->count) {
        libraries->list[place].queued = true;
        libraries->list[place].next = libraries->count;
    }
    for (; found == NULL && place < libraries->count; place = libraries->list[place].next) {
        found = find_ready(libraries, place, &wanted);
        queue_needed(libraries, place, &last);
    }
    return found != NULL ? found : find_in_cxx_library(libraries, &wanted);
}
