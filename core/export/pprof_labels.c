#include "pprof_labels.h"

#include <stdlib.h>

static const char *const keys[ASNAP_PPROF_LABELS] = {
    [ASNAP_PPROF_BYTES] = "bytes", [ASNAP_PPROF_DOMAIN] = "domain", [ASNAP_PPROF_THREAD] = "thread",
    [ASNAP_PPROF_AGE] = "age",     [ASNAP_PPROF_REACH] = "reach",
};

struct asnap_error *asnap_pprof_labels_init(struct asnap_pprof_labels *labels,
                                            const struct asnap_snapshot *snapshot,
                                            struct asnap_pprof_writer *writer)
{
    labels->snapshot = snapshot;
    labels->writer = writer;
    labels->threads = calloc(asnap_snapshot_thread_count(snapshot) + 1, sizeof(*labels->threads));
    struct asnap_error *error = labels->threads == NULL ? asnap_error_no_memory() : NULL;
    for (size_t i = 0; error == NULL && i < ASNAP_PPROF_LABELS; i++)
        error = asnap_pprof_text(writer, keys[i], &labels->keys[i]);
    return error;
}

static Asnap__Label *add(const struct asnap_pprof_labels *labels, enum asnap_pprof_label label,
                         struct asnap_pprof_label_list *list)
{
    Asnap__Label *added = &list->labels[list->count];
    *added = (Asnap__Label)ASNAP__LABEL__INIT;
    added->key = labels->keys[label];
    list->lent[list->count++] = added;
    return added;
}

/* A label of a text that is looked up once. */
static struct asnap_error *add_text(struct asnap_pprof_labels *labels, enum asnap_pprof_label label,
                                    const char *text, int64_t *known,
                                    struct asnap_pprof_label_list *list)
{
    struct asnap_error *error = *known == 0 ? asnap_pprof_text(labels->writer, text, known) : NULL;
    add(labels, label, list)->str = *known;
    return error;
}

static struct asnap_error *add_thread(struct asnap_pprof_labels *labels, uint32_t place,
                                      struct asnap_pprof_label_list *list)
{
    struct asnap_error *error = NULL;
    uint32_t number = asnap_snapshot_thread(labels->snapshot, place);
    if (number == 0)
        return NULL;
    int64_t *known = &labels->threads[place];
    if (*known == 0) {
        asnap_strings_number(&labels->writer->strings, number);
        error = asnap_pprof_made(labels->writer, known);
    }
    add(labels, ASNAP_PPROF_THREAD, list)->str = *known;
    return error;
}

/* "7 (pool)" or "7". */
static struct asnap_error *add_domain(struct asnap_pprof_labels *labels, uint32_t domain,
                                      struct asnap_pprof_label_list *list)
{
    struct asnap_strings *strings = &labels->writer->strings;
    struct asnap_error *error = NULL;
    if (labels->domain_text == 0 || labels->domain != domain) {
        const char *name = asnap_snapshot_domain_name(labels->snapshot, domain);
        asnap_strings_number(strings, domain);
        if (name != NULL) {
            asnap_strings_bytes(strings, " (", 2);
            asnap_strings_name(strings, name, "");
            asnap_strings_bytes(strings, ")", 1);
        }
        labels->domain = domain;
        error = asnap_pprof_made(labels->writer, &labels->domain_text);
    }
    add(labels, ASNAP_PPROF_DOMAIN, list)->str = labels->domain_text;
    return error;
}

struct asnap_error *asnap_pprof_labels_make(struct asnap_pprof_labels *labels,
                                            const struct asnap_block_sum *sum,
                                            struct asnap_pprof_label_list *list)
{
    list->count = 0;
    Asnap__Label *size = add(labels, ASNAP_PPROF_BYTES, list);
    size->num = (int64_t)sum->size;
    /* The unit has the name of the label; with it, 0 is a number too. */
    size->num_unit = size->key;
    struct asnap_error *error = add_domain(labels, sum->domain, list);
    if (error == NULL)
        error = add_thread(labels, sum->thread, list);
    if (error == NULL && sum->age != 0)
        error = add_text(labels, ASNAP_PPROF_AGE, asnap_age_steps[sum->age].label,
                         &labels->ages[sum->age], list);
    if (error == NULL && sum->reach != ASNAP_REACH_UNKNOWN)
        error = add_text(labels, ASNAP_PPROF_REACH, asnap_reach_class_text(sum->reach),
                         &labels->classes[sum->reach], list);
    return error;
}

void asnap_pprof_labels_deinit(struct asnap_pprof_labels *labels)
{
    free(labels->threads);
    labels->threads = NULL;
}
