/* From return addresses to the modules and link-time addresses that they are in, and to names. */
#ifndef ASNAP_SYMBOLS_NAMING_REQUESTS_H
#define ASNAP_SYMBOLS_NAMING_REQUESTS_H

#include <stdbool.h>

#include "known_modules.h"
#include "region_map.h"

/* What is known of a process: its memory map and its files. */
struct asnap_resolver {
    char *debug_directories;
    struct asnap_frame_store *store;
    const struct asnap_named_pc *unknown; /* the name of an address that is in no file */
    struct asnap_region_map regions;
    struct asnap_other_files others;
    struct asnap_known_modules known;
    bool reads_apart;
};

/* An address to be named, and where it goes. */
struct asnap_name_request {
    uint64_t address; /* link-time */
    size_t module;    /* place in `known` */
    size_t index;     /* in the caller's list */
};

/* What return addresses are in. */
struct asnap_pc_source {
    const struct asnap_raw_module *modules;
    const struct asnap_mapping *recorded; /* NULL: what is mapped now, and the modules */
    bool is_known_only;                   /* nothing is looked up */
};

/* Has every file looked at again before it is used. */
void asnap_resolver_renew(struct asnap_resolver *resolver);

/* The place in `known` of the module that a place in a file is in, looked at. */
struct asnap_error *asnap_resolver_known(struct asnap_resolver *resolver,
                                         const struct asnap_pc_place *place, size_t *known);

/* The module and the link-time address of a pc. Where that is not found in the file it is told
 * by the program headers in memory; else it is 0. */
struct asnap_error *asnap_resolver_place(struct asnap_resolver *resolver,
                                         const struct asnap_pc_source *source, struct asnap_pc pc,
                                         struct asnap_name_request *request, bool *has_module,
                                         bool *is_found);

/* Names `count` addresses; `requests` and `names` have room for as many. */
struct asnap_error *
asnap_resolver_name(struct asnap_resolver *resolver, const struct asnap_pc_source *source,
                    const struct asnap_pc *pcs, size_t count, const struct asnap_progress *progress,
                    struct asnap_name_request *requests, struct asnap_named_pc *names);

#endif
