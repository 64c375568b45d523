#include "other_files.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

static bool is_equal(const char *left, const char *right)
{
    return left == NULL || right == NULL ? left == right : strcmp(left, right) == 0;
}

static bool has_paths(const struct asnap_other_files *others, const char *const *mapped,
                      const char *const *paths, size_t count)
{
    if (others->count != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!is_equal(others->files[i].path, paths[i]) ||
            !is_equal(others->files[i].mapped, mapped == NULL ? NULL : mapped[i]))
            return false;
    }
    return true;
}

struct asnap_error *asnap_other_files_set(struct asnap_other_files *others,
                                          const char *const *mapped, const char *const *paths,
                                          size_t count, bool *is_new)
{
    *is_new = !has_paths(others, mapped, paths, count);
    if (!*is_new)
        return NULL;
    struct asnap_other_files made = {.files = calloc(count + 1, sizeof(*made.files))};
    if (made.files == NULL)
        return asnap_error_no_memory();
    for (; made.count < count; made.count++) {
        struct asnap_other_file *file = &made.files[made.count];
        const char *its_mapped = mapped == NULL ? NULL : mapped[made.count];
        file->path = strdup(paths[made.count]);
        file->mapped = its_mapped == NULL ? NULL : strdup(its_mapped);
        if (file->path == NULL || (its_mapped != NULL && file->mapped == NULL)) {
            made.count++;
            asnap_other_files_deinit(&made);
            return asnap_error_no_memory();
        }
    }
    asnap_other_files_deinit(others);
    *others = made;
    return NULL;
}

void asnap_other_files_renew(struct asnap_other_files *others)
{
    for (size_t i = 0; i < others->count; i++)
        others->files[i].was_seen = false;
}

/* Opens a file; `elf` becomes NULL where it is none that can be read. Notes which
 * build it is: many modules may ask. */
static struct asnap_error *look_at(struct asnap_other_file *file, struct asnap_elf **elf)
{
    struct asnap_elf *found = NULL;
    struct asnap_error *error = asnap_elf_open(file->path, &found);
    if (error != NULL && asnap_error_code(error) == ASNAP_ERROR_NO_MEMORY)
        return error;
    asnap_error_destroy(error);
    file->was_seen = true;
    file->build_id = (struct asnap_build_id){0};
    if (found != NULL) {
        file->is_debug_file = asnap_elf_is_debug_file(found);
        asnap_elf_build_id(found, &file->build_id);
    }
    *elf = found;
    return NULL;
}

static bool is_right(const struct asnap_other_file *file, const struct asnap_build_id *build_id,
                     bool is_debug_file)
{
    return file->is_debug_file == is_debug_file && asnap_build_id_equal(&file->build_id, build_id);
}

struct asnap_error *asnap_other_files_find(struct asnap_other_files *others,
                                           const struct asnap_build_id *build_id,
                                           bool is_debug_file, struct asnap_elf **elf)
{
    *elf = NULL;
    if (build_id->size == 0 || others == NULL)
        return NULL;
    for (size_t i = 0; i < others->count; i++) {
        struct asnap_other_file *file = &others->files[i];
        if (file->was_seen && !is_right(file, build_id, is_debug_file))
            continue;
        struct asnap_elf *found = NULL;
        struct asnap_error *error = look_at(file, &found);
        if (error != NULL)
            return error;
        if (found != NULL && is_right(file, build_id, is_debug_file)) {
            *elf = found;
            return NULL;
        }
        asnap_elf_close(found);
    }
    return NULL;
}

const char *asnap_other_files_seen_at(const struct asnap_other_files *others, const char *mapped)
{
    for (size_t i = 0; others != NULL && i < others->count; i++) {
        if (others->files[i].mapped != NULL && strcmp(others->files[i].mapped, mapped) == 0)
            return others->files[i].path;
    }
    return NULL;
}

void asnap_other_files_deinit(struct asnap_other_files *others)
{
    for (size_t i = 0; i < others->count; i++) {
        free(others->files[i].path);
        free(others->files[i].mapped);
    }
    free(others->files);
    *others = (struct asnap_other_files){0};
}
