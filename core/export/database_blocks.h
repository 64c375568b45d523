/* The blocks of a snapshot as rows of a database. */
#ifndef ASNAP_EXPORT_DATABASE_BLOCKS_H
#define ASNAP_EXPORT_DATABASE_BLOCKS_H

#include "database.h"
#include "job.h"

struct asnap_database_blocks {
    const struct asnap_export_job *job;
    struct asnap_database *database;
    struct asnap_strings *strings; /* names of types are added to them */
    const struct asnap_snapshot *snapshot;
    uint32_t number;                 /* of the snapshot in the database */
    const uint32_t *stacks;          /* of its tracebacks, from 0 on */
    const struct asnap_graph *graph; /* NULL: it has none */
};

/* Inserts them into the table `blocks`, up to the caller's interruption (asnap_export_goes_on).
 * Fails with NO_MEMORY; other failures are the database's. */
struct asnap_error *asnap_database_blocks_write(const struct asnap_database_blocks *blocks);

#endif
