#include "edges.h"

#include <stdlib.h>
#include <string.h>

#include "edge_list.h"
#include "error.h"
#include "grow.h"
#include "word_window.h"

#define WORD 8u
/* What is skipped between two blocks is cheaper to read than to leave out. */
#define GAP 4096u
/* The words that a block's shape is seen by. */
#define SHAPE_BYTES 24u
#define REPORT_BYTES ((uint64_t)64 << 20)

/* A pass over the memory of all blocks. */
struct pass {
    const struct asnap_block_index *index;
    const struct asnap_word_reader *reader;
    struct asnap_word_window window;
    struct asnap_edges *edges;
    struct asnap_edge_list list; /* the edges, the first time */
    uint32_t run_next; /* the first block after the run of neighbours that is being read */
    uint64_t run_end;
    uint64_t done; /* bytes */
    uint64_t reported;
    uint64_t total;
    size_t inner_capacity;
    /* Words that may be addresses in blocks, and the blocks that they are in. */
    uint64_t words[ASNAP_FIND_MANY];
    uint32_t sources[ASNAP_FIND_MANY];
    size_t word_count;
    uint32_t next_first; /* the first block of which edges->first is not set */
    /* The second time: edges are there, and those that second base classes explain are told. */
    bool again;
    size_t cursor; /* the next edge of this block */
    uint32_t cursor_block;
};

static uint64_t word_at(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

static uint32_t edge_to(const struct asnap_block_index *index, uint32_t block, uint64_t word)
{
    uint64_t offset = word - index->blocks[block].start;
    enum asnap_edge_kind kind = offset == 0    ? ASNAP_EDGE_START
                                : offset == 8  ? ASNAP_EDGE_AT_8
                                : offset == 24 ? ASNAP_EDGE_AT_24
                                               : ASNAP_EDGE_INSIDE;
    return block | (uint32_t)kind << ASNAP_EDGE_KIND_SHIFT;
}

static bool among(const uint64_t *sorted, size_t count, uint64_t wanted)
{
    size_t first = 0;
    while (first < count) {
        size_t middle = first + (count - first) / 2;
        if (sorted[middle] == wanted)
            return true;
        if (sorted[middle] < wanted)
            first = middle + 1;
        else
            count = middle;
    }
    return false;
}

/* The kind of an edge, now that the shape of each block is known: a start, or inside. */
static uint32_t settled(const struct asnap_edges *edges, uint32_t edge, uint64_t word)
{
    uint32_t block = asnap_edge_block(edge);
    uint8_t shape = edges->shapes[block];
    enum asnap_edge_kind kind = (enum asnap_edge_kind)(edge >> ASNAP_EDGE_KIND_SHIFT);
    bool ordinary =
        kind == ASNAP_EDGE_START ||
        (kind == ASNAP_EDGE_AT_8 && (shape & ASNAP_SHAPE_COUNTED) != 0) ||
        (kind == ASNAP_EDGE_AT_24 && (shape & ASNAP_SHAPE_STRING) != 0) ||
        ((shape & ASNAP_SHAPE_VTABLE) != 0 && among(edges->inner, edges->inner_count, word));
    kind = ordinary ? ASNAP_EDGE_START : ASNAP_EDGE_INSIDE;
    return block | (uint32_t)kind << ASNAP_EDGE_KIND_SHIFT;
}

/* The edges of blocks up to `last` begin where there are none yet. */
static void begin_up_to(struct pass *pass, uint32_t last)
{
    while (pass->next_first <= last)
        pass->edges->first[pass->next_first++] = (uint32_t)asnap_edge_list_count(&pass->list);
}

static struct asnap_error *add_edge(struct pass *pass, uint32_t source, uint32_t edge)
{
    begin_up_to(pass, source);
    if (asnap_edge_list_count(&pass->list) == UINT32_MAX - 1)
        return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                                  "there are more than 4,294,967,294 pointers between the blocks: "
                                  "filter the snapshot first");
    return asnap_edge_list_add(&pass->list, edge) ? NULL : asnap_error_no_memory();
}

