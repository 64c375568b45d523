#include "dwarf_naming.h"

#include <stdlib.h>
#include <string.h>

#include "dwarf_lines.h"
#include "dwarf_names.h"
#include "dwarf_scopes.h"
#include "dwarf_types.h"
#include "dwarf_units.h"
#include "error.h"
#include "problem.h"
#include "source_path.h"
#include "split_files.h"

struct asnap_error *asnap_naming_advance(struct asnap_naming_progress *progress, size_t count)
{
    progress->done += count;
    const struct asnap_progress *report = progress->progress;
    if (report != NULL &&
        !report->report(report->context, "naming frames", progress->done, progress->total))
        return asnap_error_interrupted("naming frames");
    return NULL;
}

/* One unit, decoded as far as its addresses ask for. */
struct unit {
    struct asnap_dwarf *dwarf;
    struct asnap_frame_store *store;
    struct asnap_function_names *names;
    struct asnap_line_table lines;
    struct asnap_number_map files; /* file number + 1 -> path, kept in the store */
    struct asnap_scopes scopes;
    uint64_t *addresses;
    uint32_t *innermost;
    uint64_t *allocated; /* what the calls there allocate: entries of types, or 0 */
    struct asnap_type_names *types;
    struct asnap_split_unit split; /* where the functions are in another file */
    struct asnap_function_names split_names;
    struct asnap_type_names split_types;
};

/* The full path of a file of the line table; NULL where it has none. */
static struct asnap_error *file_path(struct unit *unit, uint64_t file, const char **path)
{
    *path = asnap_number_map_get(&unit->files, file);
    if (*path != NULL)
        return NULL;
    const char *compilation_directory = unit->lines.rows.compilation_directory;
    const char *directory;
    const char *name;
    if (!asnap_line_program_file(&unit->lines.rows.program, file, &compilation_directory,
                                 &directory, &name) ||
        name[0] == '\0')
        return NULL;
    char *joined;
    struct asnap_error *error = asnap_source_path(compilation_directory, directory, name, &joined);
    if (error != NULL)
        return error;
    error = asnap_frame_store_string(unit->store, joined, path);
    free(joined);
    if (error == NULL)
        error = asnap_number_map_put(&unit->files, file, *path);
    return error;
}

/* Makes the frames of one address: its line belongs to the innermost function, and
 * the place where that was inlined to the next one. `allocates` is of its
 * asnap_named_pc. */
static struct asnap_error *name_address(struct unit *unit, uint32_t scope, const char *allocates,
                                        struct asnap_naming *naming)
{
    uint64_t address = naming->address;
    const struct asnap_line_row *row = asnap_line_table_find(&unit->lines, address);
    /* The scopes of a damaged unit are not read. */
    if (scope >= unit->scopes.count)
        scope = ASNAP_SCOPE_NONE;
    if (row == NULL && scope == ASNAP_SCOPE_NONE)
        return NULL;
    struct asnap_frame frames[ASNAP_NAMING_FRAMES_MAX];
    size_t most = asnap_dwarf_frames_allowed(unit->dwarf, ASNAP_NAMING_FRAMES_MAX);
    size_t count = 0;
    uint64_t file = row == NULL ? 0 : row->file;
    uint32_t line = row == NULL ? 0 : row->line;
    bool has_file = row != NULL;
    bool is_plain = false;
    for (;;) {
        struct asnap_frame *frame = &frames[count++];
        *frame = (struct asnap_frame){.lineno = line};
        struct asnap_error *error = NULL;
        if (has_file)
            error = file_path(unit, file, &frame->filename);
        if (error == NULL && scope != ASNAP_SCOPE_NONE)
            error = asnap_function_name(unit->names, unit->scopes.scopes[scope].entry,
                                        &frame->function, &is_plain);
        if (error != NULL)
            return error;
        if (frame->filename == NULL)
            frame->lineno = 0;
        if (scope == ASNAP_SCOPE_NONE || count == most)
            break;
        const struct asnap_scope *inner = &unit->scopes.scopes[scope];
        if (inner->outer == ASNAP_SCOPE_NONE)
            break;
        frame->inlined = true;
        file = inner->call_file;
        line = inner->call_line;
        has_file = line != 0;
        scope = inner->outer;
    }
    asnap_dwarf_frames_made(unit->dwarf, count);
    naming->prefers_symbol = unit->names->is_cplusplus && is_plain;
    return asnap_frame_store_frames(unit->store, frames, count, allocates, &naming->named);
}

