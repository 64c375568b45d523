/* What was ever allocated: what the hooks count, as a debugger reads it, also between any two
 * instructions. */
#include <string.h>
#include <sys/mman.h>

#include "own_table.h"
#include "raw.h"
#include "root.h"
#include "stack_totals.h"
#include "stacks.h"
#include "step_child.h"
#include "table_image.h"

/* ---- in an image ---- */

enum { LIST = 0x604000, CHUNK = 0x610000 };

static struct asnap_table_totals *told_of(struct image *image)
{
    return image_at(image, IMAGE_BASE + ASNAP_TABLE_TOTALS_OFFSET);
}

static struct asnap_table_total *total_of(struct image *image, uint32_t node)
{
    return image_at(image, CHUNK + node * sizeof(struct asnap_table_total));
}

/* Two stacks of which something was allocated, and one of which nothing was. */
static void fill(struct image *image)
{
    image_init(image);
    struct asnap_table_totals *told = told_of(image);
    memcpy(told->magic, ASNAP_TABLE_TOTALS_MAGIC, sizeof(told->magic));
    told->bytes = sizeof(*told);
    told->total_bytes = sizeof(struct asnap_table_total);
    told->chunks = LIST;
    told->lost = 3;
    *(uint64_t *)image_at(image, LIST) = CHUNK;
    uint32_t origin = image_node(image, ASNAP_TABLE_NONE, 0);
    for (uint64_t pc = 0x1111; pc <= 0x3333; pc += 0x1111)
        image_node(image, origin, pc);
    *total_of(image, 1) = (struct asnap_table_total){5, 500, 2, 200};
    *total_of(image, 3) = (struct asnap_table_total){7, 0, 0, 0};
    *total_of(image, 4) = (struct asnap_table_total){9, 9, 9, 9};
}

static struct asnap_error *try_read(struct image *image, enum asnap_totals_kind kind,
                                    struct asnap_totals_told *told, struct asnap_raw **raw)
{
    return asnap_totals_read(&image->memory, IMAGE_BASE, false, NULL, kind, told, raw);
}

static bool is_sum(const struct asnap_raw *raw, size_t place, uint64_t pc, uint64_t count,
                   uint64_t size)
{
    const struct asnap_trace *trace = &raw->traces[place];
    return raw->nodes[trace->traceback_id].pc == pc && raw->counts[place] == count &&
           trace->size == size && trace->time == ASNAP_TIME_UNKNOWN;
}

ASNAP_TEST(stack_totals, reads_what_was_allocated_and_what_was_temporary)
{
    struct image image;
    struct asnap_totals_told told;
    struct asnap_raw *raw = NULL;
    fill(&image);
    ASNAP_ASSERT_OK(try_read(&image, ASNAP_TOTALS_ALLOCATED, &told, &raw));
    CU_ASSERT(told.is_kept && !told.of_sample && told.lost == 3);
    CU_ASSERT_EQUAL_FATAL(raw->trace_count, 2);
    CU_ASSERT(is_sum(raw, 0, 0x1111, 5, 500) && is_sum(raw, 1, 0x3333, 7, 0));
    asnap_raw_destroy(raw);
    ASNAP_ASSERT_OK(try_read(&image, ASNAP_TOTALS_TEMPORARY, &told, &raw));
    CU_ASSERT_EQUAL_FATAL(raw->trace_count, 1);
    CU_ASSERT(is_sum(raw, 0, 0x1111, 2, 200));
    asnap_raw_destroy(raw);
    *(uint64_t *)image_at(&image, LIST) = 0;
    ASNAP_ASSERT_OK(try_read(&image, ASNAP_TOTALS_ALLOCATED, &told, &raw));
    CU_ASSERT(told.is_kept && raw->trace_count == 0);
    asnap_raw_destroy(raw);
    memset(told_of(&image)->magic, 0, 16);
    ASNAP_ASSERT_OK(try_read(&image, ASNAP_TOTALS_ALLOCATED, &told, &raw));
    CU_ASSERT(!told.is_kept && raw->trace_count == 0);
    asnap_raw_destroy(raw);
    image_deinit(&image);
}

