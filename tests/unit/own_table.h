/* A table of this very process, for tests of its writers. */
#ifndef ASNAP_TEST_OWN_TABLE_H
#define ASNAP_TEST_OWN_TABLE_H

/* Makes allocsnap_root the root of an empty table that traces. */
void own_table_open(void);

#endif
