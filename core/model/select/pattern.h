/* File name patterns, as Python's fnmatch.fnmatchcase reads them: *, ?, [seq] and
 * [!seq], over code points, nothing quoted, "/" like any other. */
#ifndef ASNAP_MODEL_PATTERN_H
#define ASNAP_MODEL_PATTERN_H

#include "error.h"

struct asnap_pattern_token;

struct asnap_pattern {
    struct asnap_pattern_token *tokens;
    size_t count;
    uint32_t *name; /* room for the name being matched */
    size_t name_capacity;
};

struct asnap_error *asnap_pattern_init(struct asnap_pattern *pattern, const char *text);

/* Sets `matches`; fails with NO_MEMORY only. */
struct asnap_error *asnap_pattern_match(struct asnap_pattern *pattern, const char *name,
                                        bool *matches);

/* Accepts what is all zero. */
void asnap_pattern_deinit(struct asnap_pattern *pattern);

#endif
