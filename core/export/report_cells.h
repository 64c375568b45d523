/* The blocks of a report, added up where they differ in nothing that the page tells apart. */
#ifndef ASNAP_EXPORT_REPORT_CELLS_H
#define ASNAP_EXPORT_REPORT_CELLS_H

#include "job.h"
#include "report_order.h"
#include "report_stacks.h"

/* Times of birth are told apart by so many equal steps, from the oldest block to the newest. */
#define ASNAP_REPORT_STEPS 128

/* What blocks of one stack can be told apart by, beside their size and time. */
struct asnap_report_group {
    uint32_t side;   /* 0: of the snapshot; 1: of the older one */
    uint32_t thread; /* the kernel's number */
    uint32_t domain;
    uint32_t reach; /* asnap_reach_class */
    uint32_t type;  /* string of the class; 0: none */
    uint32_t age;   /* step of asnap_age_step */
};

/* Blocks of one stack and group that are about as large and as old. */
struct asnap_report_cell {
    uint64_t size;  /* bytes in its blocks; of a sample an estimate */
    uint32_t count; /* its blocks; of a sample those that are in it */
    uint32_t stack;
    uint32_t kind; /* its group, the step of its times, the power of its sizes */
};

/* What the blocks of a cell stand for (asnap_estimate). */
struct asnap_report_estimate {
    uint64_t parts;  /* of blocks: ASNAP_REPORT_PARTS are one */
    double variance; /* of the size: the square of its error */
};

#define ASNAP_REPORT_PARTS 65536

/* A kind: the group, from bit 15 on; 8 bits for the step, from 1 on, 0 where the time is not
 * known; 7 bits for the power: blocks of 2^(power-1) bytes or more and less than 2^power, 0 for
 * none.
 */
#define ASNAP_REPORT_GROUP_SHIFT 15
#define ASNAP_REPORT_KIND(GROUP, STEP, POWER)                                                      \
    ((GROUP) << ASNAP_REPORT_GROUP_SHIFT | (STEP) << 7 | (POWER))
#define ASNAP_REPORT_GROUPS_MAX (UINT32_C(1) << 17)

/* A row of statistics by size: what it is called and where it begins. */
struct asnap_report_range {
    uint64_t from;
    uint64_t below;
    uint32_t label; /* string */
};

struct asnap_report_cells {
    struct asnap_report_stacks *stacks;
    struct asnap_report_group *groups;
    size_t group_count;
    size_t group_capacity;
    struct asnap_intern group_table;
    struct asnap_report_block *blocks; /* until they are added up */
    size_t block_count;
    struct asnap_report_cell *cells; /* in order of their stacks */
    size_t cell_count;
    struct asnap_report_estimate *estimates; /* of each cell, where a snapshot is a sample */
    struct asnap_report_range *sizes;
    size_t size_count;
    size_t size_capacity;
    uint32_t oldest; /* time of a block; ASNAP_TIME_UNKNOWN: no block has one */
    uint32_t newest;
    bool has_types;      /* a block of a class is among them */
    uint64_t periods[2]; /* of the sample that a side is; 0: it is none */
    bool is_sample;      /* of a snapshot, or of both */
};

/* Empty cells of what `stacks` will hold. */
void asnap_report_cells_init(struct asnap_report_cells *cells, struct asnap_report_stacks *stacks);
void asnap_report_cells_deinit(struct asnap_report_cells *cells);

/* Extends the range of times by that of a snapshot's blocks; of all, before blocks are added. */
struct asnap_error *asnap_report_cells_span(struct asnap_report_cells *cells,
                                            const struct asnap_snapshot *snapshot);

/* Adds the blocks of the snapshot that is numbered: that of the job (side 0), or the older one. */
struct asnap_error *asnap_report_cells_add(struct asnap_report_cells *cells,
                                           struct asnap_report_numbering *numbering, uint32_t side,
                                           const struct asnap_export_job *job);

/* Adds them up, once all are there. Fails with NO_MEMORY only. */
struct asnap_error *asnap_report_cells_sum(struct asnap_report_cells *cells);

struct asnap_error *asnap_report_cells_write(const struct asnap_report_cells *cells,
                                             struct asnap_report_output *output);

#endif
