/* Calls that were to free what is no live traced block: what the hooks keep of them, as a debugger
 * reads it, also between any two instructions. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "errors.h"
#include "freed.h"
#include "own_table.h"
#include "raw.h"
#include "root.h"
#include "stacks.h"
#include "step_child.h"
#include "table_image.h"

/* ---- in an image ---- */

enum { RING = 0x604000, PLACES = 4 };

static struct asnap_table_errors *told_of(struct image *image)
{
    return image_at(image, IMAGE_BASE + ASNAP_TABLE_ERRORS_OFFSET);
}

static struct asnap_table_error *place_of(struct image *image, uint64_t kind, uint64_t number)
{
    uint64_t place = kind * PLACES + (number - 1) % PLACES;
    return image_at(image, RING + place * sizeof(struct asnap_table_error));
}

static void add(struct image *image, uint64_t kind, uint64_t number, uint32_t stack)
{
    bool is_twice = kind == ASNAP_TABLE_ERROR_TWICE;
    *place_of(image, kind, number) = (struct asnap_table_error){
        .number = number,
        .key = 0x1000 * number + kind,
        .extent = is_twice ? 10 * number : 0,
        .stack = is_twice ? stack : ASNAP_TABLE_NONE,
        .time = 3,
        .freed_stack = is_twice ? stack + 1 : ASNAP_TABLE_NONE,
        .freed_time = 5,
        .again_stack = stack + 2,
        .again_time = 7,
        .check = (uint32_t)number,
    };
    told_of(image)->rings[kind].count = number;
}

/* Of five blocks that were freed twice there are the last four, and two that are not known. */
static void fill(struct image *image)
{
    image_init(image);
    struct asnap_table_errors *told = told_of(image);
    memcpy(told->magic, ASNAP_TABLE_ERRORS_MAGIC, sizeof(told->magic));
    told->bytes = sizeof(*told);
    told->error_bytes = sizeof(struct asnap_table_error);
    told->capacity = PLACES;
    told->errors = RING;
    uint32_t origin = image_node(image, ASNAP_TABLE_NONE, 0);
    uint32_t one = image_node(image, origin, 0x1111);
    image_node(image, origin, 0x2222);
    image_node(image, origin, 0x3333);
    for (uint64_t number = 1; number <= 5; number++)
        add(image, ASNAP_TABLE_ERROR_TWICE, number, one);
    for (uint64_t number = 1; number <= 2; number++)
        add(image, ASNAP_TABLE_ERROR_UNKNOWN, number, one);
}

static struct asnap_error *try_read(struct image *image, struct asnap_errors *errors,
                                    struct asnap_raw **raw)
{
    return asnap_errors_read(&image->memory, IMAGE_BASE, false, NULL, errors, raw);
}

/* The numbers that are shown, as digits: those of the unknown ones behind a 0. */
static uint64_t shown(struct image *image)
{
    struct asnap_errors errors;
    struct asnap_raw *raw = NULL;
    uint64_t digits = 0;
    ASNAP_ASSERT_OK(try_read(image, &errors, &raw));
    for (uint64_t i = 0; i < errors.twice_shown + errors.unknown_shown; i++) {
        digits = i == errors.twice_shown ? digits * 10 : digits;
        digits = digits * 10 + raw->traces[i].address / 0x1000;
    }
    CU_ASSERT_EQUAL(raw->trace_count, 3 * (errors.twice_shown + errors.unknown_shown));
    asnap_raw_destroy(raw);
    return digits;
}

ASNAP_TEST(errors, reads_all_three_stacks_the_last_error_first)
{
    struct image image;
    struct asnap_errors errors;
    struct asnap_raw *raw = NULL;
    fill(&image);
    CU_ASSERT_EQUAL(shown(&image), 5432021);
    ASNAP_ASSERT_OK(try_read(&image, &errors, &raw));
    CU_ASSERT(errors.is_kept && errors.twice_count == 5 && errors.unknown_count == 2);
    CU_ASSERT(errors.twice_shown == 4 && errors.unknown_shown == 2);
    for (size_t i = 0; i < 6; i++) {
        bool is_twice = i < 4;
        const struct asnap_trace *again = &raw->traces[i];
        const struct asnap_trace *freed = again + 6;
        const struct asnap_trace *allocated = freed + 6;
        CU_ASSERT(again->size == (is_twice ? 10 * (5 - i) : 0) && freed->size == again->size);
        CU_ASSERT(again->time == 7 && freed->time == (is_twice ? 5 : ASNAP_TIME_UNKNOWN));
        CU_ASSERT(allocated->time == (is_twice ? 3 : ASNAP_TIME_UNKNOWN));
        CU_ASSERT(freed->address == again->address && allocated->address == again->address);
        CU_ASSERT_EQUAL(raw->nodes[again->traceback_id].pc, 0x3333);
        CU_ASSERT_EQUAL(raw->nodes[freed->traceback_id].pc,
                        is_twice ? 0x2222 : ASNAP_RAW_NOT_COUNTED);
        CU_ASSERT_EQUAL(raw->nodes[allocated->traceback_id].pc,
                        is_twice ? 0x1111 : ASNAP_RAW_NOT_COUNTED);
    }
    asnap_raw_destroy(raw);
    image_deinit(&image);
}