/* Opens the rest of the unit; without it there are lines only. */
static struct asnap_error *open_split(struct unit *unit, struct asnap_split_files *files,
                                      const struct asnap_entry *entry, struct asnap_error **problem)
{
    struct asnap_error *error = asnap_problem_keep(
        asnap_split_open(files, unit->dwarf, asnap_dwarf_path(unit->dwarf), entry, &unit->split),
        problem);
    if (unit->split.dwarf == NULL)
        return error;
    unit->split_names = (struct asnap_function_names){
        .dwarf = unit->split.dwarf, .store = unit->store, .entries = {.dwarf = unit->split.dwarf}};
    unit->names = &unit->split_names;
    unit->split_types = (struct asnap_type_names){
        .dwarf = unit->split.dwarf, .entries = &unit->split_names.entries, .store = unit->store};
    unit->types = &unit->split_types;
    return error;
}

static struct asnap_error *decode(struct unit *unit, struct asnap_split_files *files,
                                  uint64_t offset, size_t count, struct asnap_error **problem)
{
    struct asnap_entry entry = {0};
    struct asnap_error *error =
        asnap_problem_keep(asnap_entry_at(unit->dwarf, offset, &entry), problem);
    if (error != NULL || entry.handle == NULL)
        return error;
    error = open_split(unit, files, &entry, problem);
    if (error == NULL)
        error =
            asnap_problem_keep(asnap_line_table_init(&unit->lines, unit->dwarf, &entry), problem);
    bool is_split = unit->split.dwarf != NULL;
    struct asnap_dwarf *dwarf = is_split ? unit->split.dwarf : unit->dwarf;
    const struct asnap_entry *first = is_split ? &unit->split.entry : &entry;
    unit->names->is_cplusplus = asnap_entry_is_cplusplus(dwarf, first);
    if (error == NULL)
        error = asnap_problem_keep(asnap_scopes_read(&unit->scopes, dwarf, first, unit->addresses,
                                                     count, unit->innermost, unit->allocated),
                                   problem);
    asnap_entry_release(unit->dwarf, &entry);
    return error;
}

/* What is known of a file while its units are read. */
struct file {
    struct asnap_function_names names;
    struct asnap_type_names types;
    struct asnap_split_files split;
    struct asnap_unit_table units;
    struct asnap_error **problem;
};

static struct asnap_error *name_addresses(struct unit *unit, struct asnap_naming *namings,
                                          size_t count)
{
    struct asnap_error *error = NULL;
    for (size_t i = 0; i < count && error == NULL; i++) {
        const char *name = NULL;
        if (unit->allocated[i] != 0)
            error = asnap_type_name(unit->types, unit->allocated[i], &name);
        if (error == NULL)
            error = name_address(unit, unit->innermost[i], name, &namings[i]);
    }
    return error;
}

