/* The traces of a dump file. */
#ifndef ASNAP_MODEL_DUMP_LOAD_TRACES_H
#define ASNAP_MODEL_DUMP_LOAD_TRACES_H

#include "dump_read.h"
#include "snapshot.h"

/* Reads the blocks of a snapshot, and its totals; its store is complete. */
struct asnap_error *asnap_dump_read_traces(const struct asnap_dump_reader *reader,
                                           struct asnap_snapshot *snapshot);

#endif
