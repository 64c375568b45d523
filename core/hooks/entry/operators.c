#include "operators.h"

#include "lock.h"
#include "preceding.h"

static const char *const names[ASNAP_OPERATOR_COUNT] = {
#define NAME_OF(NAME) [ASNAP_OPERATOR_##NAME] = ASNAP_NAME_##NAME,
    ASNAP_OPERATORS(NAME_OF)
#undef NAME_OF
};

void *asnap_operators[ASNAP_OPERATOR_COUNT];

void asnap_operators_resolve(struct asnap_libraries *libraries)
{
    for (size_t i = 0; i < ASNAP_OPERATOR_COUNT; i++) {
        asnap_operators[i] = asnap_symbol_next(libraries, names[i]);
        asnap_preceding_find(libraries, names[i],
                             i < ASNAP_OPERATOR_delete_plain ? ASNAP_TABLE_NEW
                                                             : ASNAP_TABLE_DELETE);
    }
}

void *asnap_operator_seen_from(const char *name, uint64_t caller)
{
    struct asnap_libraries libraries;
    asnap_libraries_open(&libraries, !asnap_is_alone());
    void *found = asnap_symbol_seen_from(&libraries, caller, name);
    asnap_libraries_close(&libraries);
    return found;
}
