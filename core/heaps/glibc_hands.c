#include "glibc_hands.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "grow.h"

/* No chunk is smaller, and none that a thread has in hand larger. */
#define LEAST 32
#define MOST ((uint64_t)1 << 40)

enum { ALIGNMENT = 16 };

bool asnap_glibc_hand_has(const struct asnap_glibc_hand *hand, uint64_t word)
{
    for (size_t i = 0; i < hand->count; i++) {
        if (hand->words[i] == word)
            return true;
    }
    return false;
}

static struct asnap_error *add_span(struct asnap_glibc_hands *hands, uint64_t start, uint64_t end,
                                    bool is_whole)
{
    struct asnap_glibc_span *spans =
        asnap_grow(hands->spans, &hands->span_capacity, hands->span_count + 1, sizeof(*spans));
    if (spans == NULL)
        return asnap_error_no_memory();
    hands->spans = spans;
    spans[hands->span_count++] = (struct asnap_glibc_span){start, end, is_whole};
    return NULL;
}

/* Adds what an address and a size say: memory behind it, and before it. */
static struct asnap_error *add_spans_of(struct asnap_glibc_hands *hands,
                                        const struct asnap_glibc_hand *hand, uint64_t address,
                                        uint64_t size)
{
    bool is_whole = asnap_glibc_hand_has(hand, address + size);
    struct asnap_error *error = add_span(hands, address, address + size, is_whole);
    if (error == NULL && size < address && !asnap_glibc_hand_has(hand, address - size))
        error = add_span(hands, address - size, address, false);
    return error;
}

static struct asnap_error *add_spans(struct asnap_glibc_hands *hands,
                                     const struct asnap_heap_facts *facts,
                                     const struct asnap_glibc_hand *hand)
{
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < hand->count; i++) {
        uint64_t address = hand->words[i];
        if (address % ALIGNMENT != 0 || !asnap_heap_is_writable(asnap_heap_region(facts, address)))
            continue;
        for (size_t k = 0; error == NULL && k < hand->count; k++) {
            uint64_t size = hand->words[k];
            if (size % ALIGNMENT == 0 && size >= LEAST && size < MOST)
                error = add_spans_of(hands, hand, address, size);
        }
    }
    return error;
}

/* Whether a register is a general one, as gdb, LLDB and the library name them: on x86-64 rax and so
 * on, on aarch64 x0 and so on. */
static bool is_general(const char *name)
{
    return (name[0] == 'r' || (name[0] == 'x' && name[1] >= '0' && name[1] <= '9')) &&
           strcmp(name, "rip") != 0;
}

static bool is_counter(const char *name)
{
    return strcmp(name, "rip") == 0 || strcmp(name, "pc") == 0;
}

/* Whether an address is in code of the file that `data` is of. */
static bool is_code(const struct asnap_heap_facts *facts, uint64_t address, uint64_t data)
{
    const struct asnap_region *code = asnap_heap_region(facts, address);
    const struct asnap_region *other = asnap_heap_region(facts, data);
    return code != NULL && other != NULL && (code->flags & ASNAP_REGION_EXECUTABLE) != 0 &&
           code->path != NULL && other->path != NULL && strcmp(code->path, other->path) == 0;
}

/* Adds the end of a thread's stack to its registers. */
static struct asnap_error *read_stack(struct asnap_heap_memory *memory, uint64_t stack_pointer,
                                      struct asnap_glibc_hand *hand)
{
    uint64_t words[ASNAP_GLIBC_HAND_WORDS - ASNAP_GLIBC_HAND_REGISTERS];
    bool is_there = false;
    struct asnap_error *error = NULL;
    if (stack_pointer != 0)
        error = asnap_heap_copy(memory, stack_pointer, words, sizeof(words), &is_there);
    if (error != NULL || !is_there)
        return error;
    memcpy(hand->words + hand->count, words, sizeof(words));
    hand->count += sizeof(words) / sizeof(words[0]);
    return NULL;
}

/* Reads the registers of the thread that has those from `first` on; `after` becomes the place of
 * the next thread's. */
static bool read_registers(const struct asnap_heap_facts *facts, size_t first, uint64_t data,
                           struct asnap_glibc_hand *hand, size_t *after)
{
    uint32_t thread = facts->registers[first].thread;
    bool is_inside = false;
    size_t i = first;
    hand->count = 0;
    for (; i < facts->register_count && facts->registers[i].thread == thread; i++) {
        const struct asnap_register *one = &facts->registers[i];
        if (is_counter(one->name))
            is_inside = is_code(facts, one->value, data);
        else if (is_general(one->name) && hand->count < ASNAP_GLIBC_HAND_REGISTERS)
            hand->words[hand->count++] = one->value;
    }
    hand->register_count = hand->count;
    *after = i;
    return is_inside && thread < facts->thread_count;
}

static struct asnap_error *add_hand(struct asnap_glibc_hands *hands,
                                    struct asnap_heap_memory *memory, uint32_t thread,
                                    struct asnap_glibc_hand *hand)
{
    const struct asnap_heap_facts *facts = memory->facts;
    struct asnap_error *error = read_stack(memory, facts->threads[thread].stack_pointer, hand);
    struct asnap_glibc_hand *grown =
        asnap_grow(hands->hands, &hands->capacity, hands->count + 1, sizeof(*grown));
    if (error == NULL && grown == NULL)
        error = asnap_error_no_memory();
    if (grown != NULL)
        hands->hands = grown;
    if (error != NULL)
        return error;
    grown[hands->count++] = *hand;
    return add_spans(hands, facts, hand);
}

struct asnap_error *asnap_glibc_hands_add(struct asnap_glibc_hands *hands,
                                          struct asnap_heap_memory *memory, uint64_t data)
{
    const struct asnap_heap_facts *facts = memory->facts;
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < facts->register_count;) {
        struct asnap_glibc_hand hand;
        uint32_t thread = facts->registers[i].thread;
        if (read_registers(facts, i, data, &hand, &i))
            error = add_hand(hands, memory, thread, &hand);
        if (error == NULL)
            error = asnap_heap_ask(memory);
    }
    return error;
}

static int by_start(const void *left, const void *right)
{
    const struct asnap_glibc_span *a = left;
    const struct asnap_glibc_span *b = right;
    return (a->start > b->start) - (a->start < b->start);
}

void asnap_glibc_hands_sort(struct asnap_glibc_hands *hands)
{
    if (hands->span_count > 1)
        qsort(hands->spans, hands->span_count, sizeof(*hands->spans), by_start);
}

void asnap_glibc_hands_deinit(struct asnap_glibc_hands *hands)
{
    free(hands->hands);
    free(hands->spans);
}

const struct asnap_glibc_span *asnap_glibc_hands_spans(const struct asnap_glibc_hands *hands,
                                                       uint64_t start, size_t *count)
{
    size_t low = 0;
    size_t high = hands->span_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (hands->spans[middle].start < start)
            low = middle + 1;
        else
            high = middle;
    }
    size_t end = low;
    while (end < hands->span_count && hands->spans[end].start == start)
        end++;
    *count = end - low;
    return *count == 0 ? NULL : &hands->spans[low];
}
