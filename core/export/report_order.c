#include "report_order.h"

#include <stdlib.h>

#include "grow.h"

/* Bits that a pass looks at, and the passes for a word of 32 bits. */
enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, PASSES = 3 };

static uint32_t digit_of(const struct asnap_report_block *block, int pass)
{
    uint32_t word = pass < PASSES ? block->kind : block->stack;
    return word >> (pass % PASSES * DIGIT_BITS) & (DIGITS - 1);
}

/* How many blocks have each digit, in all passes. */
typedef size_t digit_counts[2 * PASSES][DIGITS];

static void count_digits(const struct asnap_report_block *blocks, size_t count, digit_counts counts)
{
    for (size_t i = 0; i < count; i++) {
        for (int pass = 0; pass < 2 * PASSES; pass++)
            counts[pass][digit_of(&blocks[i], pass)]++;
    }
}

/* Moves the blocks to `sorted` in the order of a digit, those with the same one as they come. */
static void sort_by(const struct asnap_report_block *blocks, size_t count, int pass,
                    size_t counts[DIGITS], struct asnap_report_block *sorted)
{
    size_t place = 0;
    for (size_t digit = 0; digit < DIGITS; digit++) {
        size_t next = place + counts[digit];
        counts[digit] = place;
        place = next;
    }
    for (size_t i = 0; i < count; i++)
        sorted[counts[digit_of(&blocks[i], pass)]++] = blocks[i];
}

struct asnap_error *asnap_report_order(struct asnap_report_block **blocks, size_t count)
{
    size_t size = (count + 1) * sizeof(**blocks);
    struct asnap_report_block *other = asnap_in_huge_pages(malloc(size), size);
    size_t(*counts)[DIGITS] = calloc(1, sizeof(digit_counts));
    if (other == NULL || counts == NULL) {
        free(other);
        free(counts);
        return asnap_error_no_memory();
    }
    count_digits(*blocks, count, counts);
    /* The least significant digit first; one that all have changes nothing. */
    for (int pass = 0; pass < 2 * PASSES && count > 0; pass++) {
        if (counts[pass][digit_of(*blocks, pass)] == count)
            continue;
        sort_by(*blocks, count, pass, counts[pass], other);
        struct asnap_report_block *sorted = other;
        other = *blocks;
        *blocks = sorted;
    }
    free(other);
    free(counts);
    return NULL;
}
