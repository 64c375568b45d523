#include "attribution.h"

#include <stdlib.h>

struct asnap_attribution *asnap_attribution_create(size_t traceback_count, size_t frame_count)
{
    struct asnap_attribution *made = NULL;
    if (traceback_count <= (SIZE_MAX - sizeof(*made)) / sizeof(made->skipped[0]))
        made = calloc(1, sizeof(*made) + traceback_count * sizeof(made->skipped[0]));
    if (made == NULL)
        return NULL;
    atomic_init(&made->references, 1);
    made->in_libc = calloc(frame_count + 1, sizeof(*made->in_libc));
    if (made->in_libc == NULL) {
        asnap_attribution_release(made);
        return NULL;
    }
    return made;
}

struct asnap_attribution *asnap_attribution_share(struct asnap_attribution *attribution)
{
    if (attribution != NULL)
        atomic_fetch_add_explicit(&attribution->references, 1, memory_order_relaxed);
    return attribution;
}

void asnap_attribution_release(struct asnap_attribution *attribution)
{
    if (attribution == NULL ||
        atomic_fetch_sub_explicit(&attribution->references, 1, memory_order_acq_rel) != 1)
        return;
    free(attribution->in_libc);
    free(attribution);
}
