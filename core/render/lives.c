#include "lives.h"

struct asnap_error *asnap_lives_init(struct asnap_lives *lives,
                                     const struct asnap_snapshot *snapshot,
                                     const struct asnap_render_options *options)
{
    const struct asnap_trace *traces;
    struct asnap_error *error = asnap_snapshot_traces(snapshot, &traces);
    if (error == NULL)
        *lives = (struct asnap_lives){
            .traces = traces,
            .count = asnap_snapshot_count(snapshot) / 2,
            .left = options->limit != 0 ? options->limit : SIZE_MAX,
        };
    return error;
}

bool asnap_lives_next(struct asnap_lives *lives, uint64_t address, struct asnap_life *life)
{
    for (; lives->next < lives->count && lives->left != 0; lives->next++) {
        const struct asnap_trace *trace = &lives->traces[lives->next];
        uint64_t bytes = trace->size == 0 ? 1 : trace->size;
        if (address - trace->address >= bytes)
            continue;
        *life = (struct asnap_life){trace, trace + lives->count};
        lives->next++;
        lives->left--;
        return true;
    }
    return false;
}
