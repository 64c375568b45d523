/* What the dynamic linker has loaded, and the symbols of it, without asking the linker: its
 * functions take a lock that another thread may hold which waits for this one, such as a library
 * that makes a thread when it is loaded and waits until the thread has begun. What is read here
 * can be another thread's work in progress, so each piece is read only where it can be. */
#ifndef ASNAP_HOOKS_LINKER_H
#define ASNAP_HOOKS_LINKER_H

#include <stdbool.h>
#include <stdint.h>

#include "readable.h"

struct link_map;

/* What _dl_find_object tells (glibc's <dlfcn.h> from 2.35 on), laid out here so that one
 * build serves older ones too. Later versions may fill the rest. */
struct asnap_linker_object {
    unsigned long long flags;
    void *map_start;
    void *map_end;
    struct link_map *link_map;
    void *eh_frame; /* the file's .eh_frame_hdr */
    uint64_t reserved[12];
};

/* Finds the file that is loaded at an address, with glibc's _dl_find_object, which takes no lock.
 * A file is told of from when it has been relocated. */
bool asnap_linker_find(uint64_t address, struct asnap_linker_object *object);

/* Whether there is such a function. */
bool asnap_linker_can_find(void);

struct asnap_library;

/* The files in the linker's list, in the order in which they were loaded. */
struct asnap_libraries {
    struct asnap_known_pages known;
    struct asnap_library *list;
    uint32_t count;
    uint32_t own;        /* the hooks' place in it; `count` where they are not in it */
    uint64_t first_root; /* where another copy of the hooks comes before: its root; else 0 */
    bool is_late;        /* the program was started without the hooks, and has loaded them since */
};

/* Reads the list. What cannot be read, or has no memory to be read into, is left out. `moving`:
 * other threads may load and unload files meanwhile. asnap_libraries_close must follow. */
void asnap_libraries_open(struct asnap_libraries *libraries, bool moving);
void asnap_libraries_close(struct asnap_libraries *libraries);

/* Learns where _dl_find_object is. */
void asnap_linker_init(struct asnap_libraries *libraries);

/* The first definition of a symbol in the order of the list: what a program that was not there
 * when the list was made finds. NULL: there is none. */
void *asnap_symbol_first(struct asnap_libraries *libraries, const char *name);

/* The first definition that comes before the hooks' own, which has the program's calls; of
 * versions for old programs too, since what was linked with the C library may find those. NULL:
 * the hooks' own has them. `bytes` becomes its size, 0 where that is not known. */
void *asnap_symbol_before(struct asnap_libraries *libraries, const char *name, uint64_t *bytes);

/* The hooks' own. */
void *asnap_symbol_own(struct asnap_libraries *libraries, const char *name);

/* The first after the hooks' own that is not another copy's of the hooks; where the hooks were
 * loaded late, the first of all: what the program would find without them. */
void *asnap_symbol_next(struct asnap_libraries *libraries, const char *name);

/* Whether one file has both addresses. */
bool asnap_linker_same_file(const struct asnap_libraries *libraries, uint64_t one, uint64_t other);

/* The first in the file that has code at `pc`, the files that it needs, those that these
 * need, and so on: what that code finds of libraries that came with it. Else that in one of
 * the C++ libraries. */
void *asnap_symbol_seen_from(struct asnap_libraries *libraries, uint64_t pc, const char *name);

#endif