static bool is_vtable(const struct asnap_word_reader *reader, uint64_t word)
{
    return reader->is_vtable != NULL && reader->is_vtable(reader->context, word);
}

/* What a block looks like whose first `available` bytes these are. */
static uint8_t shape_of(const struct pass *pass, const struct asnap_graph_block *block,
                        const uint8_t *bytes, size_t available)
{
    uint64_t size = block->end - block->start;
    uint64_t first = word_at(bytes);
    uint8_t shape = 0;
    if (first > 0 && size > WORD && first <= size - WORD && (size - WORD) % first == 0)
        shape |= ASNAP_SHAPE_COUNTED;
    if (available >= SHAPE_BYTES) {
        uint64_t capacity = word_at(bytes + WORD);
        if (size > SHAPE_BYTES && capacity == size - SHAPE_BYTES - 1 && first <= capacity)
            shape |= ASNAP_SHAPE_STRING;
    }
    if (is_vtable(pass->reader, first))
        shape |= ASNAP_SHAPE_VTABLE;
    return shape;
}

/* Of a block that begins with a vtable pointer: notes the places of others in it. */
static struct asnap_error *note_vtables(struct pass *pass, uint64_t place, const uint8_t *bytes,
                                        size_t size)
{
    for (size_t at = 0; at + WORD <= size; at += WORD) {
        if (!is_vtable(pass->reader, word_at(bytes + at)))
            continue;
        struct asnap_edges *edges = pass->edges;
        uint64_t *inner =
            asnap_grow(edges->inner, &pass->inner_capacity, edges->inner_count + 1, sizeof(*inner));
        if (inner == NULL)
            return asnap_error_no_memory();
        edges->inner = inner;
        inner[edges->inner_count++] = place + at;
    }
    return NULL;
}

/* The second time a word is seen that makes an edge. Where the memory has changed since, what
 * is known stays. */
static void settle_again(struct pass *pass, uint32_t source, uint32_t block, uint64_t word)
{
    struct asnap_edges *edges = pass->edges;
    if (source != pass->cursor_block) {
        pass->cursor_block = source;
        pass->cursor = edges->first[source];
    }
    if (pass->cursor >= edges->first[source + 1] ||
        asnap_edge_block(edges->targets[pass->cursor]) != block)
        return;
    edges->targets[pass->cursor] = settled(edges, edges->targets[pass->cursor], word);
    pass->cursor++;
}

/* Adds the edges of the words that were put by. */
static struct asnap_error *add_words(struct pass *pass)
{
    uint32_t found[ASNAP_FIND_MANY];
    size_t count = pass->word_count;
    pass->word_count = 0;
    uint64_t starts = asnap_block_index_find_many(pass->index, pass->words, count, found);
    for (size_t i = 0; i < count; i++) {
        if (found[i] == ASNAP_NO_BLOCK)
            continue;
        if (pass->again) {
            settle_again(pass, pass->sources[i], found[i], pass->words[i]);
            continue;
        }
        uint32_t edge =
            (starts >> i & 1) != 0 ? found[i] : edge_to(pass->index, found[i], pass->words[i]);
        struct asnap_error *error = add_edge(pass, pass->sources[i], edge);
        if (error != NULL)
            return error;
    }
    return NULL;
}

/* Words that are looked at together: in most such pieces none may be an address. */
#define TOGETHER 4u

/* What a word must be for an address in a block, or close to one. */
struct address_test {
    uint64_t mask;
    uint64_t lowest;
    uint64_t range;
};

static bool is_possible(const struct address_test *test, const uint8_t *bytes)
{
    return (word_at(bytes) & test->mask) - test->lowest < test->range;
}

/* Whether any of TOGETHER words may be an address in a block. */
static bool any_possible(const struct address_test *test, const uint8_t *bytes)
{
    bool any = false;
    for (size_t i = 0; i < TOGETHER; i++)
        any |= is_possible(test, bytes + i * WORD);
    return any;
}

