#include "split_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "source_path.h"
#include "split_types.h"

static void close_file(struct asnap_split_file *file)
{
    asnap_range_index_deinit(&file->units);
    asnap_dwarf_close(file->dwarf);
    asnap_elf_close(file->elf);
    *file = (struct asnap_split_file){0};
}

/* Opens the file at `path`, which it frees; nothing is open where there is no such file, or
 * a bad one. */
static struct asnap_error *open_file(char *path, struct asnap_split_file *file)
{
    struct asnap_error *error = NULL;
    if (access(path, F_OK) == 0)
        error = asnap_elf_open_supplement(path, &file->elf);
    free(path);
    if (error == NULL && file->elf != NULL)
        error = asnap_split_types_drop(&file->elf);
    if (error == NULL && file->elf != NULL)
        error = asnap_dwarf_open(file->elf, NULL, &file->dwarf);
    if (error == NULL && file->dwarf != NULL)
        error = asnap_split_units(file->dwarf, &file->units);
    if (error == NULL)
        return NULL;
    close_file(file);
    if (asnap_error_code(error) == ASNAP_ERROR_NO_MEMORY)
        return error;
    asnap_error_destroy(error);
    return NULL;
}

static struct asnap_error *open_package(struct asnap_split_files *files, const char *path)
{
    const char *places[] = {files->program, path};
    if (files->has_looked)
        return NULL;
    for (size_t i = 0; i < 2 && files->package.dwarf == NULL; i++) {
        char *package;
        if (places[i] == NULL)
            continue;
        if (asprintf(&package, "%s.dwp", places[i]) < 0)
            return asnap_error_no_memory();
        struct asnap_error *error = open_file(package, &files->package);
        if (error != NULL)
            return error;
    }
    files->has_looked = true;
    return NULL;
}

/* Opens the unit in a file, if it has it. */
static struct asnap_error *find_unit(const struct asnap_split_file *file,
                                     const struct asnap_skeleton *skeleton,
                                     struct asnap_dwarf *dwarf, const struct asnap_entry *unit,
                                     struct asnap_split_unit *split)
{
    const struct asnap_range *found =
        file->dwarf == NULL ? NULL : asnap_range_index_find(&file->units, skeleton->id);
    if (found == NULL)
        return NULL;
    struct asnap_error *error = asnap_entry_at(file->dwarf, found->value, &split->entry);
    if (error == NULL)
        error = asnap_split_enter(file->dwarf, &split->entry, dwarf, unit);
    if (error == NULL) {
        split->dwarf = file->dwarf;
        return NULL;
    }
    asnap_entry_release(file->dwarf, &split->entry);
    return error;
}

/* The place number `i` of a unit's own file. */
static struct asnap_error *own_place(const struct asnap_split_files *files, const char *path,
                                     const struct asnap_skeleton *skeleton, size_t i, char **place)
{
    if (i == 0)
        return asnap_source_path(skeleton->directory, NULL, skeleton->name, place);
    const char *beside = i == 1 && files->program != NULL ? files->program : path;
    const char *slash = strrchr(beside, '/');
    const char *last = strrchr(skeleton->name, '/');
    int home = slash == NULL ? 0 : (int)(slash + 1 - beside);
    if (asprintf(place, "%.*s%s", home, beside, last == NULL ? skeleton->name : last + 1) < 0)
        return asnap_error_no_memory();
    return NULL;
}

struct asnap_error *asnap_split_open(struct asnap_split_files *files, struct asnap_dwarf *dwarf,
                                     const char *path, const struct asnap_entry *unit,
                                     struct asnap_split_unit *split)
{
    struct asnap_skeleton skeleton;
    *split = (struct asnap_split_unit){0};
    asnap_entry_skeleton(dwarf, unit, &skeleton);
    if (skeleton.name == NULL)
        return NULL;
    struct asnap_error *error = open_package(files, path);
    if (error == NULL)
        error = find_unit(&files->package, &skeleton, dwarf, unit, split);
    for (size_t i = 0; i < 3 && error == NULL && split->dwarf == NULL; i++) {
        char *place;
        close_file(&split->own);
        error = own_place(files, path, &skeleton, i, &place);
        if (error == NULL)
            error = open_file(place, &split->own);
        if (error == NULL)
            error = find_unit(&split->own, &skeleton, dwarf, unit, split);
    }
    if (error == NULL && split->dwarf == NULL)
        error =
            asnap_error_create(ASNAP_ERROR_IO,
                               "%s: the rest of its debug information (%.200s) is missing, or "
                               "of another build: inlined functions are not named; put it "
                               "there, or in %.200s.dwp",
                               path, skeleton.name, files->program == NULL ? path : files->program);
    return error;
}

void asnap_split_close(struct asnap_split_unit *split)
{
    if (split->dwarf != NULL)
        asnap_entry_release(split->dwarf, &split->entry);
    close_file(&split->own);
    split->dwarf = NULL;
}

void asnap_split_files_deinit(struct asnap_split_files *files)
{
    close_file(&files->package);
}
