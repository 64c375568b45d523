#include "py_gather.h"

#include <stdlib.h>

#include "grow.h"

/* Pieces of one window, which begins at a multiple of its size, are read at once where there are
 * many. The window fits into a processor's cache, so that nothing need be in order within it. */
enum { WINDOW_SHIFT = 19, MANY = 128, FEW = 32 };

/* Of few, the largest gap that is read along with what is around it, and the most that is read at
 * once: a call takes as long as some KiB. */
#define GAP ((uint64_t)4096)
#define PIECE ((uint64_t)1 << 20)

/* Bits of an address that one pass of a sort goes by. */
enum { DIGIT = 11, DIGITS = 1 << DIGIT };

struct gathering {
    const struct asnap_py_memory *py;
    asnap_wanted_visitor *visit;
    void *context;
    uint8_t *buffer;
    size_t capacity;
};

static void sort_few(struct asnap_wanted *wanted, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct asnap_wanted one = wanted[i];
        size_t at = i;
        for (; at > 0 && wanted[at - 1].address > one.address; at--)
            wanted[at] = wanted[at - 1];
        wanted[at] = one;
    }
}

/* Sorts by the bits of the address from `shift` on, as far as they differ. What is sorted is
 * returned: either array. */
static struct asnap_wanted *sort_by_address(struct asnap_wanted *wanted, size_t count,
                                            unsigned int shift, struct asnap_wanted *scratch)
{
    uint64_t different = 0;
    struct asnap_wanted *from = wanted;
    struct asnap_wanted *to = scratch;
    for (size_t i = 1; i < count; i++)
        different |= wanted[i].address ^ wanted[0].address;
    for (; shift < 64; shift += DIGIT) {
        size_t places[DIGITS + 1] = {0};
        if ((different >> shift & (DIGITS - 1)) == 0)
            continue;
        for (size_t i = 0; i < count; i++)
            places[(from[i].address >> shift & (DIGITS - 1)) + 1]++;
        for (size_t i = 0; i < DIGITS; i++)
            places[i + 1] += places[i];
        for (size_t i = 0; i < count; i++)
            to[places[from[i].address >> shift & (DIGITS - 1)]++] = from[i];
        struct asnap_wanted *swap = from;
        from = to;
        to = swap;
    }
    return from;
}

static struct asnap_error *make_room(struct gathering *gathering, size_t bytes)
{
    uint8_t *buffer = asnap_grow(gathering->buffer, &gathering->capacity, bytes, 1);
    if (buffer == NULL)
        return asnap_error_no_memory();
    gathering->buffer = buffer;
    return NULL;
}

/* Reads one window and hands out the pieces in it; *is_read tells whether it could be. */
static struct asnap_error *visit_window(struct gathering *gathering,
                                        const struct asnap_wanted *wanted, size_t count,
                                        uint64_t start, size_t bytes, bool *is_read)
{
    struct asnap_error *error = make_room(gathering, bytes);
    if (error == NULL)
        error = asnap_py_read(gathering->py, start, gathering->buffer, bytes, is_read);
    if (error != NULL || !*is_read)
        return error;
    struct asnap_py_window window = {.start = start, .size = bytes, .bytes = gathering->buffer};
    for (size_t i = 0; i < count && error == NULL; i++)
        error = gathering->visit(gathering->context, &wanted[i],
                                 window.bytes + (wanted[i].address - start), &window);
    return error;
}

/* How many pieces from the first on are read at once, and how many bytes these are. */
static size_t run_length(const struct asnap_wanted *wanted, size_t count, size_t *bytes)
{
    size_t length = 1;
    uint64_t end = wanted[0].address + wanted[0].size;
    for (; length < count; length++) {
        const struct asnap_wanted *next = &wanted[length];
        uint64_t next_end = next->address + next->size;
        if (next_end < next->address || (next->address > end && next->address - end > GAP) ||
            next_end - wanted[0].address > PIECE)
            break;
        end = next_end > end ? next_end : end;
    }
    *bytes = (size_t)(end - wanted[0].address);
    return length;
}

/* Reads what is near each other, and what is not to be read so piece by piece. */
static struct asnap_error *visit_runs(struct gathering *gathering, struct asnap_wanted *wanted,
                                      size_t count, struct asnap_wanted *scratch)
{
    struct asnap_error *error = NULL;
    if (count <= FEW)
        sort_few(wanted, count);
    else
        wanted = sort_by_address(wanted, count, 0, scratch);
    for (size_t i = 0; i < count && error == NULL;) {
        size_t bytes;
        bool is_read = false;
        size_t length = run_length(wanted + i, count - i, &bytes);
        error = visit_window(gathering, wanted + i, length, wanted[i].address, bytes, &is_read);
        for (size_t j = i; j < i + length && error == NULL && !is_read; j++) {
            bool is_one_read = false;
            if (length > 1)
                error = visit_window(gathering, wanted + j, 1, wanted[j].address, wanted[j].size,
                                     &is_one_read);
            if (error == NULL && !is_one_read)
                error = gathering->visit(gathering->context, &wanted[j], NULL, NULL);
        }
        i += length;
    }
    return error;
}

/* Visits pieces that begin in one window. */
static struct asnap_error *visit_near(struct gathering *gathering, struct asnap_wanted *wanted,
                                      size_t count, struct asnap_wanted *scratch)
{
    uint64_t start = UINT64_MAX;
    uint64_t end = 0;
    bool is_read = false;
    struct asnap_error *error = NULL;
    for (size_t i = 0; i < count && count >= MANY; i++) {
        uint64_t last = wanted[i].address + wanted[i].size;
        if (last < wanted[i].address)
            return visit_runs(gathering, wanted, count, scratch);
        start = wanted[i].address < start ? wanted[i].address : start;
        end = last > end ? last : end;
    }
    if (end > start && end - start <= PIECE)
        error = visit_window(gathering, wanted, count, start, (size_t)(end - start), &is_read);
    return error != NULL || is_read ? error : visit_runs(gathering, wanted, count, scratch);
}

static struct asnap_error *visit_all(struct gathering *gathering, struct asnap_wanted *wanted,
                                     size_t count, struct asnap_wanted *scratch, const char *step)
{
    struct asnap_error *error = NULL;
    struct asnap_wanted *sorted = sort_by_address(wanted, count, WINDOW_SHIFT, scratch);
    scratch = sorted == wanted ? scratch : wanted;
    wanted = sorted;
    for (size_t i = 0, end; i < count && error == NULL; i = end) {
        uint64_t window = wanted[i].address >> WINDOW_SHIFT;
        for (end = i + 1; end < count && wanted[end].address >> WINDOW_SHIFT == window;)
            end++;
        error = asnap_py_ask(gathering->py, step, i, count);
        if (error == NULL)
            error = visit_near(gathering, wanted + i, end - i, scratch);
    }
    return error;
}

struct asnap_error *asnap_py_gather(const struct asnap_py_memory *py, struct asnap_wanted *wanted,
                                    size_t count, const char *step, asnap_wanted_visitor *visit,
                                    void *context)
{
    if (count == 0)
        return NULL;
    struct gathering gathering = {.py = py, .visit = visit, .context = context};
    size_t bytes = count * sizeof(*wanted);
    struct asnap_wanted *scratch = asnap_in_huge_pages(malloc(bytes), bytes);
    if (scratch == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = visit_all(&gathering, wanted, count, scratch, step);
    free(gathering.buffer);
    free(scratch);
    return error;
}
