/* Records that the program has overwritten: each costs its own block, and is counted. */
#include "raw.h"
#include "table_image.h"

enum { A = 0x55550000, BLOCKS = 4, SIZE = 100 };

struct table {
    struct image image;
    struct asnap_table_record *records[BLOCKS];
    struct asnap_table_shard *shard;
};

/* Blocks of one shard, with one stack. */
static void fill(struct table *table)
{
    image_init(&table->image);
    image_thread(&table->image, 4711);
    uint32_t origin = image_node(&table->image, ASNAP_TABLE_NONE, 0);
    uint32_t node = image_node(&table->image, origin, 0x401000);
    for (uint64_t i = 0; i < BLOCKS; i++)
        table->records[i] = image_record(&table->image, A + 64 * i, 0, SIZE, node);
    table->shard = &image_root(&table->image)->shards[asnap_table_shard_of(A)];
}

static struct asnap_raw *read_ok(struct table *table)
{
    struct asnap_raw *raw = NULL;
    ASNAP_ASSERT_OK(asnap_raw_read(&table->image.memory, IMAGE_BASE, false, NULL, &raw));
    return raw;
}

/* What is read of the table, with the third record changed to `record`, is all the others. */
static void check_left_out(struct table *table, struct asnap_table_record record)
{
    struct asnap_table_record kept = *table->records[2];
    *table->records[2] = record;
    struct asnap_raw *raw = read_ok(table);
    CU_ASSERT_EQUAL_FATAL(raw->trace_count, BLOCKS - 1);
    CU_ASSERT_EQUAL(raw->traces[2].address, A + 64 * 3);
    CU_ASSERT_EQUAL(raw->bad_records, 1);
    CU_ASSERT_EQUAL(raw->bad_record, IMAGE_CHUNKS +
                                         (uint64_t)asnap_table_shard_of(A) * 2 * IMAGE_CHUNK_BYTES +
                                         2 * sizeof(struct asnap_table_record));
    CU_ASSERT_EQUAL(raw->bad_shards, 0);
    asnap_raw_destroy(raw);
    *table->records[2] = kept;
}

ASNAP_TEST(collect_damage, leaves_out_records_that_cannot_be)
{
    struct table table;
    fill(&table);
    const struct asnap_table_record good = *table.records[2];
    struct asnap_table_record bad = good;
    bad.key ^= 1 << 20; /* of another shard */
    check_left_out(&table, bad);
    bad = good;
    bad.key |= UINT64_C(1) << ASNAP_TABLE_ADDRESS_BITS; /* of a domain that is not there */
    check_left_out(&table, bad);
    bad = good;
    bad.stack = 2; /* with a node that is not there */
    check_left_out(&table, bad);
    bad = good;
    bad.extent |= UINT64_C(2) << ASNAP_TABLE_SIZE_BITS; /* of a thread that is not there */
    check_left_out(&table, bad);
    image_deinit(&table.image);
}

static void check_contradiction(struct table *table, size_t traces)
{
    struct asnap_raw *raw = read_ok(table);
    CU_ASSERT_EQUAL(raw->trace_count, traces);
    CU_ASSERT_EQUAL(raw->bad_records, 0);
    CU_ASSERT_EQUAL(raw->bad_shards, 1);
    CU_ASSERT_EQUAL(raw->bad_shard, asnap_table_shard_of(A));
    asnap_raw_destroy(raw);
}

ASNAP_TEST(collect_damage, notes_shards_that_hold_something_else)
{
    struct table table;
    fill(&table);
    table.records[1]->extent = SIZE + 1;
    check_contradiction(&table, BLOCKS);
    table.records[1]->extent = SIZE;
    table.shard->count--;
    check_contradiction(&table, BLOCKS);
    table.shard->count++;
    table.records[3]->key = 0;
    check_contradiction(&table, BLOCKS - 1);
    image_deinit(&table.image);
}

/* Sizes that a shard cannot have together are as little true as one that cannot be. */
ASNAP_TEST(collect_damage, sums_never_pass_their_limit)
{
    struct table table;
    fill(&table);
    enum { MANY = 1500, FITTING = 1024 };
    struct asnap_table_shard *shard = table.shard;
    for (uint64_t i = 0; i < MANY; i++)
        image_record(&table.image, A + 4096 + 64 * i, 0, ASNAP_TABLE_SIZE_LIMIT - 1, 1);
    shard->size = BLOCKS * SIZE;
    struct asnap_raw *raw = read_ok(&table);
    uint64_t sum = 0;
    for (size_t i = 0; i < raw->trace_count; i++)
        sum += raw->traces[i].size;
    CU_ASSERT_EQUAL(raw->trace_count, BLOCKS + FITTING);
    CU_ASSERT_EQUAL(sum, BLOCKS * SIZE + FITTING * (ASNAP_TABLE_SIZE_LIMIT - 1));
    CU_ASSERT_EQUAL(raw->bad_records, MANY - FITTING);
    asnap_raw_destroy(raw);
    image_deinit(&table.image);
}
