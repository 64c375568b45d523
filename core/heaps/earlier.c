/* Blocks that the hooks have no record of: those that the program had before they traced. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "heap.h"
#include "heap_memory.h"
#include "raw.h"
#include "reserve.h"

enum {
    HEADER = 16,
    NEAR = 64,  /* words at the end of a stack: whoever calls there */
    FAR = 1024, /* words that hooks and malloc(3) have on it at most */
    KEPT = 16,  /* words that the oldest of their callers may have saved */
};

/* What threads in the middle of malloc(3) or free(3) have in registers and on their stacks. */
struct hands {
    uint64_t *words;
    size_t count;
    size_t capacity;
};

struct adding {
    const struct asnap_heap *heap;
    const struct asnap_heap_facts *facts;
    const struct asnap_address_range *code;
    size_t code_count;
    struct asnap_heap_memory memory;
    struct hands hands;
    uint8_t *is_known; /* a bit for each chunk that has a record, or is in a thread's hands */
};

static bool is_in_call(const struct adding *adding, uint64_t address)
{
    for (size_t i = 0; i < adding->code_count; i++) {
        if (address >= adding->code[i].start && address < adding->code[i].end)
            return true;
    }
    return false;
}

static struct asnap_error *add_words(struct hands *hands, const uint64_t *words, size_t count)
{
    if (hands->capacity - hands->count < count) {
        size_t capacity = 2 * (hands->count + count);
        uint64_t *grown = reallocarray(hands->words, capacity, sizeof(*grown));
        if (grown == NULL)
            return asnap_error_no_memory();
        hands->words = grown;
        hands->capacity = capacity;
    }
    memcpy(hands->words + hands->count, words, count * sizeof(*words));
    hands->count += count;
    return NULL;
}

/* Reads the end of a stack, as much of it as there is, up to FAR words. */
static struct asnap_error *read_stack(struct adding *adding, uint32_t thread, uint64_t *words,
                                      size_t *count)
{
    const struct asnap_heap_facts *facts = adding->facts;
    uint64_t pointer = thread < facts->thread_count ? facts->threads[thread].stack_pointer : 0;
    const struct asnap_region *region = asnap_heap_region(facts, pointer);
    bool is_there = false;
    *count = 0;
    if (pointer == 0 || region == NULL)
        return NULL;
    size_t most = (size_t)((region->end - pointer) / 8 < FAR ? (region->end - pointer) / 8 : FAR);
    struct asnap_error *error =
        asnap_heap_copy(&adding->memory, pointer, words, most * sizeof(*words), &is_there);
    *count = error == NULL && is_there ? most : 0;
    return error;
}

/* How many of the words belong to calls of the hooks or of malloc(3); 0: it is in none. */
static size_t words_of_calls(const struct adding *adding, uint64_t counter, const uint64_t *words,
                             size_t count)
{
    size_t end = is_in_call(adding, counter) ? 1 : 0;
    for (size_t i = 0; i < count && (end != 0 || i < NEAR); i++) {
        if (is_in_call(adding, words[i]))
            end = i + 1;
    }
    if (end == 0)
        return 0;
    return count - end < KEPT ? count : end + KEPT;
}

/* Adds what the thread has whose registers begin at *place, which becomes the next one's. */
static struct asnap_error *add_thread(struct adding *adding, size_t *place)
{
    const struct asnap_heap_facts *facts = adding->facts;
    uint64_t words[FAR];
    uint32_t thread = facts->registers[*place].thread;
    size_t first = *place;
    size_t count;
    uint64_t counter = 0;
    for (; *place < facts->register_count && facts->registers[*place].thread == thread; ++*place) {
        const struct asnap_register *one = &facts->registers[*place];
        if (strcmp(one->name, "rip") == 0 || strcmp(one->name, "pc") == 0)
            counter = one->value;
    }
    struct asnap_error *error = read_stack(adding, thread, words, &count);
    size_t held = error == NULL ? words_of_calls(adding, counter, words, count) : 0;
    if (held == 0 && !is_in_call(adding, counter))
        return error;
    for (size_t i = first; error == NULL && i < *place; i++)
        error = add_words(&adding->hands, &facts->registers[i].value, 1);
    return error == NULL ? add_words(&adding->hands, words, held < count ? held : count) : error;
}

/* The chunk that ends at an address, in memory of an arena; NULL: none does. */
static struct asnap_chunk *chunk_before(const struct asnap_heap *heap, uint64_t end)
{
    const struct asnap_segment *segment = asnap_heap_segment(heap, end - 1);
    if (segment == NULL)
        return NULL;
    size_t place = asnap_heap_place_from(heap, segment, end);
    struct asnap_chunk *chunk = place == segment->first ? NULL : &heap->chunks[place - 1];
    bool ends = chunk != NULL && chunk->address + asnap_chunk_size(chunk) == end;
    return ends ? chunk : NULL;
}

/* Marks a chunk as known; whether it is live and was not marked before. */
static bool mark(struct adding *adding, const struct asnap_chunk *chunk)
{
    if (chunk == NULL || asnap_chunk_use(chunk) != ASNAP_CHUNK_LIVE)
        return false;
    size_t place = (size_t)(chunk - adding->heap->chunks);
    bool is_new = (adding->is_known[place / 8] >> place % 8 & 1) == 0;
    adding->is_known[place / 8] |= (uint8_t)(1u << place % 8);
    return is_new;
}

/* Marks those in threads' hands, by their blocks or their headers; and what ends there, which may
 * be a part of a chunk that is being cut or joined. */