/* Names addresses that are all in the unit at `offset`. */
static struct asnap_error *name_unit(struct file *file, uint64_t offset,
                                     struct asnap_naming *namings, size_t count)
{
    struct unit unit = {.dwarf = file->names.dwarf,
                        .store = file->names.store,
                        .names = &file->names,
                        .types = &file->types};
    unit.addresses = calloc(count, sizeof(*unit.addresses));
    unit.innermost = calloc(count, sizeof(*unit.innermost));
    unit.allocated = calloc(count, sizeof(*unit.allocated));
    struct asnap_error *error = NULL;
    if (unit.addresses == NULL || unit.innermost == NULL || unit.allocated == NULL)
        error = asnap_error_no_memory();
    for (size_t i = 0; i < count && error == NULL; i++) {
        unit.addresses[i] = namings[i].address;
        unit.innermost[i] = ASNAP_SCOPE_NONE;
    }
    if (error == NULL)
        error = decode(&unit, &file->split, offset, count, file->problem);
    if (error == NULL)
        error = name_addresses(&unit, namings, count);
    asnap_scopes_deinit(&unit.scopes);
    asnap_number_map_deinit(&unit.files);
    asnap_line_table_deinit(&unit.lines);
    asnap_function_names_deinit(&unit.split_names);
    asnap_type_names_deinit(&unit.split_types);
    asnap_split_close(&unit.split);
    free(unit.allocated);
    free(unit.innermost);
    free(unit.addresses);
    return error;
}

static int compare_units(const void *left, const void *right)
{
    const struct asnap_naming *a = left;
    const struct asnap_naming *b = right;
    if (a->unit != b->unit)
        return a->unit < b->unit ? -1 : 1;
    return (a->address > b->address) - (a->address < b->address);
}

static int compare_addresses(const void *left, const void *right)
{
    const struct asnap_naming *a = left;
    const struct asnap_naming *b = right;
    return (a->address > b->address) - (a->address < b->address);
}

static struct asnap_error *name_units(struct file *file, struct asnap_naming *namings, size_t count,
                                      struct asnap_naming_progress *progress)
{
    for (size_t first = 0, end; first < count; first = end) {
        end = first + 1;
        while (end < count && namings[end].unit == namings[first].unit)
            end++;
        struct asnap_error *error = NULL;
        if (namings[first].unit != 0)
            error = name_unit(file, namings[first].unit, &namings[first], end - first);
        if (error == NULL)
            error = asnap_naming_advance(progress, end - first);
        if (error != NULL)
            return error;
    }
    return NULL;
}

static struct asnap_error *name_file(struct asnap_dwarf *dwarf,
                                     const struct asnap_dwarf_source *source,
                                     struct asnap_frame_store *store, struct asnap_naming *namings,
                                     size_t count, struct asnap_naming_progress *progress,
                                     struct asnap_error **problem)
{
    struct file file = {
        .names = {.dwarf = dwarf, .store = store, .entries = {.dwarf = dwarf}},
        .types = {.dwarf = dwarf, .store = store},
        .split = {.program = source->program,
                  .debug_directories = source->debug_directories,
                  .opens = source->opens},
        .problem = problem,
    };
    file.types.entries = &file.names.entries;
    struct asnap_error *error = asnap_unit_table_init(&file.units, dwarf, problem);
    if (error != NULL)
        return error;
    for (size_t i = 0; i < count && error == NULL; i++)
        error = asnap_unit_table_find(&file.units, dwarf, namings[i].address, &namings[i].unit,
                                      problem);
    if (error == NULL) {
        qsort(namings, count, sizeof(*namings), compare_units);
        error = name_units(&file, namings, count, progress);
        qsort(namings, count, sizeof(*namings), compare_addresses);
    }
    asnap_unit_table_deinit(&file.units);
    asnap_function_names_deinit(&file.names);
    asnap_type_names_deinit(&file.types);
    asnap_split_files_deinit(&file.split);
    return error;
}

struct asnap_error *asnap_dwarf_name_file(const struct asnap_dwarf_source *source,
                                          struct asnap_frame_store *store,
                                          struct asnap_naming *namings, size_t count,
                                          struct asnap_naming_progress *progress,
                                          struct asnap_error **problem)
{
    struct asnap_dwarf *dwarf = NULL;
    struct asnap_error *error =
        asnap_problem_keep(asnap_dwarf_open(source->file, source->supplement, &dwarf), problem);
    if (error == NULL && dwarf == NULL)
        return asnap_naming_advance(progress, count);
    if (error == NULL) {
        asnap_dwarf_allow(dwarf, count);
        error = name_file(dwarf, source, store, namings, count, progress, problem);
    }
    asnap_dwarf_close(dwarf);
    return error;
}
