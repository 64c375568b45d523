/* The hooks' writers of the table, read back by the library. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "module_list.h"
#include "own_memory.h"
#include "own_table.h"
#include "pages.h"
#include "raw.h"
#include "records.h"
#include "root.h"
#include "stacks.h"
#include "thread_numbers.h"
#include "traced.h"
#include "unit.h"

static uint64_t traced_bytes(void)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++)
        sum += allocsnap_root.shards[i].size;
    return sum;
}

/* What must be in the table: the size of each block, by its number. */
enum { MODEL_BLOCKS = 20000 };

struct model {
    uint64_t sizes[MODEL_BLOCKS]; /* UINT64_MAX: not live */
    uint32_t stacks[MODEL_BLOCKS];
    uint64_t first; /* address of block 0 */
    unsigned seed;
};

static uint64_t address_of(const struct model *model, uint32_t block)
{
    return model->first + (uint64_t)block * 48;
}

static void model_init(struct model *model, uint64_t first, unsigned seed)
{
    memset(model->sizes, 0xff, sizeof(model->sizes));
    model->first = first;
    model->seed = seed;
}

/* Inserts, replaces and removes blocks at random. */
static void churn(struct model *model, int steps)
{
    for (int step = 0; step < steps; step++) {
        uint32_t block = (uint32_t)rand_r(&model->seed) % MODEL_BLOCKS;
        struct asnap_removed removed;
        if (rand_r(&model->seed) % 5 < 3) {
            uint64_t frames[3] = {0x1000u + block % 7, 0x2000u + block % 11, 0x3000};
            bool was_live = model->sizes[block] != UINT64_MAX;
            model->sizes[block] = (uint64_t)rand_r(&model->seed) % 5000;
            model->stacks[block] = asnap_stacks_intern(frames, 3, 0);
            if (asnap_records_insert(address_of(model, block), model->sizes[block],
                                     model->stacks[block]) !=
                (was_live ? ASNAP_REPLACED : ASNAP_INSERTED))
                abort();
        } else {
            bool live = model->sizes[block] != UINT64_MAX;
            if (asnap_records_remove(address_of(model, block), &removed) != live)
                abort();
            if (live &&
                (removed.size != model->sizes[block] || removed.stack != model->stacks[block]))
                abort();
            model->sizes[block] = UINT64_MAX;
        }
    }
}

