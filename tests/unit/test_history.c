/* How much was traced over the time: what the hooks keep, as a debugger reads it, also between any
 * two instructions. */
#include "history.h"

#include <string.h>
#include <sys/mman.h>

#include "own_memory.h"
#include "own_table.h"
#include "records.h"
#include "root.h"
#include "stacks.h"
#include "step_child.h"
#include "table_image.h"

/* ---- in an image ---- */

enum { POINTS = 0x604000, CAPACITY = 8, SECOND = POINTS + CAPACITY * 16 };

static struct asnap_table_history *told_of(struct image *image)
{
    return image_at(image, IMAGE_BASE + ASNAP_TABLE_HISTORY_OFFSET);
}

static struct asnap_table_point *points_of(struct image *image, uint64_t address)
{
    return image_at(image, address);
}

static void set_state(struct image *image, struct asnap_table_history_state state)
{
    told_of(image)->state = asnap_table_history_pack(state);
}

/* Three points in the second room, 40 ms apart. */
static void fill(struct image *image)
{
    image_init(image);
    struct asnap_table_history *told = told_of(image);
    memcpy(told->magic, ASNAP_TABLE_HISTORY_MAGIC, sizeof(told->magic));
    told->bytes = sizeof(*told);
    told->point_bytes = sizeof(struct asnap_table_point);
    told->capacity = CAPACITY;
    told->points = POINTS;
    set_state(image, (struct asnap_table_history_state){3, 2, 1, 500});
    for (uint64_t i = 0; i < CAPACITY; i++) {
        points_of(image, POINTS)[i] = (struct asnap_table_point){7, 7};
        points_of(image, SECOND)[i] = (struct asnap_table_point){100 * i, i};
    }
    image_root(image)->start_realtime = 1234;
    uint32_t origin = image_node(image, ASNAP_TABLE_NONE, 0);
    image_record(image, 0x500010, 0, 64, origin);
}

static struct asnap_error *try_read(struct image *image, struct asnap_history *history)
{
    return asnap_history_read(&image->memory, IMAGE_BASE, history);
}

ASNAP_TEST(history, reads_points_and_what_is_traced_now)
{
    struct image image;
    struct asnap_history history;
    fill(&image);
    ASNAP_ASSERT_OK(try_read(&image, &history));
    CU_ASSERT(history.is_kept && !history.of_sample && history.start == 1234);
    CU_ASSERT(history.begin == 500 && history.period == 4 && history.count == 3);
    for (uint64_t i = 0; i < 3; i++)
        CU_ASSERT(history.points[i].size == 100 * i && history.points[i].count == i);
    CU_ASSERT(history.now.size == 64 && history.now.count == 1);
    image_root(&image)->control.clear++;
    image_root(&image)->control.sequence++;
    ASNAP_ASSERT_OK(try_read(&image, &history));
    CU_ASSERT(history.is_kept && history.count == 0 && history.now.count == 0);
    memset(told_of(&image)->magic, 0, 16);
    ASNAP_ASSERT_OK(try_read(&image, &history));
    CU_ASSERT(!history.is_kept && history.count == 0);
    image_deinit(&image);
}

