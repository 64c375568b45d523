#include "known_modules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "grow.h"

struct query {
    const struct asnap_known_modules *known;
    const struct asnap_known_module *wanted;
    const char *path;
};

static bool is_wanted(const void *context, uint32_t place)
{
    const struct query *query = context;
    const struct asnap_known_module *module = &query->known->modules[place];
    return asnap_module_path(module->module) == query->path &&
           module->is_unloaded == query->wanted->is_unloaded &&
           asnap_build_id_equal(&module->build_id, &query->wanted->build_id);
}

static uint32_t hash_of(const char *path, const struct asnap_known_module *wanted)
{
    uint64_t hash = asnap_hash_mix((uint64_t)(uintptr_t)path, wanted->is_unloaded);
    uint32_t build_id = asnap_hash_bytes(wanted->build_id.bytes, wanted->build_id.size);
    return asnap_hash_end(asnap_hash_mix(hash, build_id));
}

/* `path` is a string of `store`, in which equal strings are one. */
static struct asnap_error *find_or_add(struct asnap_known_modules *known,
                                       struct asnap_frame_store *store, const char *path,
                                       struct asnap_known_module wanted, size_t *place)
{
    const struct query query = {.known = known, .wanted = &wanted, .path = path};
    uint32_t hash = hash_of(path, &wanted);
    uint32_t found = asnap_intern_find(&known->index, hash, is_wanted, &query);
    if (found != ASNAP_NONE) {
        *place = found;
        return NULL;
    }
    struct asnap_known_module *modules =
        asnap_grow(known->modules, &known->capacity, known->count + 1, sizeof(*modules));
    if (modules == NULL || known->count >= ASNAP_NONE)
        return asnap_error_no_memory();
    known->modules = modules;
    struct asnap_error *error = asnap_intern_reserve(&known->index);
    if (error == NULL)
        error = asnap_module_create(store, path, wanted.is_unloaded, &wanted.module);
    if (error != NULL)
        return error;
    *place = known->count;
    known->modules[known->count++] = wanted;
    asnap_intern_add(&known->index, hash, (uint32_t)*place);
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

static bool is_said(const struct asnap_known_modules *known, const char *note)
{
    for (size_t i = 0; i < known->note_count; i++) {
        if (strcmp(known->notes[i], note) == 0)
            return true;
    }
    return false;
}

void asnap_known_modules_collect_notes(struct asnap_known_modules *known)
{
    size_t left_out = 0;
    known->note_count = 0;
    for (size_t i = 0; i < known->count; i++) {
        const char *note =
            known->modules[i].is_used ? asnap_module_note(known->modules[i].module) : NULL;
        /* Another build at the same path can have the same note. */
        if (note == NULL || is_said(known, note))
            continue;
        if (known->note_count < ASNAP_FILE_NOTES_MAX)
            known->notes[known->note_count++] = note;
        else
            left_out++;
    }
    if (left_out == 0)
        return;
    snprintf(known->left_out, sizeof(known->left_out),
             "%zu more files like these, whose functions are not named", left_out);
    known->notes[known->note_count++] = known->left_out;
}

void asnap_known_modules_deinit(struct asnap_known_modules *known)
{
    for (size_t i = 0; i < known->count; i++)
        asnap_module_destroy(known->modules[i].module);
    free(known->modules);
    asnap_intern_deinit(&known->index);
    *known = (struct asnap_known_modules){0};
}
