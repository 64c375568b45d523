/* The limit of the number of blocks. Shards are given shares of what is left until it is reached,
 * and a shard that has used its share up has all be counted again, so that no other allocation
 * needs to count. */
#ifndef ASNAP_HOOKS_WATCHED_COUNT_H
#define ASNAP_HOOKS_WATCHED_COUNT_H

/* Counts the records of all shards: the limit is reached, or what is left is shared out. The
 * caller holds no lock. Of a sample nothing is counted here. */
void asnap_watched_count_look(void);

#endif
