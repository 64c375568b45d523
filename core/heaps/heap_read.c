/* Reading the heaps of a process: the table of readers, and what they find as raw traces. */
#include <stdlib.h>

#include "error.h"
#include "heap.h"
#include "raw.h"
#include "reserve.h"

static const struct asnap_heap_reader *const readers[] = {&asnap_glibc_reader};

enum { READERS = sizeof(readers) / sizeof(readers[0]) };

/* Sums up each area; an area ends where the next one's chunks begin. */
static void sum_up(struct asnap_heap *heap)
{
    for (size_t i = 0; i < heap->area_count; i++) {
        size_t first = heap->area_ends[i];
        size_t end = i + 1 < heap->area_count ? heap->area_ends[i + 1] : heap->chunk_count;
        for (size_t k = first; k < end; k++) {
            struct asnap_heap_sum *sum = &heap->areas[i].sums[asnap_chunk_use(&heap->chunks[k])];
            sum->size += asnap_chunk_size(&heap->chunks[k]);
            sum->count++;
        }
    }
    for (size_t i = 0; i < heap->area_count; i++)
        heap->area_ends[i] = i + 1 < heap->area_count ? heap->area_ends[i + 1] : heap->chunk_count;
}

static struct asnap_error *none_found(void)
{
    return asnap_error_create(
        ASNAP_ERROR_UNSUPPORTED,
        "no heap of glibc 2.28 to 2.41 is found in the memory that can be read: the program has "
        "another allocator or C library, or the core lacks the writable data of libc.so.6");
}

struct asnap_error *asnap_heap_read(const struct asnap_heap_facts *facts, struct asnap_heap **heap)
{
    if (facts == NULL || facts->memory == NULL || heap == NULL ||
        (facts->region_count != 0 && facts->regions == NULL) ||
        (facts->thread_count != 0 && facts->threads == NULL) ||
        (facts->register_count != 0 && facts->registers == NULL))
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT, "asnap_heap_read: NULL argument");
    struct asnap_heap *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = NULL;
    bool is_found = false;
    for (size_t i = 0; error == NULL && !is_found && i < READERS; i++)
        error = readers[i]->read(facts, made, &is_found);
    if (error == NULL && !is_found)
        error = none_found();
    if (error != NULL) {
        asnap_heap_destroy(made);
        return error;
    }
    sum_up(made);
    *heap = made;
    return NULL;
}

/* The one stack of all blocks: no frame, and how many there were is not known. */
static struct asnap_error *add_node(struct asnap_raw *raw)
{
    raw->nodes = calloc(1, sizeof(*raw->nodes));
    raw->threads = calloc(1, sizeof(*raw->threads));
    raw->modules = calloc(1, sizeof(*raw->modules));
    if (raw->nodes == NULL || raw->threads == NULL || raw->modules == NULL)
        return asnap_error_no_memory();
    raw->nodes[0] = (struct asnap_raw_node){.pc = ASNAP_RAW_NOT_COUNTED, .parent = ASNAP_RAW_NONE};
    raw->node_count = 1;
    raw->thread_count = 1;
    raw->module_count = 1;
    raw->frame_limit = 1;
    return NULL;
}

static struct asnap_error *add_traces(const struct asnap_heap *heap, struct asnap_raw *raw)
{
    size_t count = 0;
    for (size_t i = 0; i < heap->area_count; i++)
        count += heap->areas[i].sums[ASNAP_CHUNK_LIVE].count;
    raw->traces = asnap_reserve_take(count + 1, sizeof(*raw->traces));
    if (raw->traces == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < heap->chunk_count; i++) {
        if (asnap_chunk_use(&heap->chunks[i]) != ASNAP_CHUNK_LIVE)
            continue;
        struct asnap_heap_chunk chunk = asnap_heap_chunk(heap, i);
        raw->traces[raw->trace_count++] = (struct asnap_trace){
            .address = chunk.address, .size = chunk.usable, .time = ASNAP_TIME_UNKNOWN};
    }
    return NULL;
}

struct asnap_error *asnap_heap_raw(const struct asnap_heap *heap, struct asnap_raw **raw)
{
    struct asnap_raw *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = add_node(made);
    if (error == NULL)
        error = asnap_raw_add_note(
            made, "no hooks: blocks from glibc's own structures, without stacks; sizes are usable "
                  "sizes");
    for (size_t i = 0; error == NULL && i < heap->note_count; i++)
        error = asnap_raw_add_note(made, heap->notes[i]);
    if (error == NULL)
        error = add_traces(heap, made);
    if (error != NULL) {
        asnap_raw_destroy(made);
        return error;
    }
    *raw = made;
    return NULL;
}