/* Puts a word of a block by where it may be an address in a block. */
static inline struct asnap_error *take_word(struct pass *pass, const struct address_test *test,
                                            uint32_t source, const uint8_t *bytes)
{
    if (!is_possible(test, bytes))
        return NULL;
    pass->words[pass->word_count] = word_at(bytes) & test->mask;
    pass->sources[pass->word_count++] = source;
    return pass->word_count == ASNAP_FIND_MANY ? add_words(pass) : NULL;
}

/* Puts by those of a block's words, which lie side by side, that may be addresses in blocks. */
static struct asnap_error *take_words(struct pass *pass, uint32_t source, const uint8_t *bytes,
                                      size_t size)
{
    const struct address_test test = {~pass->reader->tag_mask, pass->index->lowest,
                                      pass->index->highest - pass->index->lowest};
    size_t whole = size / WORD * WORD;
    for (size_t at = 0; at < whole;) {
        size_t end = at + TOGETHER * WORD;
        if (end <= whole && !any_possible(&test, bytes + at)) {
            at = end;
            continue;
        }
        for (end = end < whole ? end : whole; at < end; at += WORD) {
            struct asnap_error *error = take_word(pass, &test, source, bytes + at);
            if (error != NULL)
                return error;
        }
    }
    return NULL;
}

static struct asnap_error *report(struct pass *pass)
{
    const struct asnap_progress *progress = pass->reader->progress;
    if (progress == NULL || pass->done - pass->reported < REPORT_BYTES)
        return NULL;
    pass->reported = pass->done;
    if (progress->report(progress->context, "reading the heap", pass->done, pass->total))
        return NULL;
    return asnap_error_interrupted("reading the heap");
}

/* How far blocks lie side by side from one on, which ends at `end`. */
static uint64_t run_from(struct pass *pass, uint32_t block, uint64_t end)
{
    const struct asnap_block_index *index = pass->index;
    if (pass->run_next <= block) {
        pass->run_next = block + 1;
        pass->run_end = end;
    }
    while (pass->run_next < index->count &&
           index->blocks[pass->run_next].start <= pass->run_end + GAP) {
        if (index->blocks[pass->run_next].end > pass->run_end)
            pass->run_end = index->blocks[pass->run_next].end;
        pass->run_next++;
    }
    return pass->run_end;
}

/* What the first words of a block, or of a piece of it, tell of its shape. */
static struct asnap_error *look_at_shape(struct pass *pass, uint32_t number, uint64_t at,
                                         const uint8_t *bytes, size_t size)
{
    const struct asnap_graph_block *block = &pass->index->blocks[number];
    uint8_t *shape = &pass->edges->shapes[number];
    bool first = at == block->start;
    if (first)
        *shape = shape_of(pass, block, bytes, size);
    if ((*shape & ASNAP_SHAPE_VTABLE) == 0)
        return NULL;
    size_t skipped = first ? WORD : 0;
    return note_vtables(pass, at + skipped, bytes + skipped, size - skipped);
}

/* The words of a block from `start` up to `end`, between which no other block begins. */
static struct asnap_error *scan_piece(struct pass *pass, uint32_t number, uint64_t start,
                                      uint64_t end)
{
    uint64_t at = (start + WORD - 1) & ~(uint64_t)(WORD - 1);
    end &= ~(uint64_t)(WORD - 1);
    /* Where blocks are nested, the window goes back and forth. */
    uint64_t likely = pass->index->outer == NULL ? run_from(pass, number, end) : end;
    while (at < end) {
        const uint8_t *bytes;
        size_t size;
        struct asnap_error *error =
            asnap_word_window_at(&pass->window, at, SHAPE_BYTES, end, likely, &bytes, &size);
        if (error == NULL && bytes == NULL && !pass->window.is_zero && !pass->again)
            pass->edges->unread_bytes += size;
        if (error == NULL && bytes != NULL && pass->reader->heuristics && !pass->again)
            error = look_at_shape(pass, number, at, bytes, size);
        if (error == NULL && bytes != NULL)
            error = take_words(pass, number, bytes, size);
        at += size;
        pass->done += size;
        if (error == NULL)
            error = report(pass);
        if (error != NULL)
            return error;
    }
    return NULL;
}

