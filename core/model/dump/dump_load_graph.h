/* What a graph has found out of the blocks of a dump file. */
#ifndef ASNAP_MODEL_DUMP_LOAD_GRAPH_H
#define ASNAP_MODEL_DUMP_LOAD_GRAPH_H

#include "dump_read.h"
#include "snapshot.h"

/* Reads of which classes objects are, where the file says it. */
struct asnap_error *asnap_dump_read_types(const struct asnap_dump_reader *reader,
                                          struct asnap_store *store);

/* Reads the graph of a snapshot whose traces were read; *graph stays as it is where the file has
 * none. */
struct asnap_error *asnap_dump_read_graph(const struct asnap_dump_reader *reader,
                                          const struct asnap_snapshot *snapshot,
                                          struct asnap_graph **graph);

#endif