ASNAP_TEST(history, believes_nothing_that_cannot_be)
{
    static const struct asnap_table_history_state IMPOSSIBLE[] = {
        {CAPACITY + 1, 2, 1, 500},
        {3, 32, 1, 500},
        {3, 2, 1, ASNAP_TABLE_TIME_LAST - 7},
    };
    struct image image;
    struct asnap_history history = {.count = 77};
    fill(&image);
    for (size_t i = 0; i < sizeof(IMPOSSIBLE) / sizeof(IMPOSSIBLE[0]); i++) {
        set_state(&image, IMPOSSIBLE[i]);
        ASNAP_ASSERT_ERROR(try_read(&image, &history), ASNAP_ERROR_DAMAGED);
    }
    set_state(&image, (struct asnap_table_history_state){3, 2, 1, ASNAP_TABLE_TIME_LAST - 8});
    points_of(&image, SECOND)[2].size = UINT64_C(1) << 63;
    ASNAP_ASSERT_ERROR(try_read(&image, &history), ASNAP_ERROR_DAMAGED);
    points_of(&image, SECOND)[2] = (struct asnap_table_point){1, UINT64_C(1) << 63};
    ASNAP_ASSERT_ERROR(try_read(&image, &history), ASNAP_ERROR_DAMAGED);
    told_of(&image)->points = 0;
    ASNAP_ASSERT_ERROR(try_read(&image, &history), ASNAP_ERROR_DAMAGED);
    told_of(&image)->points = UINT64_C(0x7fffffff0000);
    ASNAP_ASSERT_ERROR(try_read(&image, &history), ASNAP_ERROR_UNREADABLE);
    told_of(&image)->points = POINTS;
    told_of(&image)->capacity = ASNAP_TABLE_POINTS_MAX + 1;
    ASNAP_ASSERT_ERROR(try_read(&image, &history), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(history.count, 77);
    image_deinit(&image);
}

/* A process that goes on, and changes its points so many times while they are read. */
struct moving {
    struct image image;
    int changes;
};

static int read_moving(void *context, uint64_t address, void *buffer, size_t size)
{
    struct moving *moving = context;
    struct asnap_memory *memory = &moving->image.memory;
    int result = memory->read(memory->context, address, buffer, size);
    if (moving->changes == 0 || (address != POINTS && address != SECOND))
        return result;
    moving->changes--;
    struct asnap_table_history_state state =
        asnap_table_history_unpack(told_of(&moving->image)->state);
    state.in_second = !state.in_second;
    state.shift++;
    state.count = 2;
    set_state(&moving->image, state);
    return result;
}

ASNAP_TEST(history, is_read_again_where_it_is_changed_meanwhile)
{
    struct moving moving = {.changes = 1};
    struct asnap_memory memory = {.read = read_moving, .context = &moving};
    struct asnap_history history;
    fill(&moving.image);
    ASNAP_ASSERT_OK(asnap_history_read(&memory, IMAGE_BASE, &history));
    CU_ASSERT(history.period == 8 && history.count == 2);
    CU_ASSERT(history.points[0].size == 7 && history.points[1].size == 7);
    moving.changes = 1000;
    ASNAP_ASSERT_ERROR(asnap_history_read(&memory, IMAGE_BASE, &history), ASNAP_ERROR_UNREADABLE);
    image_deinit(&moving.image);
}

/* ---- what the hooks write ---- */

enum { ROOM = 4 };

static uint32_t stack;
static uint32_t begin;

/* The calls that fill the table must not write points of their own, at the time that it is. */
static void start(void)
{
    uint64_t frame = 0x4000;
    own_table_open();
    stack = asnap_stacks_intern(&frame, 1, 0);
    CU_ASSERT_FATAL(asnap_history_begin(ROOM));
    asnap_history_clear(true);
    begin = asnap_table_history_unpack(asnap_root_and_watch.history.state).begin;
    CU_ASSERT_EQUAL(asnap_history_due, begin + 1);
    asnap_history_due = UINT32_MAX;
}

static void put(uint32_t time)
{
    asnap_history_due = 0;
    asnap_history_put(begin + time);
}

/* What happens at each time: the next block comes, of ten times as many bytes. */
static void happen(uint32_t time)
{
    asnap_history_due = UINT32_MAX;
    asnap_records_insert(UINT64_C(0x100000) * time, 10 * time, stack);
}

static void end(void)
{
    asnap_history_clear(false);
    asnap_history_is_on = false;
    memset(&asnap_root_and_watch.history, 0, sizeof(asnap_root_and_watch.history));
}

/* What was traced when a time came, where `last` was the last one at which something happened. */
static bool is_right(const struct asnap_history *history, uint64_t place, uint64_t last)
{
    const struct asnap_history_point *point = &history->points[place];
    uint64_t blocks = place * history->period;
    blocks = blocks == 0 ? 0 : blocks - 1;
    blocks = blocks > last ? last : blocks;
    return point->count == blocks && point->size == 5 * blocks * (blocks + 1);
}

static bool are_right(const struct asnap_history *history, uint64_t last)
{
    bool good = history->is_kept && history->count != 0;
    for (uint64_t i = 0; i < history->count; i++)
        good = good && is_right(history, i, last);
    return good;
}

/* The shortest time between points for which there is room. */
static uint64_t period_at(uint32_t time)
{
    uint64_t period = 1;
    while (time / period >= ROOM)
        period *= 2;
    return period;
}

static void read_own(struct asnap_history *history)
{
    ASNAP_ASSERT_OK(
        asnap_history_read(&own_memory, (uintptr_t)&asnap_root_and_watch.root, history));
}

ASNAP_TEST(history, halves_its_resolution_when_it_is_full)
{
    enum { LAST = 20, LATER = 1000 };
    struct asnap_history history;
    start();
    for (uint32_t time = 1; time <= LAST; time++) {
        put(time);
        uint64_t period = period_at(time);
        CU_ASSERT_EQUAL(asnap_history_due, begin + (time / period + 1) * period);
        read_own(&history);
        CU_ASSERT(history.begin == begin && history.period == period);
        CU_ASSERT_EQUAL(history.count, time / period + 1);
        CU_ASSERT(are_right(&history, LAST));
        happen(time);
    }
    /* All that time nothing happens. */
    put(LATER);
    read_own(&history);
    CU_ASSERT(history.period == 256 && history.count == 4 && are_right(&history, LAST));
    CU_ASSERT(history.now.count == LAST && history.now.size == 5 * LAST * (LAST + 1));
    asnap_history_due = UINT32_MAX;
    asnap_records_clear();
    asnap_history_clear(true);
    read_own(&history);
    CU_ASSERT(history.period == 1 && history.count == 1);
    CU_ASSERT(history.points[0].size == 0 && history.points[0].count == 0);
    asnap_history_clear(false);
    CU_ASSERT_EQUAL(asnap_history_due, UINT32_MAX);
    read_own(&history);
    CU_ASSERT(history.is_kept && history.count == 0);
    end();
}

ASNAP_TEST(history, of_a_call_is_what_was_before_it)
{
    struct asnap_history history;
    start();
    asnap_history_due = begin;
    asnap_records_insert(0x100000, 10, stack);
    CU_ASSERT(asnap_history_due > begin);
    read_own(&history);
    for (uint64_t i = 0; i < history.count; i++)
        CU_ASSERT(history.points[i].size == 0 && history.points[i].count == 0);
    CU_ASSERT(history.now.size == 10 && history.now.count == 1);
    end();
}

ASNAP_TEST(history, of_a_sample_is_estimated)
{
    struct asnap_history history;
    start();
    own_table_sample(4096);
    uint64_t key = 0x100000;
    asnap_records_insert_sampled(key, 100, stack, OWN_TABLE_SAMPLE);
    put(1);
    read_own(&history);
    CU_ASSERT(history.of_sample && history.count == 2);
    CU_ASSERT(history.now.count > 1 && history.now.size > 100);
    CU_ASSERT_EQUAL(history.points[1].size, history.now.size);
    CU_ASSERT_EQUAL(history.points[1].count, history.now.count);
    end();
    own_table_open();
    allocsnap_root.applied.sample_period = 0;
    allocsnap_root.control = allocsnap_root.applied;
}

/* It has no record then, and is as large as before until it has another one. */
ASNAP_TEST(history, has_a_block_that_is_resized)
{
    struct asnap_history history;
    struct asnap_removed removed;
    start();
    happen(3);
    CU_ASSERT(asnap_records_remove(UINT64_C(0x300000), &removed));
    struct asnap_sample_weight held = asnap_history_hold(removed.size);
    put(1);
    asnap_history_let_go(held);
    put(2);
    read_own(&history);
    CU_ASSERT_EQUAL(history.count, 3);
    CU_ASSERT(history.points[1].size == 30 && history.points[1].count == 1);
    CU_ASSERT(history.points[2].size == 0 && history.points[2].count == 0);
    end();
}

/* The time begins late, and ends. */
ASNAP_TEST(history, ends_with_the_time_of_records)
{
    struct asnap_history history;
    start();
    put(ASNAP_TABLE_TIME_LAST - begin);
    CU_ASSERT_EQUAL(asnap_history_due, UINT32_MAX);
    read_own(&history);
    CU_ASSERT_EQUAL(history.count, ROOM);
    CU_ASSERT_EQUAL(history.period, UINT64_C(1) << 30);
    end();
}

/* ---- between any two instructions ---- */

enum { TIMES = 9 };

struct told {
    volatile uint32_t begin;
    volatile uint64_t done; /* the last time whose point is written */
    volatile bool clears;
};

static struct told *told;

static void be_the_child(void)
{
    start();
    told->begin = begin;
    step_child_stop();
    for (uint32_t time = 1; time <= TIMES; time++) {
        put(time);
        told->done = time;
        happen(time);
    }
    told->clears = true;
    asnap_history_clear(true);
    step_child_stop();
}

/* What is read is right, and as much as there is to be known, or a point more. */
static bool agrees(pid_t child)
{
    struct asnap_memory memory = step_child_memory(&child);
    struct asnap_history history;
    ASNAP_ASSERT_OK(asnap_history_read(&memory, (uintptr_t)&asnap_root_and_watch.root, &history));
    uint64_t last = (history.count - 1) * history.period;
    uint64_t done = told->done;
    if (told->clears && history.count == 1)
        return are_right(&history, TIMES) && history.period == 1;
    return are_right(&history, TIMES) && history.begin == told->begin &&
           history.period <= period_at((uint32_t)done + 1) &&
           (last == done / history.period * history.period || last == done + 1);
}

ASNAP_TEST(history, is_readable_at_every_instruction)
{
    told = step_child_share(sizeof(*told));
    CU_ASSERT(step_child(be_the_child, agrees) > 500);
    CU_ASSERT(told->clears && told->done == TIMES);
    munmap(told, sizeof(*told));
}
