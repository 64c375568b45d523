/* Names as people want to see them: short, and sources where they are now. */
#ifndef ASNAP_RENDER_SHOWN_NAMES_H
#define ASNAP_RENDER_SHOWN_NAMES_H

#include "error.h"

/* The path that a file is at by the first rule that begins it, at the end of one of its
 * components; to be freed. NULL where no rule does. */
struct asnap_error *asnap_moved_path(const struct asnap_render_options *options, const char *path,
                                     char **moved);

/* The name of a C++ or Rust function without template arguments, parameters and return type;
 * to be freed. A name that it cannot make out stays whole. */
struct asnap_error *asnap_short_function(const char *name, char **shortened);

/* A path that is in the text of a page. */
struct asnap_path_span {
    size_t offset;
    size_t length;
};

/* Cuts paths in a text to their shortest ends, of whole components, by which they differ
 * from each other. The spans rise; `result` is to be freed. */
struct asnap_error *asnap_shorten_paths(const char *text, size_t size,
                                        struct asnap_path_span *spans, size_t count, char **result);

#endif