ASNAP_TEST(stack_totals, believes_no_sum_that_is_too_large)
{
    struct image image;
    struct asnap_totals_told told;
    struct asnap_raw *raw = NULL;
    fill(&image);
    total_of(&image, 3)->size = INT64_MAX - 499;
    ASNAP_ASSERT_ERROR(try_read(&image, ASNAP_TOTALS_ALLOCATED, &told, &raw), ASNAP_ERROR_DAMAGED);
    total_of(&image, 3)->size = INT64_MAX - 500;
    ASNAP_ASSERT_OK(try_read(&image, ASNAP_TOTALS_ALLOCATED, &told, &raw));
    asnap_raw_destroy(raw);
    total_of(&image, 3)->count = UINT64_MAX;
    ASNAP_ASSERT_ERROR(try_read(&image, ASNAP_TOTALS_ALLOCATED, &told, &raw), ASNAP_ERROR_DAMAGED);
    image_deinit(&image);
}

/* Chunks in memory that the process does not have are left out, and said. */
ASNAP_TEST(stack_totals, leaves_out_what_cannot_be_read)
{
    struct image image;
    struct asnap_totals_told told;
    struct asnap_raw *raw = NULL;
    fill(&image);
    *(uint64_t *)image_at(&image, LIST) = UINT64_C(0x7fffffff0000);
    ASNAP_ASSERT_OK(try_read(&image, ASNAP_TOTALS_ALLOCATED, &told, &raw));
    CU_ASSERT(raw->trace_count == 0);
    CU_ASSERT_EQUAL(raw->unreadable_bytes, 4 * sizeof(struct asnap_table_total));
    asnap_raw_destroy(raw);
    image_deinit(&image);
}

/* ---- between any two instructions ---- */

enum { BLOCKS = 5 };

struct told {
    volatile uint64_t done;
    volatile uint64_t temporary;
    volatile bool clears;
};

static struct told *told;

static void be_the_child(void)
{
    uint64_t frame = 0x4000;
    own_table_open();
    uint32_t stack = asnap_stacks_intern(&frame, 1, 0);
    asnap_stack_totals_begin();
    /* What other tests have left makes each reading longer. */
    allocsnap_root.node_count = stack + 1;
    step_child_stop();
    for (uint64_t i = 1; i <= BLOCKS; i++) {
        asnap_stack_totals_add(stack, 10);
        told->done = i;
        asnap_stack_totals_add_temporary(stack, 10);
        told->temporary = i;
    }
    told->clears = true;
    asnap_stack_totals_clear();
    step_child_stop();
}

/* What is read is what was done, or one more, of which the bytes may not be there yet. */
static bool is_near(const struct asnap_raw *raw, uint64_t done)
{
    uint64_t count = raw->trace_count == 0 ? 0 : raw->counts[0];
    uint64_t size = raw->trace_count == 0 ? 0 : raw->traces[0].size;
    if (raw->trace_count > 1 || raw->unreadable_bytes != 0)
        return false;
    if (told->clears)
        return (count == 0 || count == BLOCKS) && (size == 0 || size == 10 * BLOCKS);
    return (count == done || count == done + 1) && (size == 10 * done || size == 10 * count);
}

static bool agrees(pid_t child)
{
    struct asnap_memory memory = step_child_memory(&child);
    struct asnap_totals_told said;
    struct asnap_raw *raw = NULL;
    ASNAP_ASSERT_OK(asnap_totals_read(&memory, (uintptr_t)&allocsnap_root, false, NULL,
                                      ASNAP_TOTALS_ALLOCATED, &said, &raw));
    bool good = said.is_kept && is_near(raw, told->done);
    asnap_raw_destroy(raw);
    ASNAP_ASSERT_OK(asnap_totals_read(&memory, (uintptr_t)&allocsnap_root, false, NULL,
                                      ASNAP_TOTALS_TEMPORARY, &said, &raw));
    good = good && is_near(raw, told->temporary);
    asnap_raw_destroy(raw);
    return good;
}

ASNAP_TEST(stack_totals, are_readable_at_every_instruction)
{
    told = step_child_share(sizeof(*told));
    CU_ASSERT(step_child(be_the_child, agrees) > 100);
    CU_ASSERT(told->clears && told->done == BLOCKS);
    munmap(told, sizeof(*told));
}
