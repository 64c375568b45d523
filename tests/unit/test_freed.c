/* Blocks that were freed: what the hooks keep of them, as a debugger reads it, also between any two
 * instructions. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "freed.h"
#include "own_table.h"
#include "raw.h"
#include "root.h"
#include "stacks.h"
#include "step_child.h"
#include "table_image.h"

/* ---- in an image ---- */

enum { RING = 0x604000, PLACES = 4 };

static struct asnap_table_freed *ring_of(struct image *image)
{
    return image_at(image, IMAGE_BASE + ASNAP_TABLE_FREED_OFFSET);
}

static struct asnap_table_freed_block *place_of(struct image *image, uint64_t number)
{
    return image_at(image, RING + (number - 1) % PLACES * sizeof(struct asnap_table_freed_block));
}

static void add(struct image *image, uint64_t number, uint32_t stack, uint32_t freed_stack)
{
    *place_of(image, number) = (struct asnap_table_freed_block){
        .number = number,
        .key = 0x1000 * number,
        .extent = 10 * number,
        .stack = stack,
        .time = 5,
        .freed_stack = freed_stack,
        .freed_time = 7,
        .check = (uint32_t)number,
    };
    ring_of(image)->count = number;
}

/* A ring that has gone round: of six blocks there are the last four. */
static void fill(struct image *image)
{
    image_init(image);
    struct asnap_table_freed *ring = ring_of(image);
    memcpy(ring->magic, ASNAP_TABLE_FREED_MAGIC, sizeof(ring->magic));
    ring->bytes = sizeof(*ring);
    ring->block_bytes = sizeof(struct asnap_table_freed_block);
    ring->capacity = PLACES;
    ring->blocks = RING;
    uint32_t origin = image_node(image, ASNAP_TABLE_NONE, 0);
    uint32_t one = image_node(image, origin, 0x1111);
    uint32_t other = image_node(image, origin, 0x2222);
    for (uint64_t number = 1; number <= 6; number++)
        add(image, number, one, number == 5 ? ASNAP_TABLE_NONE : other);
}

static struct asnap_error *try_read(struct image *image, struct asnap_freed *freed,
                                    struct asnap_raw **raw)
{
    return asnap_freed_read(&image->memory, IMAGE_BASE, false, NULL, freed, raw);
}

/* The numbers that are shown, as digits. */
static uint64_t shown(struct image *image)
{
    struct asnap_freed freed;
    struct asnap_raw *raw = NULL;
    uint64_t digits = 0;
    ASNAP_ASSERT_OK(try_read(image, &freed, &raw));
    for (uint64_t i = 0; i < freed.shown; i++)
        digits = digits * 10 + raw->traces[i].address / 0x1000;
    asnap_raw_destroy(raw);
    return digits;
}

ASNAP_TEST(freed, reads_both_stacks_the_last_block_first)
{
    struct image image;
    struct asnap_freed freed;
    struct asnap_raw *raw = NULL;
    fill(&image);
    ASNAP_ASSERT_OK(try_read(&image, &freed, &raw));
    CU_ASSERT(freed.capacity == PLACES && freed.count == 6 && freed.shown == 4);
    CU_ASSERT_EQUAL_FATAL(raw->trace_count, 8);
    CU_ASSERT_EQUAL(shown(&image), 6543);
    for (size_t i = 0; i < 4; i++) {
        const struct asnap_trace *allocated = &raw->traces[i];
        const struct asnap_trace *end = &raw->traces[4 + i];
        CU_ASSERT(allocated->size == 10 * (6 - i) && end->size == allocated->size);
        CU_ASSERT(end->address == allocated->address);
        CU_ASSERT(allocated->time == 5 && end->time == 7);
        CU_ASSERT_EQUAL(raw->nodes[allocated->traceback_id].pc, 0x1111);
        CU_ASSERT_EQUAL(raw->nodes[end->traceback_id].pc, i == 1 ? ASNAP_RAW_NOT_COUNTED : 0x2222);
    }
    asnap_raw_destroy(raw);
    image_deinit(&image);
}

ASNAP_TEST(freed, leaves_out_what_is_not_there)
{
    struct image image;
    fill(&image);
    place_of(&image, 5)->number = ASNAP_TABLE_FREED_BUSY | 4711;
    CU_ASSERT_EQUAL(shown(&image), 643);
    place_of(&image, 4)->number = 0;
    CU_ASSERT_EQUAL(shown(&image), 63);
    ring_of(&image)->cleared = 3;
    CU_ASSERT_EQUAL(shown(&image), 6);
    ring_of(&image)->count = 7;
    CU_ASSERT_EQUAL(shown(&image), 6);
    memset(ring_of(&image)->magic, 0, 16);
    CU_ASSERT_EQUAL(shown(&image), 0);
    image_deinit(&image);
}

