#include "known_modules.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

static struct asnap_error *find_or_add(struct asnap_known_modules *known,
                                       struct asnap_frame_store *store, const char *path,
                                       struct asnap_known_module wanted, size_t *place)
{
    for (size_t i = 0; i < known->count; i++) {
        const struct asnap_known_module *other = &known->modules[i];
        if (asnap_module_path(other->module) == path && other->is_unloaded == wanted.is_unloaded &&
            asnap_build_id_equal(&other->build_id, &wanted.build_id)) {
            *place = i;
            return NULL;
        }
    }
    if (known->count == known->capacity) {
        size_t capacity = known->capacity == 0 ? 16 : known->capacity * 2;
        struct asnap_known_module *modules =
            reallocarray(known->modules, capacity, sizeof(*modules));
        if (modules == NULL)
            return asnap_error_no_memory();
        known->modules = modules;
        known->capacity = capacity;
    }
    struct asnap_error *error =
        asnap_module_create(store, path, wanted.is_unloaded, &wanted.module);
    if (error != NULL)
        return error;
    *place = known->count;
    known->modules[known->count++] = wanted;
    return NULL;
}

struct asnap_error *asnap_known_modules_mapped(struct asnap_known_modules *known,
                                               struct asnap_frame_store *store, const char *path,
                                               const struct asnap_build_id *build_id, size_t *place)
{
    struct asnap_known_module wanted = {.build_id = *build_id};
    return find_or_add(known, store, path, wanted, place);
}

struct asnap_error *asnap_known_modules_unloaded(struct asnap_known_modules *known,
                                                 struct asnap_frame_store *store, const char *path,
                                                 const struct asnap_build_id *build_id,
                                                 size_t *place)
{
    struct asnap_known_module wanted = {.is_unloaded = true, .build_id = *build_id};
    return find_or_add(known, store, path, wanted, place);
}

void asnap_known_modules_renew(struct asnap_known_modules *known)
{
    for (size_t i = 0; i < known->count; i++) {
        known->modules[i].is_fresh = false;
        known->modules[i].is_used = false;
    }
}

void asnap_known_modules_forget_others(struct asnap_known_modules *known)
{
    for (size_t i = 0; i < known->count; i++) {
        asnap_module_forget_others(known->modules[i].module);
        known->modules[i].is_fresh = false;
    }
}

static const char *note_of(const struct asnap_known_module *known)
{
    return known->is_used ? asnap_module_note(known->module) : NULL;
}

/* Whether an earlier module has the same note: another build at the same path. */
static bool is_said(const struct asnap_known_modules *known, size_t place, const char *note)
{
    for (size_t i = 0; i < place; i++) {
        const char *other = note_of(&known->modules[i]);
        if (other != NULL && strcmp(other, note) == 0)
            return true;
    }
    return false;
}

const char *asnap_known_modules_note(const struct asnap_known_modules *known, size_t index)
{
    for (size_t i = 0; i < known->count; i++) {
        const char *note = note_of(&known->modules[i]);
        if (note != NULL && !is_said(known, i, note) && index-- == 0)
            return note;
    }
    return NULL;
}

void asnap_known_modules_deinit(struct asnap_known_modules *known)
{
    for (size_t i = 0; i < known->count; i++)
        asnap_module_destroy(known->modules[i].module);
    free(known->modules);
    *known = (struct asnap_known_modules){0};
}
