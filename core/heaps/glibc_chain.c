/* Whether chunks follow each other: each one's size leads to the next. */
#include "glibc_place.h"

#include "error.h"

enum { CHAIN_STEPS = 12 /* so many chunks in a row are no accident */ };

/* A look along a chain of chunks. */
struct chain {
    struct asnap_glibc_walk *walk;
    uint64_t at;
    uint64_t end;
    uint64_t size; /* of the chunk before; 0: there is none */
    bool is_over;  /* it has come to its end: the top, a fence, the end of the memory */
    bool is_broken;
};

static struct asnap_error *follow(struct chain *chain)
{
    struct asnap_glibc_walk *walk = chain->walk;
    uint64_t words[2] = {0};
    bool is_there = false;
    chain->is_over =
        chain->size != 0 && (chain->at == walk->arena->state.top || chain->at == chain->end);
    if (chain->is_over)
        return NULL;
    chain->is_broken = true;
    if (chain->end - chain->at < sizeof(words) || ++walk->looked > ASNAP_GLIBC_LOOKED_MOST)
        return NULL;
    struct asnap_error *error =
        asnap_heap_header(walk->memory, &walk->memory->ahead, chain->at, words, &is_there);
    if (error != NULL || !is_there ||
        (chain->size != 0 && (words[1] & ASNAP_GLIBC_PREV_INUSE) == 0 && words[0] != chain->size))
        return error;
    uint64_t size = words[1] & ~(uint64_t)ASNAP_GLIBC_BITS;
    chain->is_over = chain->size != 0 &&
                     (asnap_glibc_is_fence(words[1]) || (size == 0 && !walk->arena->is_main));
    chain->is_broken =
        !chain->is_over && !asnap_glibc_is_size(walk, chain->at, chain->end, words[1]);
    if (chain->is_over || chain->is_broken)
        return NULL;
    chain->size = size;
    chain->at += size;
    return NULL;
}

struct asnap_error *asnap_glibc_is_chain(struct asnap_glibc_walk *walk, uint64_t address,
                                         uint64_t end, bool *is_chain)
{
    struct chain chain = {.walk = walk, .at = address, .end = end};
    struct asnap_error *error = NULL;
    for (unsigned steps = 0;
         error == NULL && steps < CHAIN_STEPS && !chain.is_over && !chain.is_broken; steps++)
        error = follow(&chain);
    *is_chain = error == NULL && !chain.is_broken;
    return error;
}

struct asnap_error *asnap_glibc_chain_end(struct asnap_glibc_walk *walk, uint64_t address,
                                          uint64_t end, uint64_t *last)
{
    struct chain chain = {.walk = walk, .at = address, .end = end};
    struct asnap_error *error = NULL;
    while (error == NULL && !chain.is_over && !chain.is_broken) {
        error = follow(&chain);
        if (error == NULL)
            error = asnap_heap_ask(walk->memory);
    }
    *last = error != NULL || chain.is_broken || chain.at == end ? 0 : chain.at;
    return error;
}