ASNAP_TEST(errors, leaves_out_what_is_not_there)
{
    struct image image;
    fill(&image);
    place_of(&image, 0, 4)->number = ASNAP_TABLE_FREED_BUSY | 4711;
    place_of(&image, 1, 2)->number = 0;
    CU_ASSERT_EQUAL(shown(&image), 53201);
    told_of(&image)->rings[0].cleared = 4;
    told_of(&image)->rings[1].cleared = 2;
    CU_ASSERT_EQUAL(shown(&image), 5);
    memset(told_of(&image)->magic, 0, 16);
    CU_ASSERT_EQUAL(shown(&image), 0);
    image_deinit(&image);
}

ASNAP_TEST(errors, believes_nothing_that_cannot_be)
{
    struct image image;
    struct asnap_errors errors;
    struct asnap_raw *raw = NULL;
    fill(&image);
    place_of(&image, 0, 5)->stack = 4;
    place_of(&image, 0, 4)->freed_stack = 4;
    place_of(&image, 0, 3)->again_stack = 4;
    place_of(&image, 0, 2)->again_thread = 1;
    place_of(&image, 1, 2)->check++;
    place_of(&image, 1, 1)->key = 0;
    ASNAP_ASSERT_OK(try_read(&image, &errors, &raw));
    CU_ASSERT(errors.twice_shown == 0 && errors.unknown_shown == 0 && raw->bad_records == 6);
    asnap_raw_destroy(raw);
    told_of(&image)->capacity = ASNAP_TABLE_ERRORS_MAX + 1;
    ASNAP_ASSERT_ERROR(try_read(&image, &errors, &raw), ASNAP_ERROR_DAMAGED);
    told_of(&image)->capacity = PLACES;
    told_of(&image)->rings[1].cleared = 3;
    ASNAP_ASSERT_ERROR(try_read(&image, &errors, &raw), ASNAP_ERROR_DAMAGED);
    image_deinit(&image);
}

/* ---- between any two instructions ---- */

enum { ERRORS = 6 };

/* What the child is at, in memory that both see. */
struct told {
    volatile uint64_t done; /* errors */
    volatile bool takes_back;
    volatile bool clears;
};

static struct told *told;

/* Block 1 was freed; every other error is of it. */
static void be_the_child(void)
{
    uint64_t frame = 0x4000;
    own_table_open();
    uint32_t stack = asnap_stacks_intern(&frame, 1, 0);
    const struct asnap_removed removed = {.size = 48, .stack = stack};
    if (!asnap_errors_begin() || !asnap_freed_begin(3))
        _exit(1);
    asnap_freed_put(0x1000, &removed, stack);
    step_child_stop();
    uint64_t last = 0;
    for (uint64_t i = 1; i <= ERRORS; i++) {
        last = asnap_errors_put(i % 2 == 1 ? 0x1000 : 0x1000 * i, stack);
        told->done = i;
    }
    told->takes_back = true;
    asnap_errors_take_back(last);
    told->clears = true;
    asnap_errors_clear();
    step_child_stop();
}

/* Those that are shown are the first so many, as far as they were done, or one more. */
static bool agrees(pid_t child)
{
    struct asnap_memory memory = step_child_memory(&child);
    struct asnap_errors errors;
    struct asnap_raw *raw = NULL;
    ASNAP_ASSERT_OK(
        asnap_errors_read(&memory, (uintptr_t)&allocsnap_root, false, NULL, &errors, &raw));
    uint64_t done = told->done;
    uint64_t twice = errors.twice_shown;
    uint64_t unknown = errors.unknown_shown;
    bool good = raw->bad_records == 0 && raw->unreadable_bytes == 0;
    for (uint64_t i = 0; i < twice; i++)
        good = good && raw->traces[i].address == 0x1000 && raw->traces[i].size == 48;
    for (uint64_t i = 0; i < unknown; i++)
        good = good && raw->traces[twice + i].size == 0 &&
               raw->traces[twice + i].address == 0x2000 * (unknown - i);
    asnap_raw_destroy(raw);
    if (told->clears || told->takes_back)
        return good && twice <= ERRORS / 2 && unknown <= ERRORS / 2;
    return good && twice + unknown >= done && twice + unknown <= done + 1 &&
           twice >= (done + 1) / 2 && unknown >= done / 2;
}

ASNAP_TEST(errors, are_readable_at_every_instruction)
{
    told = step_child_share(sizeof(*told));
    CU_ASSERT(step_child(be_the_child, agrees) > 300);
    CU_ASSERT(told->clears && told->done == ERRORS);
    munmap(told, sizeof(*told));
}
