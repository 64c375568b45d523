/* The records of live blocks: the shards of the table, as their only writer. */
#ifndef ASNAP_HOOKS_RECORDS_H
#define ASNAP_HOOKS_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

/* What a removed record said. */
struct asnap_removed {
    uint64_t size;
    uint32_t stack;
};

/* Publishes a record; one with the same key is replaced. Where tracing was turned off
 * meanwhile, none is published. False: no memory for it, and none with that key is
 * left. `key` is not 0. */
bool asnap_records_insert(uint64_t key, uint64_t size, uint32_t stack);

/* Withdraws the record with this key. False: there is none. */
bool asnap_records_remove(uint64_t key, struct asnap_removed *removed);

/* Withdraws all records and gives back their memory. */
void asnap_records_clear(void);

/* The peak becomes what is traced now. */
void asnap_records_reset_peak(void);

/* Keeps all shards still across a fork. */
void asnap_records_lock(void);
void asnap_records_unlock(void);

#endif