static size_t mark_hands(struct adding *adding)
{
    size_t held = 0;
    for (size_t i = 0; i < adding->hands.count; i++) {
        uint64_t word = adding->hands.words[i];
        if (word % HEADER == 0 && word > HEADER)
            held += (size_t)mark(adding, asnap_heap_chunk_of(adding->heap, word)) +
                    (size_t)mark(adding, asnap_heap_chunk_of(adding->heap, word + HEADER)) +
                    (size_t)mark(adding, chunk_before(adding->heap, word));
    }
    return held;
}

static struct asnap_error *add_node(struct asnap_raw *raw, uint32_t *node)
{
    struct asnap_raw_node *nodes = reallocarray(raw->nodes, raw->node_count + 1, sizeof(*nodes));
    if (nodes == NULL)
        return asnap_error_no_memory();
    raw->nodes = nodes;
    nodes[raw->node_count] =
        (struct asnap_raw_node){.pc = ASNAP_RAW_NOT_COUNTED, .parent = ASNAP_RAW_NONE};
    *node = (uint32_t)raw->node_count++;
    return NULL;
}

static struct asnap_error *add_traces(const struct adding *adding, struct asnap_raw *raw,
                                      size_t *added, uint64_t *bytes)
{
    const struct asnap_heap *heap = adding->heap;
    uint32_t node = 0;
    size_t count = 0;
    for (size_t i = 0; i < heap->chunk_count; i++)
        count += asnap_chunk_use(&heap->chunks[i]) == ASNAP_CHUNK_LIVE &&
                 (adding->is_known[i / 8] >> i % 8 & 1) == 0;
    *added = count;
    *bytes = 0;
    if (count == 0)
        return NULL;
    struct asnap_trace *traces = asnap_reserve_take(raw->trace_count + count, sizeof(*traces));
    if (traces == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = add_node(raw, &node);
    if (error != NULL) {
        asnap_reserve_give(traces);
        return error;
    }
    if (raw->trace_count != 0)
        memcpy(traces, raw->traces, raw->trace_count * sizeof(*traces));
    asnap_reserve_give(raw->traces);
    raw->traces = traces;
    for (size_t i = 0; i < heap->chunk_count; i++) {
        if (asnap_chunk_use(&heap->chunks[i]) != ASNAP_CHUNK_LIVE ||
            (adding->is_known[i / 8] >> i % 8 & 1) != 0)
            continue;
        struct asnap_heap_chunk chunk = asnap_heap_chunk(heap, i);
        traces[raw->trace_count++] = (struct asnap_trace){.address = chunk.address,
                                                          .size = chunk.usable,
                                                          .traceback_id = node,
                                                          .time = ASNAP_TIME_UNKNOWN};
        *bytes += chunk.usable;
    }
    return NULL;
}

static struct asnap_error *add_notes(const struct adding *adding, struct asnap_raw *raw,
                                     size_t added, uint64_t bytes, size_t held)
{
    char text[256];
    snprintf(text, sizeof(text),
             "%zu block%s from before tracing, or without a record: %" PRIu64
             " bytes, from glibc's own structures, without stacks; sizes are usable sizes",
             added, added == 1 ? "" : "s", bytes);
    struct asnap_error *error = added == 0 ? NULL : asnap_raw_add_note(raw, text);
    snprintf(text, sizeof(text),
             "%zu block%s without a record: threads in the middle of malloc or free have the "
             "address%s at hand",
             held, held == 1 ? " is left out that is" : "s are left out that are",
             held == 1 ? "" : "es");
    if (error == NULL && held != 0)
        error = asnap_raw_add_note(raw, text);
    for (size_t i = 0; error == NULL && i < adding->heap->note_count; i++)
        error = asnap_raw_add_note(raw, adding->heap->notes[i]);
    return error;
}

static struct asnap_error *add_earlier(struct adding *adding, struct asnap_raw *raw)
{
    const struct asnap_heap_facts *facts = adding->facts;
    struct asnap_error *error = NULL;
    size_t added = 0;
    uint64_t bytes = 0;
    adding->is_known = calloc(adding->heap->chunk_count / 8 + 1, 1);
    if (adding->is_known == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; error == NULL && i < facts->register_count;)
        error = add_thread(adding, &i);
    /* Those of other domains are parts of blocks. */
    for (size_t i = 0; error == NULL && i < raw->trace_count; i++) {
        if (raw->traces[i].domain == 0 && raw->traces[i].address >= HEADER)
            (void)mark(adding, asnap_heap_chunk_of(adding->heap, raw->traces[i].address));
    }
    size_t held = mark_hands(adding);
    if (error == NULL)
        error = add_traces(adding, raw, &added, &bytes);
    return error == NULL ? add_notes(adding, raw, added, bytes, held) : error;
}

struct asnap_error *asnap_heap_add_earlier(const struct asnap_heap *heap,
                                           const struct asnap_heap_facts *facts,
                                           const struct asnap_address_range *code,
                                           size_t code_count, struct asnap_raw *raw)
{
    struct adding adding = {.heap = heap, .facts = facts, .code = code, .code_count = code_count};
    if (raw->sample_period != 0)
        return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                                  "blocks from before tracing are not added to a sample: nothing "
                                  "tells them from those that it passed by");
    struct asnap_error *error = asnap_heap_memory_init(&adding.memory, facts);
    if (error == NULL)
        error = add_earlier(&adding, raw);
    asnap_heap_memory_deinit(&adding.memory);
    free(adding.hands.words);
    free(adding.is_known);
    return error;
}
