/* The records of live blocks: the shards of the table, as their only writer. */
#ifndef ASNAP_HOOKS_RECORDS_H
#define ASNAP_HOOKS_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

/* What a removed record said. */
struct asnap_removed {
    uint64_t size;
    uint32_t stack;
    uint32_t thread;
    uint32_t time;
};

/* Brings near what an insertion or a removal of this key will need. */
void asnap_records_prefetch(uint64_t key);

/* How a record was published. Else none with its key is left. */
enum asnap_inserted {
    ASNAP_INSERTED,  /* or tracing was turned off meanwhile, and none is to be */
    ASNAP_REPLACED,  /* inserted in place of one with the same key */
    ASNAP_NO_MEMORY, /* none for it, or no place */
    ASNAP_NO_SUM,    /* with it the sizes of its shard would reach their limit */
};

/* Publishes a record of a block that the calling thread has allocated now; one with the
 * same key is replaced. `key` is not 0, `size` below ASNAP_TABLE_SIZE_LIMIT. Of a table of every
 * block; where what is traced has become another thing meanwhile, there is to be none. */
enum asnap_inserted asnap_records_insert(uint64_t key, uint64_t size, uint32_t stack);

/* The same for the table of a sample; `mode` is what the root said of `tracing` when the sample
 * took the block. */
enum asnap_inserted asnap_records_insert_sampled(uint64_t key, uint64_t size, uint32_t stack,
                                                 uint32_t mode);

/* The same for a record that was withdrawn: it is again as it was. */
enum asnap_inserted asnap_records_put_back(uint64_t key, const struct asnap_removed *removed,
                                           uint32_t mode);

/* The same for a block that was allocated a while ago: only while `*awaited` is the key, which
 * another thread may change that has the block now. Once it has, and then looked for a record, none
 * is made. `thread` and `time` are those of the allocation. */
enum asnap_inserted asnap_records_insert_awaited(uint64_t key, const struct asnap_removed *block,
                                                 uint32_t mode, const uint64_t *awaited);

/* Withdraws the record with this key and says what it said, unless `removed` is NULL.
 * False: there is none. Of a table of every block, and that of a sample. A block that is in the
 * table was allocated, and told to whoever frees it, since the table is of that kind. */
bool asnap_records_remove(uint64_t key, struct asnap_removed *removed);
bool asnap_records_remove_sampled(uint64_t key, struct asnap_removed *removed);

/* Withdraws all records and gives back their memory; the peak becomes what is traced. Which kind
 * of table it is, the root's applied.sample_period says, here and below. */
void asnap_records_clear(void);

/* The peak becomes what is traced now. */
void asnap_records_reset_peak(void);

/* In a child (process.h): mends the shards whose locks are orphans, all or the one with the lock
 * `only`, and opens them. */
void asnap_records_mend(const uint32_t *only);

#endif
