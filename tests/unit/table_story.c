#include "table_story.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "module_list.h"
#include "own_table.h"
#include "raw.h"
#include "records.h"
#include "root.h"
#include "sample_filter.h"
#include "stacks.h"
#include "thread_numbers.h"
#include "unit.h"

struct table_story *table_story;

/* Blocks whose pages share a shard, so that this one grows. */
static void place_blocks(void)
{
    uint64_t page = 0x7f0000000;
    uint32_t shard = asnap_table_shard_of(page << 12);
    for (int i = 0; i < STORY_BLOCKS; i++) {
        while (asnap_table_shard_of(page << 12) != shard)
            page++;
        table_story->addresses[i] = page << 12 | (uint64_t)(i % 128) * 32;
        if (i % 128 == 127)
            page++;
    }
}

bool table_story_create(uint64_t sample_period, bool is_watched)
{
    void *story =
        mmap(NULL, sizeof(*table_story), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (story == MAP_FAILED)
        return false;
    table_story = story;
    place_blocks();
    table_story->threads_before = allocsnap_root.thread_count;
    memset((void *)table_story->sizes, 0xff, sizeof(table_story->sizes));
    table_story->busy = STORY_IDLE;
    table_story->sample_period = sample_period;
    table_story->is_watched = is_watched;
    return true;
}

void table_story_destroy(void)
{
    munmap(table_story, sizeof(*table_story));
    table_story = NULL;
}

static void begin(int block, uint64_t size, uint32_t stack)
{
    table_story->new_size = size;
    table_story->new_stack = stack;
    table_story->busy = block;
}

static void end(int block)
{
    table_story->sizes[block] = table_story->new_size;
    table_story->stacks[block] = table_story->new_stack;
    table_story->busy = STORY_IDLE;
}

void table_story_insert(int block, uint64_t size)
{
    uint64_t address = table_story->addresses[block];
    begin(block, size, table_story->stack);
    if (table_story->sample_period == 0)
        asnap_records_insert(address, size, table_story->stack);
    else
        asnap_records_insert_sampled(address, size, table_story->stack, OWN_TABLE_SAMPLE);
    own_table_see();
    end(block);
}

static void withdraw(int block, struct asnap_removed *removed)
{
    if (table_story->sample_period == 0)
        asnap_records_remove(table_story->addresses[block], removed);
    else
        asnap_records_remove_sampled(table_story->addresses[block], removed);
}

void table_story_drop(int block)
{
    begin(block, UINT64_MAX, 0);
    withdraw(block, NULL);
    end(block);
}

void table_story_drop_and_put_back(int block)
{
    struct asnap_removed removed;
    if (table_story->sizes[block] == UINT64_MAX)
        return;
    begin(block, table_story->sizes[block], table_story->stacks[block]);
    withdraw(block, &removed);
    asnap_records_put_back(table_story->addresses[block], &removed, allocsnap_root.applied.tracing);
    end(block);
}

void table_story_clear(int first)
{
    table_story->busy = STORY_ALL;
    asnap_records_clear();
    for (int block = first; block < STORY_BLOCKS; block++)
        table_story->sizes[block] = UINT64_MAX;
    table_story->busy = STORY_IDLE;
}

static uint64_t live_blocks(void)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++)
        count += allocsnap_root.shards[i].count;
    return count;
}

static uint64_t live_bytes(void)
{
    uint64_t size = 0;
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++)
        size += allocsnap_root.shards[i].size;
    return size;
}

void table_story_watch(uint64_t bytes, uint64_t blocks)
{
    const uint64_t limits[ASNAP_TABLE_WATCH_KINDS] = {
        [ASNAP_TABLE_WATCH_SIZE] = live_bytes() + bytes,
        [ASNAP_TABLE_WATCH_COUNT] = live_blocks() + blocks,
    };
    if (table_story->is_watched)
        own_table_watch(limits);
}

static uint64_t module_start(uint32_t module)
{
    return UINT64_C(0x10000) * (module + 1);
}

void table_story_add_module(void)
{
    uint32_t number = allocsnap_root.module_count == 0 ? 1 : allocsnap_root.module_count;
    struct asnap_table_module module = {.start = module_start(number),
                                        .end = module_start(number) + 1};
    asnap_module_list_add(&module, "/lib/module");
}

void table_story_new_stack(unsigned number)
{
    uint64_t frames[3] = {0x100000u + number, 0x2000, 0x3000};
    frames[0] |= (uint64_t)(number % 3) << ASNAP_TABLE_PC_BITS;
    table_story->stack = asnap_stacks_intern(frames, 3, 0);
}

void table_story_be_another_thread(void)
{
    asnap_thread_number_forget();
    asnap_thread_number();
}

/* ---- whether it is so ---- */

static int read_child(void *context, uint64_t address, void *buffer, size_t size)
{
    struct iovec here = {buffer, size};
    struct iovec there = {(void *)(uintptr_t)address, size};
    ssize_t got = process_vm_readv(*(pid_t *)context, &here, 1, &there, 1, 0);
    return got == (ssize_t)size ? ASNAP_READ_OK : ASNAP_READ_FAILED;
}

