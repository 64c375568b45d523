#include "block_formats.h"

struct asnap_error *asnap_render_traces(const struct asnap_snapshot *snapshot,
                                        enum asnap_format format,
                                        const struct asnap_render_options *options, char **text)
{
    return format == ASNAP_FORMAT_JSON ? asnap_blocks_json(snapshot, options, text)
                                       : asnap_blocks_text(snapshot, options, text);
}

struct asnap_error *asnap_render_who(const struct asnap_snapshot *snapshot, uint64_t address,
                                     enum asnap_format format,
                                     const struct asnap_render_options *options, char **text)
{
    return format == ASNAP_FORMAT_JSON ? asnap_who_json(snapshot, address, options, text)
                                       : asnap_who_text(snapshot, address, options, text);
}
