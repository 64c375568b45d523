/* The writers of blocks, one for each format; the declarations in allocsnap_render.h say what
 * they write. */
#ifndef ASNAP_RENDER_BLOCK_FORMATS_H
#define ASNAP_RENDER_BLOCK_FORMATS_H

#include "error.h"

struct asnap_error *asnap_blocks_text(const struct asnap_snapshot *snapshot,
                                      const struct asnap_render_options *options, char **text);
struct asnap_error *asnap_blocks_json(const struct asnap_snapshot *snapshot,
                                      const struct asnap_render_options *options, char **text);
struct asnap_error *asnap_who_text(const struct asnap_snapshot *snapshot, uint64_t address,
                                   const struct asnap_render_options *options, char **text);
struct asnap_error *asnap_who_json(const struct asnap_snapshot *snapshot, uint64_t address,
                                   const struct asnap_render_options *options, char **text);
struct asnap_error *asnap_lives_text(const struct asnap_snapshot *snapshot, uint64_t address,
                                     const struct asnap_render_options *options, char **text);
struct asnap_error *asnap_lives_json(const struct asnap_snapshot *snapshot, uint64_t address,
                                     const struct asnap_render_options *options, char **text);

struct asnap_error *asnap_errors_text(const struct asnap_snapshot *snapshot,
                                      const struct asnap_errors *errors,
                                      const struct asnap_render_options *options, char **text);
struct asnap_error *asnap_errors_json(const struct asnap_snapshot *snapshot,
                                      const struct asnap_errors *errors,
                                      const struct asnap_render_options *options, char **text);

#endif
