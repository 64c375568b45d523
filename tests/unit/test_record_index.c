/* The index of records: what lies where, for keys of many patterns, and sums at their limit. */
#include "own_memory.h"
#include "own_table.h"
#include "raw.h"
#include "record_index.h"
#include "records.h"
#include "root.h"
#include "stacks.h"
#include "unit.h"

enum { BLOCKS = 200 * 1024 };

/* A key for each number. */
typedef uint64_t key_of(uint64_t number);

static uint64_t in_domain(uint64_t domain, uint64_t address)
{
    return domain << ASNAP_TABLE_ADDRESS_BITS | address;
}

static uint64_t heap_blocks(uint64_t number)
{
    return 0x555555500000 + number * 48;
}

static uint64_t numbers(uint64_t number)
{
    return number + 1;
}

static uint64_t numbers_in_each_domain(uint64_t number)
{
    return in_domain(number / 1024 + 1, number % 1024 + 1);
}

static uint64_t few_in_each_domain(uint64_t number)
{
    return in_domain(number % 255 + 1, number / 255 + 1);
}

static uint64_t pages(uint64_t number)
{
    return in_domain(1, (number + 1) << 12);
}

static uint64_t high_bits(uint64_t number)
{
    return in_domain(1, (number + 1) << 38);
}

/* Lines that a search for each key passes over, together; and the most for one of them. */
static uint64_t passed_over(key_of *key, uint32_t *most)
{
    uint64_t sum = 0;
    *most = 0;
    for (uint64_t i = 0; i < BLOCKS; i++) {
        struct asnap_index_search search;
        uint32_t number = asnap_table_shard_of(asnap_table_key_address(key(i)));
        const struct asnap_table_shard *shard = &allocsnap_root.shards[number];
        CU_ASSERT_FATAL(asnap_index_find(shard, key(i), &search));
        uint32_t passed = (search.line + shard->line_count - search.home) % shard->line_count;
        sum += passed;
        *most = passed > *most ? passed : *most;
    }
    return sum;
}

static void check_spread(key_of *key)
{
    own_table_open();
    uint64_t frame = 0x4242;
    uint32_t stack = asnap_stacks_intern(&frame, 1, 0);
    allocsnap_root.domain_count = ASNAP_TABLE_DOMAINS;
    for (uint64_t i = 0; i < BLOCKS; i++)
        if (asnap_records_insert(key(i), 1, stack) != ASNAP_INSERTED)
            CU_FAIL_FATAL("no memory");
    uint32_t most;
    /* Lines are full to seven eighths at most, so that a search passes over some. */
    CU_ASSERT(passed_over(key, &most) < 2 * (uint64_t)BLOCKS);
    CU_ASSERT(most < 32);
    asnap_records_clear();
}

ASNAP_TEST(record_index, spreads_keys_of_all_patterns)
{
    check_spread(heap_blocks);
    check_spread(numbers);
    check_spread(numbers_in_each_domain);
    check_spread(few_in_each_domain);
    check_spread(pages);
    check_spread(high_bits);
}

/* The blocks of 512 bytes of an allocator's memory are where one search begins. */
ASNAP_TEST(record_index, keeps_neighbours_together)
{
    const uint32_t lines = 1000;
    for (uint64_t number = 0; number < 1000; number++) {
        uint64_t address = 0x7f1200000000 + number * 512;
        struct asnap_index_home first = asnap_index_home_of(address, lines);
        for (uint64_t offset = 16; offset < 512; offset += 16) {
            struct asnap_index_home home = asnap_index_home_of(address + offset, lines);
            if (home.line != first.line || home.tag == first.tag)
                CU_FAIL_FATAL("neighbours with another line, or with the same tag");
        }
    }
}

/* In one shard, so that its limit is reached by so many blocks of the largest size. */
ASNAP_TEST(record_index, refuses_sums_from_the_limit_on)
{
    own_table_open();
    uint64_t frame = 0x4242;
    uint32_t stack = asnap_stacks_intern(&frame, 1, 0);
    const uint64_t largest = ASNAP_TABLE_SIZE_LIMIT - 1;
    uint64_t count = 0;
    while (count < 2000 && asnap_records_insert(16 * (count + 1), largest, stack) == ASNAP_INSERTED)
        count++;
    CU_ASSERT_EQUAL(count, 1024);
    CU_ASSERT_EQUAL(asnap_records_insert(16 * 2000, 1024, stack), ASNAP_NO_SUM);
    CU_ASSERT_EQUAL(asnap_records_insert(16 * 2000, 1023, stack), ASNAP_INSERTED);
    /* One of the same key is replaced, or gone. */
    CU_ASSERT_EQUAL(asnap_records_insert(16 * 2000, 1024, stack), ASNAP_NO_SUM);
    CU_ASSERT_FALSE(asnap_records_remove(16 * 2000, NULL));
    CU_ASSERT_EQUAL(asnap_records_insert(16, largest - 1, stack), ASNAP_REPLACED);
    CU_ASSERT_EQUAL(asnap_records_insert(16 * 2001, 1024, stack), ASNAP_INSERTED);
    struct asnap_raw *raw = own_table_read();
    CU_ASSERT_EQUAL(raw->trace_count, 1025);
    asnap_raw_destroy(raw);
    CU_ASSERT_EQUAL(allocsnap_root.shards[asnap_table_shard_of(0)].size,
                    ASNAP_TABLE_SHARD_SIZE_LIMIT - 1);
    CU_ASSERT_EQUAL(allocsnap_root.peak_bytes, ASNAP_TABLE_SHARD_SIZE_LIMIT - 1);
    asnap_records_clear();
}
