#include "roots.h"

#include <stdlib.h>
#include <string.h>

#include "claims.h"
#include "error.h"
#include "file_segments.h"
#include "grow.h"
#include "heap_extents.h"
#include "inferior_map.h"

struct search {
    struct asnap_roots *roots;
    const struct asnap_graph_facts *facts;
    const struct asnap_block_index *index;
    struct asnap_claims claims;
    bool gaps;
};

static struct asnap_error *add_root(struct asnap_roots *roots, uint64_t start, uint64_t end,
                                    enum asnap_root_kind kind, uint32_t thread)
{
    struct asnap_root *grown =
        asnap_grow(roots->roots, &roots->capacity, roots->count + 1, sizeof(*grown));
    if (grown == NULL)
        return asnap_error_no_memory();
    roots->roots = grown;
    grown[roots->count++] = (struct asnap_root){start, end, kind, thread};
    return NULL;
}

/* Adds a pointer that was found at `place` in a root. */
static struct asnap_error *add_pointer(struct asnap_roots *roots, uint64_t place, uint32_t edge,
                                       uint32_t root)
{
    struct asnap_root_pointer *grown = asnap_grow(roots->pointers, &roots->pointer_capacity,
                                                  roots->pointer_count + 1, sizeof(*grown));
    if (grown == NULL)
        return asnap_error_no_memory();
    roots->pointers = grown;
    grown[roots->pointer_count++] = (struct asnap_root_pointer){place, edge, root};
    return NULL;
}

/* ---- memory that nothing is known of ---- */

