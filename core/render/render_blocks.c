#include "formats.h"

struct asnap_error *asnap_render_traces(const struct asnap_snapshot *snapshot,
                                        enum asnap_format format,
                                        const struct asnap_render_options *options, char **text)
{
    const struct asnap_format_writers *writers;
    struct asnap_error *error = asnap_format_find(format, &writers);
    return error != NULL ? error : writers->blocks(snapshot, options, text);
}

struct asnap_error *asnap_render_who(const struct asnap_snapshot *snapshot, uint64_t address,
                                     enum asnap_format format,
                                     const struct asnap_render_options *options, char **text)
{
    const struct asnap_format_writers *writers;
    struct asnap_error *error = asnap_format_find(format, &writers);
    return error != NULL ? error : writers->who(snapshot, address, options, text);
}

struct asnap_error *asnap_render_lives(const struct asnap_snapshot *snapshot, uint64_t address,
                                       enum asnap_format format,
                                       const struct asnap_render_options *options, char **text)
{
    const struct asnap_format_writers *writers;
    struct asnap_error *error = asnap_format_find(format, &writers);
    return error != NULL ? error : writers->lives(snapshot, address, options, text);
}

struct asnap_error *asnap_render_errors(const struct asnap_snapshot *snapshot,
                                        const struct asnap_errors *errors, enum asnap_format format,
                                        const struct asnap_render_options *options, char **text)
{
    const struct asnap_format_writers *writers;
    struct asnap_error *error = asnap_format_find(format, &writers);
    return error != NULL ? error : writers->errors(snapshot, errors, options, text);
}
