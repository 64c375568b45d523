/* The labels of a sample: size of its blocks, domain, thread, age, class. */
#ifndef ASNAP_EXPORT_PPROF_LABELS_H
#define ASNAP_EXPORT_PPROF_LABELS_H

#include "age_steps.h"
#include "block_sums.h"
#include "pprof_writer.h"

enum asnap_pprof_label {
    ASNAP_PPROF_BYTES,
    ASNAP_PPROF_DOMAIN,
    ASNAP_PPROF_THREAD,
    ASNAP_PPROF_AGE,
    ASNAP_PPROF_REACH,
    ASNAP_PPROF_LABELS,
};

/* What is the same for many samples: numbers of strings, 0 where one is not there yet. */
struct asnap_pprof_labels {
    const struct asnap_snapshot *snapshot;
    struct asnap_pprof_writer *writer;
    int64_t keys[ASNAP_PPROF_LABELS];
    int64_t ages[ASNAP_AGE_STEPS];
    int64_t classes[ASNAP_REACH_CLASSES];
    int64_t *threads; /* by their place */
    uint32_t domain;  /* the last one */
    int64_t domain_text;
};

/* The labels of one sample. */
struct asnap_pprof_label_list {
    Asnap__Label labels[ASNAP_PPROF_LABELS];
    Asnap__Label *lent[ASNAP_PPROF_LABELS];
    size_t count;
};

/* Fails with NO_MEMORY only, as all of them. */
struct asnap_error *asnap_pprof_labels_init(struct asnap_pprof_labels *labels,
                                            const struct asnap_snapshot *snapshot,
                                            struct asnap_pprof_writer *writer);
struct asnap_error *asnap_pprof_labels_make(struct asnap_pprof_labels *labels,
                                            const struct asnap_block_sum *sum,
                                            struct asnap_pprof_label_list *list);
void asnap_pprof_labels_deinit(struct asnap_pprof_labels *labels);

#endif
