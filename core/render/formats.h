/* The formats of allocsnap_render.h, each a row of one table: what writes it. */
#ifndef ASNAP_RENDER_FORMATS_H
#define ASNAP_RENDER_FORMATS_H

#include "rows.h"

struct asnap_format_writers {
    struct asnap_error *(*rows)(const struct asnap_rows *rows,
                                const struct asnap_render_options *options, char **text);
    struct asnap_error *(*blocks)(const struct asnap_snapshot *snapshot,
                                  const struct asnap_render_options *options, char **text);
    struct asnap_error *(*who)(const struct asnap_snapshot *snapshot, uint64_t address,
                               const struct asnap_render_options *options, char **text);
    struct asnap_error *(*lives)(const struct asnap_snapshot *snapshot, uint64_t address,
                                 const struct asnap_render_options *options, char **text);
    struct asnap_error *(*errors)(const struct asnap_snapshot *snapshot,
                                  const struct asnap_errors *errors,
                                  const struct asnap_render_options *options, char **text);
};

/* Finds the writers of a format. Fails with INVALID_ARGUMENT where there is no such format. */
struct asnap_error *asnap_format_find(enum asnap_format format,
                                      const struct asnap_format_writers **writers);

/* Writes rows in a format. */
struct asnap_error *asnap_rows_render(const struct asnap_rows *rows, enum asnap_format format,
                                      const struct asnap_render_options *options, char **text);

#endif
