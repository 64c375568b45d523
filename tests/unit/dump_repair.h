/* Changing dump files on purpose. */
#ifndef ASNAP_TEST_DUMP_REPAIR_H
#define ASNAP_TEST_DUMP_REPAIR_H

#include <stddef.h>

/* Makes the checksums right again in the bytes of a changed dump, as far as its header
 * and its section table say where they are. */
void dump_repair(unsigned char *bytes, size_t size);

#endif
