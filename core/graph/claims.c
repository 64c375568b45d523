#include "claims.h"

#include <stdlib.h>

#include "error.h"
#include "grow.h"

struct asnap_error *asnap_claims_add(struct asnap_claims *claims, uint64_t start, uint64_t end,
                                     enum asnap_claim_kind kind, uint32_t thread)
{
    if (start >= end)
        return NULL;
    struct asnap_claim *grown =
        asnap_grow(claims->claims, &claims->capacity, claims->count + 1, sizeof(*grown));
    if (grown == NULL)
        return asnap_error_no_memory();
    claims->claims = grown;
    grown[claims->count++] = (struct asnap_claim){start, end, kind, thread};
    return NULL;
}

/* Where a claim begins or ends. */
struct bound {
    uint64_t address;
    uint32_t claim;
    bool is_end;
};

static int by_address(const void *left, const void *right)
{
    const struct bound *a = left;
    const struct bound *b = right;
    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    return (int)b->is_end - (int)a->is_end;
}

/* Those that are open between two bounds: how many of each kind, and the thread of the last. */
struct open {
    uint32_t counts[ASNAP_CLAIM_KINDS];
    uint32_t threads[ASNAP_CLAIM_KINDS];
};

static uint32_t first_kind(const struct open *open)
{
    uint32_t kind = 0;
    while (kind < ASNAP_CLAIM_KINDS && open->counts[kind] == 0)
        kind++;
    return kind;
}

/* Adds what lies between two bounds, to the last piece where it is of the same. */
static struct asnap_error *add_piece(struct asnap_claims *made, uint64_t start, uint64_t end,
                                     const struct open *open)
{
    uint32_t kind = first_kind(open);
    if (kind == ASNAP_CLAIM_KINDS || start >= end)
        return NULL;
    uint32_t thread =
        kind == ASNAP_CLAIM_STACK || kind == ASNAP_CLAIM_RED_ZONE ? open->threads[kind] : 0;
    struct asnap_claim *last = made->count == 0 ? NULL : &made->claims[made->count - 1];
    if (last != NULL && last->end == start && last->kind == kind && last->thread == thread) {
        last->end = end;
        return NULL;
    }
    return asnap_claims_add(made, start, end, (enum asnap_claim_kind)kind, thread);
}

static struct asnap_error *sweep(const struct asnap_claims *claims, const struct bound *bounds,
                                 size_t count, struct asnap_claims *made)
{
    struct open open = {0};
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < count; i++) {
        if (i > 0)
            error = add_piece(made, bounds[i - 1].address, bounds[i].address, &open);
        const struct asnap_claim *claim = &claims->claims[bounds[i].claim];
        if (bounds[i].is_end) {
            open.counts[claim->kind]--;
        } else {
            open.counts[claim->kind]++;
            open.threads[claim->kind] = claim->thread;
        }
    }
    return error;
}

struct asnap_error *asnap_claims_settle(struct asnap_claims *claims)
{
    size_t count = 2 * claims->count;
    struct asnap_claims made = {0};
    struct bound *bounds = calloc(count + 1, sizeof(*bounds));
    if (bounds == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < claims->count; i++) {
        bounds[2 * i] = (struct bound){claims->claims[i].start, (uint32_t)i, false};
        bounds[2 * i + 1] = (struct bound){claims->claims[i].end, (uint32_t)i, true};
    }
    qsort(bounds, count, sizeof(*bounds), by_address);
    struct asnap_error *error = sweep(claims, bounds, count, &made);
    free(bounds);
    if (error != NULL) {
        asnap_claims_deinit(&made);
        return error;
    }
    asnap_claims_deinit(claims);
    *claims = made;
    return NULL;
}

size_t asnap_claims_after(const struct asnap_claims *claims, uint64_t address)
{
    size_t low = 0;
    size_t high = claims->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (claims->claims[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void asnap_claims_deinit(struct asnap_claims *claims)
{
    free(claims->claims);
    *claims = (struct asnap_claims){0};
}
