#include "lives.h"

#include "allocsnap_tracing.h"

static uint32_t newest_of(const struct asnap_snapshot *snapshot,
                          const struct asnap_render_options *options)
{
    uint32_t newest = asnap_snapshot_newest_time(snapshot);
    return newest > options->newest ? newest : options->newest;
}

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
            .now = newest_of(snapshot, options),
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

struct asnap_error *asnap_mistakes_init(struct asnap_mistakes *mistakes,
                                        const struct asnap_snapshot *snapshot,
                                        const struct asnap_errors *errors,
                                        const struct asnap_render_options *options)
{
    const struct asnap_trace *traces;
    if (snapshot == NULL || errors == NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_render_errors: NULL argument");
    struct asnap_error *error = asnap_snapshot_traces(snapshot, &traces);
    if (error != NULL)
        return error;
    size_t count = asnap_snapshot_count(snapshot) / 3;
    size_t limit = options->limit != 0 ? options->limit : SIZE_MAX;
    *mistakes = (struct asnap_mistakes){
        .traces = traces,
        .count = count,
        .twice = errors->twice_shown < count ? errors->twice_shown : count,
        .shown = count < limit ? count : limit,
        .now = newest_of(snapshot, options),
    };
    return NULL;
}

struct asnap_mistake asnap_mistake_at(const struct asnap_mistakes *mistakes, size_t place)
{
    const struct asnap_trace *again = &mistakes->traces[place];
    bool is_known = place < mistakes->twice;
    return (struct asnap_mistake){
        .again = again,
        .freed = is_known ? again + mistakes->count : NULL,
        .allocated = is_known ? again + 2 * mistakes->count : NULL,
    };
}
