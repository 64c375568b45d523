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

/* Moves the blocks to `sorted` in the order of a digit, those with the same one as they come;
 * false: all have the same one, and stay where they are. */
static bool sort_by(const struct asnap_report_block *blocks, size_t count, int pass,
                    struct asnap_report_block *sorted)
{
    size_t places[DIGITS + 1] = {0};
    for (size_t i = 0; i < count; i++)
        places[digit_of(&blocks[i], pass) + 1]++;
    if (count == 0 || places[digit_of(&blocks[0], pass) + 1] == count)
        return false;
    for (size_t digit = 1; digit <= DIGITS; digit++)
        places[digit] += places[digit - 1];
    for (size_t i = 0; i < count; i++)
        sorted[places[digit_of(&blocks[i], pass)]++] = blocks[i];
    return true;
}

struct asnap_error *asnap_report_order(struct asnap_report_block **blocks, size_t count)
{
    size_t size = (count + 1) * sizeof(**blocks);
    struct asnap_report_block *other = asnap_in_huge_pages(malloc(size), size);
    if (other == NULL)
        return asnap_error_no_memory();
    /* The least significant digit first. */
    for (int pass = 0; pass < 2 * PASSES; pass++) {
        if (sort_by(*blocks, count, pass, other)) {
            struct asnap_report_block *sorted = other;
            other = *blocks;
            *blocks = sorted;
        }
    }
    free(other);
    return NULL;
}