/* Whether the table holds these models' blocks and no other. */
static void compare(const struct model *models, size_t count)
{
    struct asnap_raw *raw = own_table_read();
    size_t live = 0;
    uint64_t size = 0;
    size_t wrong = 0;
    for (size_t m = 0; m < count; m++)
        for (uint32_t block = 0; block < MODEL_BLOCKS; block++)
            if (models[m].sizes[block] != UINT64_MAX) {
                live++;
                size += models[m].sizes[block];
            }
    for (size_t i = 0; i < raw->trace_count; i++) {
        const struct asnap_trace *trace = &raw->traces[i];
        size_t m = 0;
        while (m < count && (trace->address - models[m].first) / 48 >= MODEL_BLOCKS)
            m++;
        CU_ASSERT_FATAL(m < count);
        uint64_t block = (trace->address - models[m].first) / 48;
        wrong += trace->address != address_of(&models[m], (uint32_t)block) ||
                 trace->size != models[m].sizes[block] ||
                 trace->traceback_id != models[m].stacks[block];
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(raw->trace_count, live);
    CU_ASSERT_EQUAL(raw->busy_shards, 0);
    CU_ASSERT_EQUAL(traced_bytes(), size);
    CU_ASSERT(allocsnap_root.peak_bytes >= size);
    asnap_raw_destroy(raw);
}

ASNAP_TEST(table_writer, keeps_what_it_is_told)
{
    static struct model model;
    own_table_open();
    model_init(&model, 0x7f1200000010, 1);
    for (int round = 0; round < 20; round++) {
        churn(&model, 10000);
        compare(&model, 1);
    }
    asnap_records_clear();
    model_init(&model, 0x7f1200000010, 1);
    compare(&model, 1);
    CU_ASSERT_EQUAL(allocsnap_root.peak_bytes, 0);
}

ASNAP_TEST(table_writer, replaces_a_known_address)
{
    own_table_open();
    uint64_t frame = 0x4242;
    uint32_t stack = asnap_stacks_intern(&frame, 1, 0);
    CU_ASSERT_EQUAL(asnap_records_insert(0x1000, 10, stack), ASNAP_INSERTED);
    CU_ASSERT_EQUAL(asnap_records_insert(0x1000, 30, stack), ASNAP_REPLACED);
    struct asnap_raw *raw = own_table_read();
    CU_ASSERT_EQUAL_FATAL(raw->trace_count, 1);
    CU_ASSERT_EQUAL(raw->traces[0].size, 30);
    asnap_raw_destroy(raw);
    CU_ASSERT_EQUAL(allocsnap_root.peak_bytes, 30);
    struct asnap_removed removed;
    CU_ASSERT(asnap_records_remove(0x1000, &removed));
    CU_ASSERT_FALSE(asnap_records_remove(0x1000, &removed));
    CU_ASSERT_EQUAL(traced_bytes(), 0);
    asnap_traced_reset_peak();
    CU_ASSERT_EQUAL(allocsnap_root.peak_bytes, 0);
}

/* At each count from a million on: growth goes by small steps. */
ASNAP_TEST(table_writer, fits_32_bytes_a_block)
{
    own_table_open();
    uint64_t frame = 0x4242;
    uint32_t stack = asnap_stacks_intern(&frame, 1, 0);
    uint64_t before = allocsnap_root.tracker_bytes;
    uint64_t most = 0;
    for (uint64_t block = 1; block <= 2000000; block++) {
        if (asnap_records_insert(0x555500000000 + block * 64, 40, stack) != ASNAP_INSERTED)
            abort();
        uint64_t used = allocsnap_root.tracker_bytes - before;
        if (block >= 1000000 && used > 32 * block)
            most = block;
    }
    CU_ASSERT_EQUAL(most, 0);
    struct asnap_raw *raw = own_table_read();
    CU_ASSERT_EQUAL(raw->trace_count, 2000000);
    asnap_raw_destroy(raw);
    asnap_records_clear();
    /* The pages that list what is mapped stay. */
    CU_ASSERT(allocsnap_root.tracker_bytes <= before + 16 * sizeof(struct asnap_table_own_page));
}

/* So many blocks of one shard that its lists of chunks and of buckets move. */
ASNAP_TEST(table_writer, grows_its_lists)
{
    own_table_open();
    uint64_t frame = 0x4242;
    uint32_t stack = asnap_stacks_intern(&frame, 1, 0);
    uint64_t before = allocsnap_root.tracker_bytes;
    const uint64_t pages = 2 * 340 * ASNAP_TABLE_CHUNK_RECORDS / 128 + 1;
    uint64_t page = 0x7f0000000;
    uint32_t shard = asnap_table_shard_of(page << 12);
    for (uint64_t done = 0; done < pages; page++) {
        if (asnap_table_shard_of(page << 12) != shard)
            continue;
        for (uint64_t block = 0; block < 128; block++)
            if (asnap_records_insert(page << 12 | block * 32, 1, stack) != ASNAP_INSERTED)
                abort();
        done++;
    }
    CU_ASSERT_EQUAL(allocsnap_root.shards[shard].count, pages * 128);
    uint64_t last = page - 1;
    size_t missing = 0;
    for (page = 0x7f0000000; page <= last; page++)
        for (uint64_t block = 0; block < 128 && asnap_table_shard_of(page << 12) == shard; block++)
            missing += !asnap_records_remove(page << 12 | block * 32, NULL);
    CU_ASSERT_EQUAL(missing, 0);
    CU_ASSERT_EQUAL(traced_bytes(), 0);
    asnap_records_clear();
    CU_ASSERT_EQUAL(allocsnap_root.tracker_bytes, before);
}

ASNAP_TEST(table_writer, notes_thread_and_time)
{
    own_table_open();
    uint64_t frame = 0x4242;
    uint32_t stack = asnap_stacks_intern(&frame, 1, 0);
    uint32_t before = asnap_clock_now();
    CU_ASSERT_EQUAL(asnap_records_insert(0x1000, 10, stack), ASNAP_INSERTED);
    uint32_t after = asnap_clock_now();
    struct asnap_raw *raw = own_table_read();
    CU_ASSERT_EQUAL_FATAL(raw->trace_count, 1);
    const struct asnap_trace *trace = &raw->traces[0];
    CU_ASSERT_EQUAL(trace->thread, asnap_thread_number());
    CU_ASSERT_EQUAL_FATAL(raw->thread_count, allocsnap_root.thread_count);
    CU_ASSERT_EQUAL(raw->threads[0], 0);
    CU_ASSERT_EQUAL(raw->threads[trace->thread], (uint32_t)syscall(SYS_gettid));
    CU_ASSERT(trace->time >= before && trace->time <= after);
    CU_ASSERT_EQUAL(raw->start_realtime, allocsnap_root.start_realtime);
    asnap_raw_destroy(raw);
    asnap_records_clear();
}

ASNAP_TEST(table_writer, puts_back_a_record_as_it_was)
{
    own_table_open();
    uint64_t frame = 0x4242;
    uint32_t stack = asnap_stacks_intern(&frame, 1, 0);
    const struct asnap_removed block = {.size = 77, .stack = stack, .thread = 0, .time = 12345};
    struct asnap_removed removed;
    CU_ASSERT_EQUAL(asnap_records_put_back(0x1000, &block, ASNAP_TABLE_TRACING_ALL),
                    ASNAP_INSERTED);
    CU_ASSERT(asnap_records_remove(0x1000, &removed));
    CU_ASSERT_EQUAL(removed.size, 77);
    CU_ASSERT_EQUAL(removed.stack, stack);
    CU_ASSERT_EQUAL(removed.thread, 0);
    CU_ASSERT_EQUAL(removed.time, 12345);
    CU_ASSERT_EQUAL(asnap_records_put_back(0x1000, &removed, ASNAP_TABLE_TRACING_ALL),
                    ASNAP_INSERTED);
    struct asnap_raw *raw = own_table_read();
    CU_ASSERT_EQUAL_FATAL(raw->trace_count, 1);
    CU_ASSERT_EQUAL(raw->traces[0].time, 12345);
    asnap_raw_destroy(raw);
    CU_ASSERT_EQUAL(allocsnap_root.peak_bytes, 77);
    asnap_records_clear();
}

ASNAP_TEST(table_writer, knows_the_peak)
{
    own_table_open();
    uint64_t frame = 0x4242;
    uint32_t stack = asnap_stacks_intern(&frame, 1, 0);
    CU_ASSERT_EQUAL(allocsnap_root.peak_bytes, 0);
    asnap_records_insert(0x1000, 100, stack);
    asnap_records_insert(0x2000, 50, stack);
    CU_ASSERT_EQUAL(allocsnap_root.peak_bytes, 150);
    asnap_records_remove(0x1000, NULL);
    asnap_records_insert(0x3000, 60, stack);
    asnap_records_insert(0x4000, 40, stack);
    CU_ASSERT_EQUAL(allocsnap_root.peak_bytes, 150);
    /* A block in place of another of the same address: the two were never there together. */
    asnap_records_insert(0x3000, 61, stack);
    CU_ASSERT_EQUAL(allocsnap_root.peak_bytes, 151);
    asnap_records_insert(0x3000, 1, stack);
    asnap_traced_reset_peak();
    CU_ASSERT_EQUAL(allocsnap_root.peak_bytes, 91);
    /* Sizes too large for a lane, and sums too large for many. */
    uint64_t sum = 91;
    for (uint64_t i = 0; i < 10; i++, sum += ASNAP_TABLE_SIZE_LIMIT - 1)
        CU_ASSERT_EQUAL(asnap_records_insert(0x10000 + 64 * i, ASNAP_TABLE_SIZE_LIMIT - 1, stack),
                        ASNAP_INSERTED);
    CU_ASSERT_EQUAL(allocsnap_root.peak_bytes, sum);
    for (uint64_t i = 0; i < 10; i++)
        asnap_records_remove(0x10000 + 64 * i, NULL);
    for (uint64_t i = 0; i < 300; i++)
        asnap_records_insert(0x20000 + 64 * i, UINT64_C(1) << 39, stack);
    for (uint64_t i = 0; i < 300; i++)
        asnap_records_remove(0x20000 + 64 * i, NULL);
    CU_ASSERT_EQUAL(allocsnap_root.peak_bytes, sum);
    CU_ASSERT_EQUAL(traced_bytes(), 91);
    CU_ASSERT_EQUAL(asnap_records_insert(0x5000, 5, stack), ASNAP_INSERTED);
    asnap_traced_reset_peak();
    CU_ASSERT_EQUAL(allocsnap_root.peak_bytes, 96);
    asnap_records_clear();
    CU_ASSERT_EQUAL(allocsnap_root.peak_bytes, 0);
}

/* For want of memory a record is not kept, and nothing is counted for it. */
ASNAP_TEST(table_writer, drops_records_without_memory)
{
    own_table_open();
    uint64_t frame = 0x4242;
    uint32_t stack = asnap_stacks_intern(&frame, 1, 0);
    asnap_thread_number();
    asnap_pages_set_limit(allocsnap_root.tracker_bytes);
    CU_ASSERT_EQUAL(asnap_records_insert(0x1000, 10, stack), ASNAP_NO_MEMORY);
    asnap_pages_set_limit(allocsnap_root.tracker_bytes + 12 * 4096);
    uint64_t kept = 0;
    while (kept < 2000 && asnap_records_insert(0x1000 + 32 * (kept % 128), 10, stack) ==
                              (kept < 128 ? ASNAP_INSERTED : ASNAP_REPLACED))
        kept++;
    CU_ASSERT_EQUAL(kept, 2000);
    uint64_t page = 1;
    uint32_t shard = asnap_table_shard_of(0x1000);
    for (kept = 128; page < 1000000 && kept < 5000; page++) {
        if (asnap_table_shard_of(page << 12) != shard || page == 1)
            continue;
        if (asnap_records_insert(page << 12, 10, stack) != ASNAP_INSERTED)
            break;
        kept++;
    }
    CU_ASSERT_EQUAL(kept, ASNAP_TABLE_CHUNK_RECORDS);
    CU_ASSERT_EQUAL(allocsnap_root.peak_bytes, 10 * kept);
    CU_ASSERT_EQUAL(traced_bytes(), 10 * kept);
    /* One with an old key goes, one in its place comes. */
    CU_ASSERT_EQUAL(asnap_records_insert(0x1000, 10, stack), ASNAP_REPLACED);
    uint64_t far = 0x900000;
    uint64_t unused[2] = {0x777000, 0x888000};
    uint32_t nodes = allocsnap_root.node_count;
    while (asnap_table_shard_of(far) == shard)
        far += 4096;
    CU_ASSERT_EQUAL(asnap_records_insert(far, 10, stack), ASNAP_NO_MEMORY);
    CU_ASSERT_EQUAL(traced_bytes(), 10 * kept);
    asnap_stacks_intern(unused, 2, 3);
    CU_ASSERT(allocsnap_root.node_count >= nodes);
    asnap_pages_set_limit(UINT64_MAX);
    asnap_records_clear();
}

ASNAP_TEST(table_writer, lists_modules_once)
{
    own_table_open();
    struct asnap_table_module module = {.start = 0x401000, .end = 0x405000, .build_id_bytes = 3};
    memcpy(module.build_id, "\1\2\3", 3);
    uint32_t first = asnap_module_list_add(&module, "/lib/one");
    CU_ASSERT_NOT_EQUAL_FATAL(first, 0);
    CU_ASSERT_EQUAL(asnap_module_list_add(&module, "/lib/one"), first);
    uint32_t other = asnap_module_list_add(&module, "/lib/two");
    CU_ASSERT_EQUAL(other, first + 1);
    module.build_id[2] = 4;
    CU_ASSERT_EQUAL(asnap_module_list_add(&module, "/lib/two"), first + 2);
    module.end = module.start;
    CU_ASSERT_EQUAL(asnap_module_list_add(&module, "/lib/two"), 0);
    char longest[ASNAP_TABLE_PATH_BYTES + 2];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    module.end = module.start + 1;
    CU_ASSERT_EQUAL(asnap_module_list_add(&module, longest), 0);
    longest[sizeof(longest) - 2] = '\0';
    CU_ASSERT_EQUAL(asnap_module_list_add(&module, longest), first + 3);
    uint64_t pc = (uint64_t)other << ASNAP_TABLE_PC_BITS | 0x401234;
    uint32_t stack = asnap_stacks_intern(&pc, 1, 0);
    CU_ASSERT_NOT_EQUAL(asnap_stacks_child(asnap_stacks_origin(0), 0x401234), stack);
    struct asnap_raw *raw = own_table_read();
    CU_ASSERT_EQUAL(raw->nodes[stack].pc, 0x401234);
    CU_ASSERT_EQUAL(raw->nodes[stack].module, other);
    CU_ASSERT_EQUAL_FATAL(raw->module_count, allocsnap_root.module_count);
    const struct asnap_raw_module *read = &raw->modules[first];
    CU_ASSERT(read->start == 0x401000 && read->end == 0x405000 && read->build_id_bytes == 3);
    CU_ASSERT_EQUAL(memcmp(read->build_id, "\1\2\3\0", 4), 0);
    CU_ASSERT_STRING_EQUAL(read->path, "/lib/one");
    CU_ASSERT_STRING_EQUAL(raw->modules[other].path, "/lib/two");
    CU_ASSERT_EQUAL(raw->modules[first + 2].build_id[2], 4);
    CU_ASSERT_STRING_EQUAL(raw->modules[first + 3].path, longest);
    CU_ASSERT(raw->modules[0].path == NULL && raw->modules[0].end == 0);
    asnap_raw_destroy(raw);
}

ASNAP_TEST(table_writer, shares_stacks)
{
    own_table_open();
    uint64_t frames[4] = {4, 3, 2, 1};
    uint32_t whole = asnap_stacks_intern(frames, 4, 0);
    CU_ASSERT_EQUAL(asnap_stacks_intern(frames, 4, 0), whole);
    CU_ASSERT_NOT_EQUAL(asnap_stacks_intern(frames, 4, 1), whole);
    CU_ASSERT_NOT_EQUAL(asnap_stacks_intern(frames, 3, 0), whole);
    uint32_t count = allocsnap_root.node_count;
    asnap_stacks_intern(frames + 1, 3, 0);
    CU_ASSERT_EQUAL(allocsnap_root.node_count, count);
    struct asnap_raw *raw = own_table_read();
    uint32_t node = whole;
    for (size_t i = 0; i < 4; i++, node = raw->nodes[node].parent)
        CU_ASSERT_EQUAL(raw->nodes[node].pc, frames[i]);
    CU_ASSERT_EQUAL(raw->nodes[node].parent, ASNAP_RAW_NONE);
    CU_ASSERT_EQUAL(raw->nodes[node].pc, 0);
    asnap_raw_destroy(raw);
}

enum { THREADS = 4, SHARED_STACKS = 30000 };

static void *intern_many(void *argument)
{
    uint32_t *stacks = argument;
    for (uint32_t i = 0; i < SHARED_STACKS; i++) {
        uint64_t frames[2] = {0x900000u + i, 0x800000u + i / 100};
        stacks[i] = asnap_stacks_intern(frames, 2, 0);
    }
    return NULL;
}

ASNAP_TEST(table_writer, shares_stacks_between_threads)
{
    static uint32_t stacks[THREADS][SHARED_STACKS];
    pthread_t threads[THREADS];
    own_table_open();
    uint32_t before = allocsnap_root.node_count;
    for (size_t i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, intern_many, stacks[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL(pthread_join(threads[i], NULL), 0);
    for (size_t i = 1; i < THREADS; i++)
        CU_ASSERT_EQUAL(memcmp(stacks[0], stacks[i], sizeof(stacks[0])), 0);
    CU_ASSERT_EQUAL(allocsnap_root.node_count - before, SHARED_STACKS + SHARED_STACKS / 100);
}

static void *churn_much(void *argument)
{
    churn(argument, 200000);
    return NULL;
}

ASNAP_TEST(table_writer, serves_threads_at_once)
{
    static struct model models[THREADS];
    pthread_t threads[THREADS];
    own_table_open();
    for (unsigned i = 0; i < THREADS; i++) {
        model_init(&models[i], 0x600000000000 + (uint64_t)i * MODEL_BLOCKS * 48, i + 1);
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, churn_much, &models[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL(pthread_join(threads[i], NULL), 0);
    compare(models, THREADS);
    asnap_records_clear();
}

ASNAP_TEST(table_writer, keeps_nothing_once_tracing_is_off)
{
    own_table_open();
    uint64_t frame = 0x1000;
    uint32_t stack = asnap_stacks_intern(&frame, 1, 0);
    CU_ASSERT_EQUAL(asnap_records_insert(0x10000, 10, stack), ASNAP_INSERTED);
    /* A thread was between its allocation and the record. */
    allocsnap_root.applied.tracing = 0;
    asnap_records_clear();
    CU_ASSERT_EQUAL(asnap_records_insert(0x20000, 20, stack), ASNAP_INSERTED);
    CU_ASSERT_EQUAL(traced_bytes(), 0);
    allocsnap_root.applied.tracing = 1;
    struct asnap_raw *raw = own_table_read();
    CU_ASSERT_EQUAL(asnap_raw_trace_count(raw), 0);
    asnap_raw_destroy(raw);
}