/* The first block that starts at `address` or later. */
static uint32_t first_block(const struct asnap_block_index *index, uint64_t address)
{
    uint32_t low = 0;
    uint32_t high = index->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (index->blocks[middle].start < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The end of the last block that starts before `address`, of those that lie side by side; blocks in
 * others end earlier. */
static uint64_t end_before(const struct asnap_block_index *index, uint64_t address)
{
    uint32_t block = first_block(index, address);
    uint64_t end = 0;
    while (block-- > 0) {
        if (index->blocks[block].end > end)
            end = index->blocks[block].end;
        if (index->outer == NULL || index->outer[block] == ASNAP_NO_BLOCK)
            break;
        block = index->outer[block] + 1;
    }
    return end;
}

static bool has_block(const struct asnap_block_index *index, uint64_t start, uint64_t end)
{
    uint32_t next = first_block(index, start);
    return (next < index->count && index->blocks[next].start < end) ||
           end_before(index, start) > start;
}

/* The gap between blocks that holds `address`, in [start, end), which an allocator has. Nothing,
 * where a block holds it. */
static struct asnap_error *add_gap(struct search *search, uint64_t start, uint64_t end,
                                   uint64_t address, enum asnap_root_kind kind, uint32_t thread)
{
    if (address < start || address >= end ||
        asnap_block_index_find(search->index, address) != ASNAP_NO_BLOCK)
        return NULL;
    uint64_t before = end_before(search->index, address);
    uint32_t next = first_block(search->index, address);
    if (before > start)
        start = before;
    if (next < search->index->count && search->index->blocks[next].start < end)
        end = search->index->blocks[next].start;
    return add_root(search->roots, start, end, kind, thread);
}

/* Memory of an allocator that is not glibc's, or of glibc's first heap: the blocks in it are
 * searched as blocks. But thread-local storage can lie in the same mapping, and stacks that no
 * thread was made with. */
static struct asnap_error *add_allocator(struct search *search, uint64_t start, uint64_t end)
{
    const struct asnap_graph_facts *facts = search->facts;
    struct asnap_error *error = NULL;
    if (search->gaps)
        return add_root(search->roots, start, end, ASNAP_ROOT_GAP, 0);
    for (size_t i = 0; error == NULL && i < facts->thread_count; i++)
        error = add_gap(search, start, end, facts->threads[i].thread_pointer, ASNAP_ROOT_TLS,
                        (uint32_t)i);
    const struct asnap_thread_stacks *stacks = &search->roots->stacks;
    for (size_t i = 0; error == NULL && i < stacks->elsewhere_count; i++)
        error = add_gap(search, start, end, stacks->elsewhere[i].start, ASNAP_ROOT_STACK,
                        stacks->elsewhere[i].thread);
    return error;
}

/* Which thread's stack pointer or storage is in [start, end); false: none's. */
static bool thread_in(const struct search *search, uint64_t start, uint64_t end,
                      enum asnap_root_kind *kind, uint32_t *thread)
{
    const struct asnap_thread_stacks *stacks = &search->roots->stacks;
    for (size_t i = 0; i < stacks->elsewhere_count; i++) {
        if (stacks->elsewhere[i].start >= start && stacks->elsewhere[i].start < end) {
            *kind = ASNAP_ROOT_STACK;
            *thread = stacks->elsewhere[i].thread;
            return true;
        }
    }
    for (size_t i = 0; i < search->facts->thread_count; i++) {
        uint64_t pointer = search->facts->threads[i].thread_pointer;
        if (pointer >= start && pointer < end) {
            *kind = ASNAP_ROOT_TLS;
            *thread = (uint32_t)i;
            return true;
        }
    }
    return false;
}

/* A piece of a region that nothing has claimed. */
static struct asnap_error *add_unclaimed(struct search *search, const struct asnap_region *region,
                                         uint64_t start, uint64_t end)
{
    if (asnap_region_is_file(region))
        return add_root(search->roots, start, end, ASNAP_ROOT_FILE, 0);
    if (asnap_region_is(region, "[heap]") || has_block(search->index, start, end))
        return add_allocator(search, start, end);
    enum asnap_root_kind kind = ASNAP_ROOT_MAPPING;
    uint32_t thread = 0;
    thread_in(search, start, end, &kind, &thread);
    return add_root(search->roots, start, end, kind, thread);
}

static struct asnap_error *add_claimed(struct search *search, const struct asnap_claim *claim,
                                       uint64_t start, uint64_t end)
{
    switch (claim->kind) {
    case ASNAP_CLAIM_STACK:
        return add_root(search->roots, start, end, ASNAP_ROOT_STACK, claim->thread);
    case ASNAP_CLAIM_RED_ZONE:
        return add_root(search->roots, start, end, ASNAP_ROOT_RED_ZONE, claim->thread);
    case ASNAP_CLAIM_FILE:
        return add_root(search->roots, start, end, ASNAP_ROOT_FILE, 0);
    case ASNAP_CLAIM_HEAP:
        return search->gaps ? add_root(search->roots, start, end, ASNAP_ROOT_GAP, 0) : NULL;
    default:
        return NULL;
    }
}

static struct asnap_error *add_region(struct search *search, const struct asnap_region *region)
{
    const struct asnap_claims *claims = &search->claims;
    struct asnap_error *error = NULL;
    uint64_t at = region->start;
    for (size_t i = asnap_claims_after(claims, at); error == NULL && at < region->end; i++) {
        bool any = i < claims->count && claims->claims[i].start < region->end;
        uint64_t next = any ? claims->claims[i].start : region->end;
        if (next > at)
            error = add_unclaimed(search, region, at, next);
        if (error != NULL || !any)
            break;
        uint64_t start = next > at ? next : at;
        at = claims->claims[i].end < region->end ? claims->claims[i].end : region->end;
        error = add_claimed(search, &claims->claims[i], start, at);
    }
    return error;
}

static void count_missing(struct asnap_roots *roots, const struct asnap_graph_facts *facts)
{
    for (size_t i = 0; i < roots->count; i++)
        roots->missing_bytes +=
            asnap_core_map_absent(facts->core, roots->roots[i].start, roots->roots[i].end);
}

static struct asnap_error *claim_all(struct search *search, const struct asnap_address_range *own,
                                     size_t own_count)
{
    const struct asnap_graph_facts *facts = search->facts;
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < own_count; i++)
        error = asnap_claims_add(&search->claims, own[i].start, own[i].end, ASNAP_CLAIM_OWN, 0);
    if (error == NULL)
        error = asnap_file_segments_claim(facts, &search->claims);
    if (error == NULL)
        error = asnap_thread_stacks_claim(facts, &search->claims, &search->roots->stacks);
    if (error == NULL)
        error = asnap_heap_extents_claim(facts, search->index, &search->claims);
    if (error == NULL)
        error = asnap_claims_settle(&search->claims);
    return error;
}

/* ---- words that hold the start of a block, wherever in it they lead ---- */

/* Adds the word at `place` as a root of its own. */
static struct asnap_error *add_word(struct search *search, uint64_t place, uint64_t word,
                                    uint32_t kind, uint32_t thread)
{
    struct asnap_roots *roots = search->roots;
    uint32_t block = asnap_block_index_find(search->index, word);
    if (block == ASNAP_NO_BLOCK)
        return NULL;
    struct asnap_error *error =
        add_root(roots, place, place + 8, (enum asnap_root_kind)kind, thread);
    return error == NULL ? add_pointer(roots, place, block, (uint32_t)roots->count - 1) : error;
}

/* A stack pointer keeps the block that the stack is in; a thread pointer leads to the vector of the
 * thread's storage (DTV), behind its first element. */
static struct asnap_error *add_words(struct search *search)
{
    const struct asnap_graph_facts *facts = search->facts;
    const struct asnap_thread_stacks *stacks = &search->roots->stacks;
    struct asnap_error *error = NULL;
    for (uint32_t i = 0; error == NULL && i < facts->thread_count; i++) {
        const struct asnap_thread *thread = &facts->threads[i];
        uint64_t words[2];
        bool read = false;
        error = add_word(search, thread->stack_pointer, thread->stack_pointer, ASNAP_ROOT_STACK, i);
        if (error == NULL && thread->thread_pointer != 0)
            error = asnap_inferior_copy(facts, thread->thread_pointer, words, sizeof(words), &read);
        for (size_t j = 0; error == NULL && read && j < 2; j++)
            error = add_word(search, thread->thread_pointer + j * 8, words[j], ASNAP_ROOT_TLS, i);
    }
    for (size_t i = 0; error == NULL && i < stacks->vector_count; i++)
        error = add_word(search, stacks->vectors[i].place, stacks->vectors[i].word, ASNAP_ROOT_TLS,
                         UINT32_MAX);
    return error;
}

struct asnap_error *asnap_roots_find(struct asnap_roots *roots,
                                     const struct asnap_graph_facts *facts,
                                     const struct asnap_block_index *index,
                                     const struct asnap_address_range *own, size_t own_count,
                                     bool gaps)
{
    *roots = (struct asnap_roots){0};
    struct search search = {.roots = roots, .facts = facts, .index = index, .gaps = gaps};
    struct asnap_error *error = claim_all(&search, own, own_count);
    for (size_t i = 0; error == NULL && i < facts->region_count; i++) {
        if (asnap_region_is_data(&facts->regions[i]))
            error = add_region(&search, &facts->regions[i]);
    }
    asnap_claims_deinit(&search.claims);
    if (error == NULL && facts->core != NULL)
        count_missing(roots, facts);
    for (size_t i = 0; error == NULL && i < facts->register_count; i++)
        error = add_root(roots, i, i + 1, ASNAP_ROOT_REGISTER, facts->registers[i].thread);
    roots->searched = roots->count;
    if (error == NULL)
        error = add_words(&search);
    if (error != NULL)
        asnap_roots_deinit(roots);
    return error;
}

/* ---- reading them ---- */

struct reading {
    struct asnap_roots *roots;
    const struct asnap_block_index *index;
    uint32_t root;
    bool is_weak;   /* what it leads to is possible at most */
    bool is_strong; /* every pointer is an ordinary one */
};

static struct asnap_error *visit(void *context, uint64_t place, uint32_t edge)
{
    struct reading *reading = context;
    uint32_t block = asnap_edge_block(edge);
    if (reading->is_strong)
        edge = block;
    if (reading->is_weak)
        edge = block | (uint32_t)ASNAP_EDGE_INSIDE << ASNAP_EDGE_KIND_SHIFT;
    return add_pointer(reading->roots, place, edge, reading->root);
}

/* glibc's lists of free chunks lead to their heads, which begin 16 bytes before what would be the
 * block: in the last 8 bytes that the block before may use. */
static bool leads_to_free_chunk(const struct asnap_block_index *index, uint32_t edge, uint64_t word)
{
    uint32_t block = asnap_edge_block(edge);
    uint64_t size = asnap_block_size(index, block);
    uint64_t chunk = (size + 8 + 15) & ~UINT64_C(15);
    if (chunk < 32)
        chunk = 32;
    return word - index->blocks[block].start == chunk - 16;
}

struct libc_reading {
    struct reading reading;
    const struct asnap_graph_facts *facts;
};

static struct asnap_error *visit_libc(void *context, uint64_t place, uint32_t edge)
{
    struct libc_reading *libc = context;
    if (!asnap_edge_is_start(edge)) {
        uint64_t word;
        bool read;
        struct asnap_error *error =
            asnap_inferior_copy(libc->facts, place, &word, sizeof(word), &read);
        if (error != NULL || (read && leads_to_free_chunk(libc->reading.index, edge, word)))
            return error;
    }
    return visit(&libc->reading, place, edge);
}

/* The name of the file that a root is data of; "" where it is none's. What is zero-initialised has
 * no file in the map where it does not begin in the file's last page: the C library's does. */
static const char *file_name(const struct asnap_graph_facts *facts, const struct asnap_root *root)
{
    const struct asnap_region *region = asnap_inferior_region(facts, root->start);
    if (root->kind != ASNAP_ROOT_FILE || region == NULL || region->path == NULL)
        return "";
    const char *slash = strrchr(region->path, '/');
    return slash == NULL ? "" : slash + 1;
}

static bool is_libc(const char *name)
{
    return strncmp(name, "libc.", 5) == 0 || strncmp(name, "libc-", 5) == 0;
}

/* The dynamic loader keeps what it allocates by pointers behind its heads. */
static bool is_loader(const char *name)
{
    return strncmp(name, "ld-", 3) == 0 || strncmp(name, "ld.so", 5) == 0 ||
           strncmp(name, "ld64", 4) == 0;
}

struct asnap_error *asnap_roots_read(struct asnap_roots *roots,
                                     const struct asnap_graph_facts *facts,
                                     const struct asnap_block_index *index,
                                     const struct asnap_edges *edges,
                                     const struct asnap_word_reader *reader)
{
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < roots->searched; i++) {
        const struct asnap_root *root = &roots->roots[i];
        const char *file = file_name(facts, root);
        struct reading reading = {.roots = roots,
                                  .index = index,
                                  .root = (uint32_t)i,
                                  .is_weak = root->kind == ASNAP_ROOT_GAP,
                                  .is_strong = is_loader(file)};
        struct libc_reading libc = {reading, facts};
        uint32_t edge;
        if (root->kind == ASNAP_ROOT_REGISTER) {
            uint64_t word = facts->registers[root->start].value;
            if (asnap_edges_word(edges, index, reader, word, &edge))
                error = add_pointer(roots, root->start, edge, (uint32_t)i);
        } else if (is_libc(file)) {
            error = asnap_edges_scan(edges, index, reader, root->start, root->end, visit_libc,
                                     &libc, &roots->unread_bytes);
        } else {
            error = asnap_edges_scan(edges, index, reader, root->start, root->end, visit, &reading,
                                     &roots->unread_bytes);
        }
    }
    return error;
}

void asnap_roots_deinit(struct asnap_roots *roots)
{
    free(roots->roots);
    free(roots->pointers);
    asnap_thread_stacks_deinit(&roots->stacks);
    *roots = (struct asnap_roots){0};
}
