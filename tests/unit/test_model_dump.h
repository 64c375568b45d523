/* Dump files of the tests, in a directory that goes away with the process. */
#ifndef ASNAP_TEST_MODEL_DUMP_H
#define ASNAP_TEST_MODEL_DUMP_H

#include "unit.h"

/* A path for a file of this name, which is not there. The string lives until the next
 * call but one. */
const char *dump_path(const char *name);

/* How many files there are in that directory. */
size_t dump_file_count(void);

/* A file's bytes, for the caller to free. */
unsigned char *dump_bytes(const char *path, size_t *size);
void dump_write(const char *path, const void *bytes, size_t size);

/* A snapshot with some of everything that a dump keeps. */
struct asnap_error *dump_try(struct asnap_snapshot **snapshot);
struct asnap_snapshot *dump_snapshot(void);

#endif
