/* The strings of a report: each once, printable. */
#ifndef ASNAP_EXPORT_REPORT_NAMES_H
#define ASNAP_EXPORT_REPORT_NAMES_H

#include "intern.h"
#include "printable.h"
#include "report_list.h"
#include "report_output.h"

struct asnap_report_bytes {
    char *bytes;
    size_t size;
    size_t capacity;
};

struct asnap_report_names {
    struct asnap_intern table;
    struct asnap_report_bytes raw; /* as they came, each with its NUL */
    size_t *starts;                /* of each string among `raw` */
    size_t start_capacity;
    struct asnap_report_bytes shown;  /* as they are printed, one after the other */
    struct asnap_report_list lengths; /* of these */
};

/* An empty table whose string 0 is "", and stands for none. */
struct asnap_error *asnap_report_names_init(struct asnap_report_names *names);
void asnap_report_names_deinit(struct asnap_report_names *names);

/* The number of a string; NULL is string 0. A string is of one kind. */
struct asnap_error *asnap_report_name(struct asnap_report_names *names, const char *text,
                                      enum asnap_printable_kind kind, uint32_t *number);

/* The same, added to a list. */
struct asnap_error *asnap_report_add_name(struct asnap_report_names *names, const char *text,
                                          enum asnap_printable_kind kind,
                                          struct asnap_report_list *list);

/* A string as it came; it lives until the next one is added. */
const char *asnap_report_name_text(const struct asnap_report_names *names, uint32_t number);

/* Two sections: the lengths of the strings, and their bytes one after the other. */
void asnap_report_names_write(const struct asnap_report_names *names, const char *lengths,
                              const char *bytes, struct asnap_report_output *output);

#endif
