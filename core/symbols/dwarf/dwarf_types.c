#include "dwarf_types.h"

#include <stdlib.h>
#include <string.h>

#include "bounded_demangle.h"
#include "dwarf_calls.h"
#include "error.h"
#include "problem.h"

/* Pointers to pointers, types of types: more in a row make no sense, and damaged ones may go in a
 * circle. */
#define STEPS_MAX 16

/* A type whose name is wanted. */
struct wanted {
    uint64_t offset;
    uint64_t named; /* of the entry whose name it has; 0: it has none */
    unsigned pointers;
};

/* Takes one step; `alias` is the last typedef on the way. false: the way is at its end. */
static bool step(struct asnap_dwarf *dwarf, const struct asnap_entry *entry, struct wanted *wanted,
                 uint64_t *alias, uint64_t *offset)
{
    struct asnap_entry_name name;
    switch (entry->kind) {
    case ASNAP_ENTRY_POINTER:
        wanted->pointers++;
        *alias = 0;
        break;
    case ASNAP_ENTRY_ALIAS:
        *alias = entry->offset;
        break;
    case ASNAP_ENTRY_CONST:
    case ASNAP_ENTRY_VOLATILE:
    case ASNAP_ENTRY_MODIFIED:
    case ASNAP_ENTRY_ARRAY:
        break;
    case ASNAP_ENTRY_CLASS:
    case ASNAP_ENTRY_TYPE:
        asnap_entry_name(dwarf, entry, &name);
        wanted->named = name.name != NULL ? entry->offset : *alias;
        return false;
    default:
        return false;
    }
    return asnap_entry_type(dwarf, entry, offset);
}

static struct asnap_error *resolve(struct asnap_dwarf *dwarf, struct wanted *wanted)
{
    uint64_t offset = wanted->offset;
    uint64_t alias = 0;
    bool goes_on = true;
    for (int i = 0; goes_on && i < STEPS_MAX && (offset & ASNAP_ENTRY_SUPPLEMENT) == 0; i++) {
        struct asnap_entry entry;
        struct asnap_error *error = asnap_entry_at(dwarf, offset, &entry);
        if (error != NULL || entry.handle == NULL)
            return error;
        goes_on = step(dwarf, &entry, wanted, &alias, &offset);
        asnap_entry_release(dwarf, &entry);
    }
    return NULL;
}

/* The name of what a type resolves to, with a star for each pointer; to be freed. NULL: it has
 * none. */
static struct asnap_error *write_name(struct asnap_type_names *names, const struct wanted *wanted,
                                      char **text)
{
    char *name = NULL;
    *text = NULL;
    struct asnap_error *error =
        wanted->named == 0 ? NULL : asnap_qualified_type(names->entries, wanted->named, &name);
    if (error != NULL || name == NULL)
        return error;
    size_t length = strlen(name);
    if (length + wanted->pointers < ASNAP_NAME_BYTES_MAX) {
        *text = realloc(name, length + wanted->pointers + 1);
        if (*text == NULL) {
            free(name);
            return asnap_error_no_memory();
        }
        memset(*text + length, '*', wanted->pointers);
        (*text)[length + wanted->pointers] = '\0';
        return NULL;
    }
    free(name);
    return NULL;
}

static struct asnap_error *read_name(struct asnap_type_names *names, uint64_t offset)
{
    struct wanted wanted = {.offset = offset};
    struct asnap_error *problem = NULL;
    const char *kept = "";
    char *text = NULL;
    struct asnap_error *error = asnap_problem_keep(resolve(names->dwarf, &wanted), &problem);
    if (error == NULL && problem == NULL)
        error = write_name(names, &wanted, &text);
    asnap_error_destroy(problem);
    if (error == NULL && text != NULL)
        error = asnap_frame_store_string(names->store, text, &kept);
    free(text);
    return error != NULL ? error : asnap_number_map_put(&names->found, offset, kept);
}

struct asnap_error *asnap_type_name(struct asnap_type_names *names, uint64_t offset,
                                    const char **name)
{
    *name = asnap_number_map_get(&names->found, offset);
    struct asnap_error *error = *name != NULL ? NULL : read_name(names, offset);
    if (error == NULL)
        *name = asnap_number_map_get(&names->found, offset);
    if (error == NULL && *name != NULL && (*name)[0] == '\0')
        *name = NULL;
    return error;
}

void asnap_type_names_deinit(struct asnap_type_names *names)
{
    asnap_number_map_deinit(&names->found);
}