/* The first block that starts at `address` or later, of those from `from` on. */
static uint32_t first_at(const struct asnap_block_index *index, uint32_t from, uint64_t address)
{
    uint32_t end = index->count;
    while (from < end) {
        uint32_t middle = from + (end - from) / 2;
        if (index->blocks[middle].start < address)
            from = middle + 1;
        else
            end = middle;
    }
    return from;
}

/* The words of a block, less those of the blocks in it. */
static struct asnap_error *scan_block(struct pass *pass, uint32_t number)
{
    const struct asnap_block_index *index = pass->index;
    uint64_t at = index->blocks[number].start;
    uint64_t end = index->blocks[number].end;
    uint32_t inner = number + 1;
    while (inner < index->count && index->blocks[inner].start < end) {
        if (index->blocks[inner].start > at) {
            struct asnap_error *error = scan_piece(pass, number, at, index->blocks[inner].start);
            if (error != NULL)
                return error;
        }
        if (index->blocks[inner].end > at)
            at = index->blocks[inner].end;
        inner = first_at(index, inner + 1, at);
    }
    return at < end ? scan_piece(pass, number, at, end) : NULL;
}

/* What is in a block keeps it. */
static struct asnap_error *add_outer(struct pass *pass, uint32_t number)
{
    if (pass->again || pass->index->outer == NULL || pass->index->outer[number] == ASNAP_NO_BLOCK)
        return NULL;
    struct asnap_error *error = add_words(pass);
    return error == NULL ? add_edge(pass, number, pass->index->outer[number]) : error;
}

/* Whether a second base class may explain one of a block's pointers. */
static bool is_unsettled(const struct asnap_edges *edges, uint32_t number)
{
    for (uint32_t i = edges->first[number]; i < edges->first[number + 1]; i++) {
        uint32_t edge = edges->targets[i];
        if (!asnap_edge_is_start(edge) &&
            (edges->shapes[asnap_edge_block(edge)] & ASNAP_SHAPE_VTABLE) != 0)
            return true;
    }
    return false;
}

static struct asnap_error *scan_blocks(struct pass *pass)
{
    struct asnap_edges *edges = pass->edges;
    pass->done = pass->reported = 0;
    pass->run_next = 0;
    pass->cursor_block = ASNAP_NO_BLOCK;
    for (uint32_t i = 0; i < pass->index->count; i++) {
        if (pass->again && !is_unsettled(edges, i))
            continue;
        struct asnap_error *error = scan_block(pass, i);
        if (error == NULL)
            error = add_outer(pass, i);
        if (error != NULL)
            return error;
    }
    struct asnap_error *error = add_words(pass);
    if (!pass->again)
        begin_up_to(pass, pass->index->count);
    return error;
}

static void settle_all(struct asnap_edges *edges)
{
    for (size_t i = 0; i < edges->count; i++)
        edges->targets[i] = settled(edges, edges->targets[i], 0);
}

