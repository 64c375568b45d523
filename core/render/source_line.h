/* Source lines for people, from files that names in debug information point at. */
#ifndef ASNAP_RENDER_SOURCE_LINE_H
#define ASNAP_RENDER_SOURCE_LINE_H

#include "error.h"

#define ASNAP_SOURCE_FILES 8
#define ASNAP_SOURCE_STEP ((size_t)64)

struct asnap_source_file {
    char *name; /* NULL: a free place */
    char *text; /* NULL: it cannot be shown */
    size_t size;
    size_t line_count;
    uint32_t *marks; /* where every ASNAP_SOURCE_STEP-th line begins, from the first on */
};

/* The files looked at last. All zero is an empty cache. */
struct asnap_source_cache {
    struct asnap_source_file files[ASNAP_SOURCE_FILES];
    size_t oldest;
};

/* Finds a line, without the white space around it; it lives until the next call.
 * `line` is NULL where there is none to show: the line is empty, or the file is
 * missing, relative, not a regular one, too large, or shorter. Fails with
 * NO_MEMORY only. */
struct asnap_error *asnap_source_line(struct asnap_source_cache *cache, const char *filename,
                                      uint32_t lineno, const char **line, size_t *length);

void asnap_source_cache_deinit(struct asnap_source_cache *cache);

#endif
