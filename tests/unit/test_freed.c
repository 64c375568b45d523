/* Blocks that were freed: what the hooks keep of them, as a debugger reads it, also between any two
 * instructions. */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "freed.h"
#include "own_table.h"
#include "raw.h"
#include "root.h"
#include "stacks.h"
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
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    for (uint64_t i = 1; i <= FREES; i++) {
        const struct asnap_removed removed = {.size = i, .stack = stack};
        asnap_freed_put(0x1000 * i, &removed, stack);
        told->done = i;
    }
    told->takes_back = true;
    asnap_freed_take_back(FREES);
    told->clears = true;
    asnap_freed_clear();
    raise(SIGSTOP);
    _exit(0);
}

static int read_child(void *context, uint64_t address, void *buffer, size_t size)
{
    struct iovec here = {buffer, size};
    struct iovec there = {(void *)(uintptr_t)address, size};
    ssize_t got = process_vm_readv(*(pid_t *)context, &here, 1, &there, 1, 0);
    return got == (ssize_t)size ? ASNAP_READ_OK : ASNAP_READ_FAILED;
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
    struct asnap_memory memory = {.read = read_child, .context = &child};
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
    told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_FATAL(told != MAP_FAILED);
    pid_t child = fork();
    if (child == 0)
        be_the_child();
    int status = 0;
    long steps = 0;
    bool good = waitpid(child, &status, 0) == child && WIFSTOPPED(status);
    CU_ASSERT_FATAL(good);
    while (good && ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0 &&
           waitpid(child, &status, 0) == child && WIFSTOPPED(status) &&
           WSTOPSIG(status) == SIGTRAP) {
        steps++;
        good = agrees(child);
    }
    CU_ASSERT(good);
    CU_ASSERT(steps > 300);
    CU_ASSERT(told->clears && told->done == FREES);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    munmap(told, sizeof(*told));
}
