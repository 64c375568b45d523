#include "split_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "debug_file.h"
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
static struct asnap_error *open_file(const struct asnap_split_files *files, char *path,
                                     struct asnap_split_file *file)
{
    struct asnap_error *error = asnap_elf_open_found(path, true, &file->elf);
    free(path);
    if (error == NULL && file->elf != NULL && files->opens != NULL)
        files->opens(file->elf->file_bytes);
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

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* Opens the package of this name in the directory that is the first `length` bytes of
 * `directory`, if none is open yet. */
static struct asnap_error *open_package(struct asnap_split_files *files, const char *directory,
                                        int length, const char *name)
{
    char *place;
    if (files->package.dwarf != NULL)
        return NULL;
    if (asprintf(&place, "%.*s/%s.dwp", length, directory, name) < 0)
        return asnap_error_no_memory();
    return open_file(files, place, &files->package);
}

/* Looks for the package where gdb does: beside the program and its debug file `path`, by the
 * name of either, then in the debug directories themselves. */
static struct asnap_error *find_package(struct asnap_split_files *files, const char *path)
{
    const char *paths[] = {files->program, path};
    if (files->has_looked)
        return NULL;
    struct asnap_error *error = NULL;
    for (size_t beside = 0; beside < 2 && error == NULL; beside++) {
        int home = (int)(last_name(paths[beside]) - paths[beside]);
        for (size_t i = 0; i < 2 && error == NULL && home > 0; i++)
            error = open_package(files, paths[beside], home - 1, last_name(paths[i]));
    }
    int length;
    const char *list = files->debug_directories;
    for (; error == NULL && asnap_next_directory(&list, &length); list += length) {
        for (size_t i = 0; i < 2 && error == NULL; i++)
            error = open_package(files, list, length, last_name(paths[i]));
    }
    files->has_looked = error == NULL;
    return error;
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

/* Opens a unit's own file at `place`, which it frees, and the unit in it, if it is there. */
static struct asnap_error *open_own(const struct asnap_split_files *files, char *place,
                                    const struct asnap_skeleton *skeleton,
                                    struct asnap_dwarf *dwarf, const struct asnap_entry *unit,
                                    struct asnap_split_unit *split)
{
    close_file(&split->own);
    struct asnap_error *error = open_file(files, place, &split->own);
    return error != NULL ? error : find_unit(&split->own, skeleton, dwarf, unit, split);
}

/* Looks for a unit's own file. */
static struct asnap_error *find_own(const struct asnap_split_files *files, const char *path,
                                    const struct asnap_skeleton *skeleton,
                                    struct asnap_dwarf *dwarf, const struct asnap_entry *unit,
                                    struct asnap_split_unit *split)
{
    const char *paths[] = {files->program, path};
    char *place;
    struct asnap_error *error =
        asnap_source_path(skeleton->directory, NULL, skeleton->name, &place);
    if (error == NULL)
        error = open_own(files, place, skeleton, dwarf, unit, split);
    for (size_t i = 0; i < 2 && error == NULL && split->dwarf == NULL; i++) {
        int home = (int)(last_name(paths[i]) - paths[i]);
        if (asprintf(&place, "%.*s%s", home, paths[i], last_name(skeleton->name)) < 0)
            return asnap_error_no_memory();
        error = open_own(files, place, skeleton, dwarf, unit, split);
    }
    int length;
    const char *list = skeleton->name[0] == '/' ? "" : files->debug_directories;
    for (; error == NULL && split->dwarf == NULL && asnap_next_directory(&list, &length);
         list += length) {
        if (asprintf(&place, "%.*s/%s", length, list, skeleton->name) < 0)
            return asnap_error_no_memory();
        error = open_own(files, place, skeleton, dwarf, unit, split);
    }
    return error;
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
    struct asnap_error *error = find_package(files, path);
    if (error == NULL)
        error = find_unit(&files->package, &skeleton, dwarf, unit, split);
    if (error == NULL && split->dwarf == NULL)
        error = find_own(files, path, &skeleton, dwarf, unit, split);
    if (error == NULL && split->dwarf == NULL)
        error = asnap_error_create(ASNAP_ERROR_IO,
                                   "%s: the rest of its debug information (%.200s) is missing, or "
                                   "of another build: inlined functions are not named; put it "
                                   "there, or in %.200s.dwp",
                                   path, skeleton.name, files->program);
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
