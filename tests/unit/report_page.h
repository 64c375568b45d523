/* The data in a report's page, read back. */
#ifndef ASNAP_TEST_REPORT_PAGE_H
#define ASNAP_TEST_REPORT_PAGE_H

#include "unit.h"

/* A page without data. */
#define REPORT_PAGE_HEAD "<!doctype html><p>head</p>"
#define REPORT_PAGE_TAIL "<script>tail</script>"
const char *report_page_path(void);

/* A page that was written. All zero is an empty one. */
struct report_page {
    char *text;
    size_t size;
    unsigned char *data; /* what is in it */
    size_t data_size;
};

void report_page_deinit(struct report_page *page);

/* Takes the data out of the page in a file, and checks what is around it. */
void report_page_read(const char *path, struct report_page *page);

bool report_page_has(const struct report_page *page, const char *tag);

/* The numbers of a section; the test fails where there is none. */
size_t report_page_count(const struct report_page *page, const char *tag);
uint64_t report_page_number(const struct report_page *page, const char *tag, size_t index);

/* String `id`, as it lives until the next call but three. */
const char *report_page_string(const struct report_page *page, uint64_t id);

#endif
