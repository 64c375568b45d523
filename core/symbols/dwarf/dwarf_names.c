#include "dwarf_names.h"

#include <stdlib.h>

#include "demangle.h"
#include "dwarf_signature.h"
#include "error.h"
#include "problem.h"

/* An inlined call refers to an abstract function, that to a declaration in a
 * class: few references in a row make sense, and damaged ones may go in a circle. */
#define REFERENCES_MAX 8

/* What the entry at `offset` itself says; nothing where it is damaged. */
static struct asnap_error *read_name(struct asnap_dwarf *dwarf, uint64_t offset,
                                     struct asnap_entry_name *name)
{
    struct asnap_entry entry = {0};
    struct asnap_error *problem = NULL;
    struct asnap_error *error = asnap_problem_keep(asnap_entry_at(dwarf, offset, &entry), &problem);
    *name = (struct asnap_entry_name){0};
    if (entry.handle != NULL) {
        asnap_entry_name(dwarf, &entry, name);
        asnap_entry_release(dwarf, &entry);
    }
    asnap_error_destroy(problem);
    return error;
}

/* The store's copy of the best name of the function at `offset`; "" where there is none.
 * `is_plain` becomes whether that is of `plain`, its DW_AT_name. */
static struct asnap_error *keep(struct asnap_function_names *names, uint64_t offset,
                                const char *plain, const char *linkage_name, const char **kept,
                                bool *is_plain)
{
    char *readable = NULL;
    char *lambda = NULL;
    char *signature = NULL;
    struct asnap_error *error =
        linkage_name == NULL ? NULL : asnap_demangle(linkage_name, &readable);
    if (error == NULL && asnap_may_be_lambda(plain, readable))
        error = asnap_lambda_name(&names->entries, offset, readable, &lambda);
    *is_plain = lambda == NULL && readable == NULL;
    if (error == NULL && *is_plain && names->is_cplusplus)
        error = asnap_qualified_name(&names->entries, offset, &readable);
    if (error == NULL && *is_plain && readable != NULL)
        error = asnap_function_signature(&names->entries, offset, readable, &signature);
    const char *best = lambda != NULL      ? lambda
                       : signature != NULL ? signature
                       : readable != NULL  ? readable
                                           : plain;
    if (error == NULL)
        error = asnap_frame_store_string(names->store, best == NULL ? "" : best, kept);
    free(lambda);
    free(signature);
    free(readable);
    return error;
}

/* Follows the references of the entry at `offset`, which says `name`. `kept` becomes a string of
 * the store, "" for no name. */
static struct asnap_error *follow(struct asnap_function_names *names, uint64_t offset,
                                  struct asnap_entry_name name, const char **kept, bool *is_plain)
{
    const char *plain = name.name;
    const char *linkage_name = name.linkage_name;
    for (int i = 0; i < REFERENCES_MAX && name.refers && (linkage_name == NULL || plain == NULL);
         i++) {
        struct asnap_error *error = read_name(names->dwarf, name.origin, &name);
        if (error != NULL)
            return error;
        if (plain == NULL)
            plain = name.name;
        if (linkage_name == NULL)
            linkage_name = name.linkage_name;
    }
    return keep(names, offset, plain, linkage_name, kept, is_plain);
}

static struct asnap_error *remember(struct asnap_function_names *names, uint64_t offset,
                                    const char *kept, bool is_plain)
{
    struct asnap_error *error = asnap_number_map_put(&names->found, offset, kept);
    if (error == NULL && is_plain)
        error = asnap_number_map_put(&names->plain, offset, kept);
    return error;
}

static struct asnap_error *look_up(struct asnap_function_names *names, uint64_t offset,
                                   const char **kept)
{
    struct asnap_entry_name name;
    struct asnap_error *error = read_name(names->dwarf, offset, &name);
    if (error != NULL)
        return error;
    /* All calls of one inlined function refer to the same entry. */
    bool only_refers = name.refers && name.name == NULL && name.linkage_name == NULL;
    *kept = only_refers ? asnap_number_map_get(&names->found, name.origin) : NULL;
    bool is_plain = only_refers && asnap_number_map_get(&names->plain, name.origin) != NULL;
    if (*kept == NULL) {
        error = follow(names, offset, name, kept, &is_plain);
        if (error == NULL && only_refers)
            error = remember(names, name.origin, *kept, is_plain);
    }
    return error != NULL ? error : remember(names, offset, *kept, is_plain);
}

struct asnap_error *asnap_function_name(struct asnap_function_names *names, uint64_t offset,
                                        const char **name, bool *is_plain)
{
    const char *kept = asnap_number_map_get(&names->found, offset);
    if (kept == NULL) {
        struct asnap_error *error = look_up(names, offset, &kept);
        if (error != NULL)
            return error;
    }
    *name = kept[0] == '\0' ? NULL : kept;
    if (is_plain != NULL)
        *is_plain = asnap_number_map_get(&names->plain, offset) != NULL;
    return NULL;
}

void asnap_function_names_deinit(struct asnap_function_names *names)
{
    asnap_number_map_deinit(&names->found);
    asnap_number_map_deinit(&names->plain);
    asnap_entry_names_deinit(&names->entries);
}