struct asnap_error *asnap_edges_init(struct asnap_edges *edges,
                                     const struct asnap_block_index *index,
                                     const struct asnap_word_reader *reader)
{
    *edges = (struct asnap_edges){0};
    struct pass pass = {.index = index, .reader = reader, .edges = edges};
    for (uint32_t i = 0; i < index->count; i++)
        pass.total += index->blocks[i].end - index->blocks[i].start;
    edges->first = asnap_large_array(index->count, sizeof(*edges->first));
    edges->shapes = asnap_large_array(index->count, sizeof(*edges->shapes));
    struct asnap_error *error =
        asnap_word_window_init(&pass.window, reader->memory, reader->holes, reader->hole_count);
    if (error == NULL && (edges->first == NULL || edges->shapes == NULL))
        error = asnap_error_no_memory();
    if (error == NULL)
        error = scan_blocks(&pass);
    edges->count = asnap_edge_list_count(&pass.list);
    if (error == NULL) {
        edges->targets = asnap_edge_list_join(&pass.list);
        error = edges->targets == NULL ? asnap_error_no_memory() : NULL;
    }
    asnap_edge_list_deinit(&pass.list);
    if (error == NULL && edges->inner_count > 0) {
        pass.again = true;
        error = scan_blocks(&pass);
    }
    asnap_word_window_deinit(&pass.window);
    if (error != NULL) {
        asnap_edges_deinit(edges);
        return error;
    }
    settle_all(edges);
    return NULL;
}

void asnap_edges_deinit(struct asnap_edges *edges)
{
    free(edges->first);
    free(edges->targets);
    free(edges->shapes);
    free(edges->inner);
    *edges = (struct asnap_edges){0};
}

bool asnap_edges_word(const struct asnap_edges *edges, const struct asnap_block_index *index,
                      const struct asnap_word_reader *reader, uint64_t word, uint32_t *edge)
{
    word &= ~reader->tag_mask;
    uint32_t block = asnap_block_index_find(index, word);
    if (block == ASNAP_NO_BLOCK)
        return false;
    *edge = settled(edges, edge_to(index, block, word), word);
    return true;
}

/* A range of words outside blocks. */
static struct asnap_error *scan_outside(const struct asnap_edges *edges,
                                        const struct asnap_block_index *index,
                                        const struct asnap_word_reader *reader,
                                        struct asnap_word_window *window, uint64_t start,
                                        uint64_t end, asnap_pointer_visitor *visit, void *context,
                                        uint64_t *unread_bytes)
{
    uint64_t at = (start + WORD - 1) & ~(uint64_t)(WORD - 1);
    end &= ~(uint64_t)(WORD - 1);
    while (at < end) {
        const uint8_t *bytes;
        size_t size;
        struct asnap_error *error = asnap_word_window_at(window, at, WORD, end, end, &bytes, &size);
        if (error == NULL && bytes == NULL && !window->is_zero)
            *unread_bytes += size;
        for (size_t i = 0; error == NULL && bytes != NULL && i + WORD <= size; i += WORD) {
            uint32_t edge;
            if (asnap_edges_word(edges, index, reader, word_at(bytes + i), &edge))
                error = visit(context, at + i, edge);
        }
        if (error == NULL && reader->progress != NULL &&
            !reader->progress->report(reader->progress->context, "reading the roots", 0, 0))
            error = asnap_error_interrupted("reading the roots");
        if (error != NULL)
            return error;
        at += size;
    }
    return NULL;
}

struct asnap_error *asnap_edges_scan(const struct asnap_edges *edges,
                                     const struct asnap_block_index *index,
                                     const struct asnap_word_reader *reader, uint64_t start,
                                     uint64_t end, asnap_pointer_visitor *visit, void *context,
                                     uint64_t *unread_bytes)
{
    struct asnap_word_window window;
    struct asnap_error *error =
        asnap_word_window_init(&window, reader->memory, reader->holes, reader->hole_count);
    while (error == NULL && start < end) {
        uint32_t holder = asnap_block_index_find(index, start);
        if (holder != ASNAP_NO_BLOCK) {
            start = index->blocks[holder].end;
            continue;
        }
        uint32_t next = first_at(index, 0, start);
        uint64_t until = end;
        if (next < index->count && index->blocks[next].start < end)
            until = index->blocks[next].start;
        error =
            scan_outside(edges, index, reader, &window, start, until, visit, context, unread_bytes);
        start = until;
    }
    asnap_word_window_deinit(&window);
    return error;
}