static int block_at(uint64_t address)
{
    for (int i = 0; i < STORY_BLOCKS; i++)
        if (table_story->addresses[i] == address)
            return i;
    return STORY_IDLE;
}

/* The places of blocks by address, found once. */
static int find_block(uint64_t address)
{
    static int places[1 << 16];
    int *place = &places[(address >> 5) % (1 << 16)];
    if (*place == 0 || table_story->addresses[*place - 1] != address)
        *place = block_at(address) + 1;
    return *place - 1;
}

/* Each module is what the child added, and each thread but those that other tests did. */
static bool lists_agree(const struct asnap_raw *raw)
{
    bool good = true;
    for (size_t i = 1; i < raw->module_count; i++) {
        const struct asnap_raw_module *module = &raw->modules[i];
        good = good && module->start == module_start((uint32_t)i) &&
               strcmp(module->path, "/lib/module") == 0;
    }
    for (size_t i = 1; i < raw->thread_count; i++)
        good = good &&
               (i < table_story->threads_before || raw->threads[i] == (uint32_t)table_story->child);
    return good;
}

/* What the shards hold, or what is estimated of it, is never more than the peak. */
static bool peak_agrees(const struct asnap_memory *memory)
{
    static struct asnap_table_root root;
    uint64_t size = 0;
    if (memory->read(memory->context, (uintptr_t)&allocsnap_root, &root, sizeof(root)) !=
        ASNAP_READ_OK)
        return false;
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++)
        size += root.shards[i].size;
    if (table_story->sample_period != 0)
        size = root.estimated_size;
    return size <= root.peak_bytes;
}

/* No limit is passed while it is watched for, but that the block which does it is in the table
 * before all are counted. */
static bool watch_agrees(const struct asnap_memory *memory)
{
    static struct asnap_root_and_watch all;
    uint64_t size = 0;
    uint64_t count = 0;
    if (!table_story->is_watched)
        return true;
    if (memory->read(memory->context, (uintptr_t)&asnap_root_and_watch, &all, sizeof(all)) !=
        ASNAP_READ_OK)
        return false;
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++) {
        size += all.root.shards[i].size;
        count += all.root.shards[i].count;
    }
    const uint64_t *armed = all.watch.armed;
    return (armed[ASNAP_TABLE_WATCH_SIZE] == 0 || size <= armed[ASNAP_TABLE_WATCH_SIZE]) &&
           (armed[ASNAP_TABLE_WATCH_COUNT] == 0 || count <= armed[ASNAP_TABLE_WATCH_COUNT] + 1);
}

/* No record is missed by who looks whether there may be one; but for those that are being dropped
 * all at once. */
static bool filter_agrees(const struct asnap_memory *memory, const struct asnap_raw *raw)
{
    static uint64_t words[sizeof(asnap_filter_words) / sizeof(asnap_filter_words[0])];
    if (table_story->sample_period == 0 || table_story->busy == STORY_ALL)
        return true;
    if (memory->read(memory->context, (uintptr_t)asnap_filter_words, words, sizeof(words)) !=
        ASNAP_READ_OK)
        return false;
    bool good = true;
    for (size_t i = 0; i < raw->trace_count; i++) {
        uint32_t place = asnap_filter_place(raw->traces[i].address);
        uint64_t word = words[place / ASNAP_FILTER_WORD_BITS];
        good = good && (word >> place % ASNAP_FILTER_WORD_BITS & 1) != 0;
    }
    return good;
}

static bool is_told(const struct asnap_trace *trace, int block)
{
    if (trace->size == table_story->sizes[block] &&
        trace->traceback_id == table_story->stacks[block])
        return true;
    return block == table_story->busy && trace->size == table_story->new_size &&
           trace->traceback_id == table_story->new_stack;
}

bool table_story_agrees(pid_t process)
{
    static uint8_t seen[STORY_BLOCKS];
    struct asnap_memory memory = {.read = read_child, .context = &process};
    struct asnap_raw *raw = NULL;
    if (!asnap_unit_ok(asnap_raw_read(&memory, (uintptr_t)&allocsnap_root, false, NULL, &raw),
                       __FILE__, __LINE__))
        return false;
    memset(seen, 0, sizeof(seen));
    int32_t busy = table_story->busy;
    bool good = peak_agrees(&memory) && watch_agrees(&memory) && lists_agree(raw) &&
                filter_agrees(&memory, raw) && raw->sample_period == table_story->sample_period;
    for (size_t i = 0; i < raw->trace_count; i++) {
        int block = find_block(raw->traces[i].address);
        good = good && block >= 0 && seen[block]++ == 0 && is_told(&raw->traces[i], block);
    }
    for (int i = 0; i < STORY_BLOCKS && busy != STORY_ALL; i++)
        good = good && (seen[i] != 0 || table_story->sizes[i] == UINT64_MAX || i == busy);
    good = good && raw->unreadable_bytes == 0 && raw->unreadable_nodes == 0 &&
           raw->bad_records == 0 && raw->bad_shards == 0;
    asnap_raw_destroy(raw);
    return good;
}