ASNAP_TEST(freed, believes_nothing_that_cannot_be)
{
    struct image image;
    struct asnap_freed freed;
    struct asnap_raw *raw = NULL;
    fill(&image);
    place_of(&image, 6)->stack = 3;
    place_of(&image, 5)->freed_stack = 3;
    place_of(&image, 4)->check++;
    place_of(&image, 3)->freed_thread = 1;
    ASNAP_ASSERT_OK(try_read(&image, &freed, &raw));
    CU_ASSERT(freed.shown == 0 && raw->bad_records == 4);
    asnap_raw_destroy(raw);
    ring_of(&image)->capacity = ASNAP_TABLE_FREED_MAX + 1;
    ASNAP_ASSERT_ERROR(try_read(&image, &freed, &raw), ASNAP_ERROR_DAMAGED);
    ring_of(&image)->capacity = PLACES;
    ring_of(&image)->cleared = 7;
    ASNAP_ASSERT_ERROR(try_read(&image, &freed, &raw), ASNAP_ERROR_DAMAGED);
    image_deinit(&image);
}

/* ---- where the last block of an address is ---- */

/* The number of the block with this key; 0: it is not known to be freed. */
static uint64_t found(uint64_t key)
{
    struct asnap_table_freed_block block = {0};
    return asnap_freed_find(key, &block) && block.key == key ? block.number : 0;
}

ASNAP_TEST(freed, finds_what_is_in_the_ring_only)
{
    enum { ROOM = 64, ROUNDS = 1000 };
    uint64_t frame = 0x4000;
    own_table_open();
    const struct asnap_removed removed = {.stack = asnap_stacks_intern(&frame, 1, 0)};
    CU_ASSERT_FATAL(asnap_freed_begin(ROOM));
    const uint64_t before = asnap_root_and_watch.freed.count;
    uint64_t last[50] = {0};
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        uint64_t key = 16 * (i * i % 47 + 1);
        last[key / 16] = asnap_freed_put(key, &removed, removed.stack);
        CU_ASSERT_EQUAL(last[key / 16], before + i);
        for (uint64_t other = 1; other < 50; other++) {
            bool is_there = last[other] != 0 && last[other] + ROOM > before + i;
            CU_ASSERT_EQUAL(found(16 * other), is_there ? last[other] : 0);
        }
    }
    /* The one before is not found in place of what was taken back: it is in use. */
    uint64_t number = asnap_freed_put(16, &removed, removed.stack);
    CU_ASSERT_EQUAL(found(16), number);
    uint64_t behind = asnap_freed_put(16 * 60, &removed, removed.stack);
    asnap_freed_take_back(behind);
    CU_ASSERT_EQUAL(found(16 * 60), 0);
    CU_ASSERT_EQUAL(found(16), number);
    asnap_freed_doubt();
    CU_ASSERT_EQUAL(found(16), 0);
    number = asnap_freed_put(16, &removed, removed.stack);
    CU_ASSERT_EQUAL(found(16), number);
    asnap_freed_clear();
    CU_ASSERT_EQUAL(found(16), 0);
}

/* ---- between any two instructions ---- */

enum { CAPACITY = 3, FREES = 8 };

/* What the child is at, in memory that both see. */
struct told {
    volatile uint64_t done;   /* blocks that were freed */
    volatile bool takes_back; /* the last one */
    volatile bool clears;
};

static struct told *told;

static void be_the_child(void)
{
    uint64_t frame = 0x4000;
    own_table_open();
    uint32_t stack = asnap_stacks_intern(&frame, 1, 0);
    if (!asnap_freed_begin(CAPACITY))
        _exit(1);
    step_child_stop();
    for (uint64_t i = 1; i <= FREES; i++) {
        const struct asnap_removed removed = {.size = i, .stack = stack};
        asnap_freed_put(0x1000 * i, &removed, stack);
        told->done = i;
    }
    told->takes_back = true;
    asnap_freed_take_back(FREES);
    told->clears = true;
    asnap_freed_clear();
    step_child_stop();
}

/* Those that are shown follow each other, up to the one that is being freed or that before. Of the
 * oldest one the place may be about to have that one. */
static bool follows(const struct asnap_freed *freed, const struct asnap_raw *raw)
{
    uint64_t done = told->done;
    uint64_t first = freed->shown == 0 ? 0 : raw->traces[0].address / 0x1000;
    for (uint64_t i = 0; i < freed->shown; i++)
        if (raw->traces[i].address != 0x1000 * (first - i) || raw->traces[i].size != first - i ||
            raw->traces[freed->shown + i].address != raw->traces[i].address)
            return false;
    if (told->clears || told->takes_back)
        return freed->shown == 0 || first == FREES || first == FREES - 1;
    uint64_t least = done < CAPACITY ? done : CAPACITY - 1;
    return freed->shown >= least && freed->shown <= CAPACITY && first <= done + 1 &&
           (freed->shown == 0 || first >= done);
}

static bool agrees(pid_t child)
{
    struct asnap_memory memory = step_child_memory(&child);
    struct asnap_freed freed;
    struct asnap_raw *raw = NULL;
    ASNAP_ASSERT_OK(
        asnap_freed_read(&memory, (uintptr_t)&allocsnap_root, false, NULL, &freed, &raw));
    bool good = raw->bad_records == 0 && raw->unreadable_bytes == 0 && follows(&freed, raw);
    asnap_raw_destroy(raw);
    return good;
}

ASNAP_TEST(freed, is_readable_at_every_instruction)
{
    told = step_child_share(sizeof(*told));
    CU_ASSERT(step_child(be_the_child, agrees) > 300);
    CU_ASSERT(told->clears && told->done == FREES);
    munmap(told, sizeof(*told));
}
