/* Naming addresses and variables of one mapped file, from it and its debug files. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "debug_file.h"
#include "demangle.h"
#include "elf_variables.h"
#include "error.h"
#include "fallback_names.h"
#include "module_file.h"
#include "problem.h"

/* The files of a module, while its addresses are named. */
struct sources {
    const char *debug_directories;
    const struct asnap_progress *progress;
    struct asnap_apart *apart;
    uint64_t number; /* of the module, for `apart` */
    struct asnap_elf *elf;
    struct asnap_elf *debug;      /* NULL: none */
    struct asnap_elf *supplement; /* NULL: none */
    struct asnap_fallback_names names;
};

static const struct asnap_elf *source_of_dwarf(const struct sources *sources)
{
    return sources->debug != NULL ? sources->debug : sources->elf;
}

/* Looks for the debug file, at last among the other files. */
static struct asnap_error *find_debug_file(struct asnap_module *module, struct sources *sources)
{
    struct asnap_build_id build_id;
    struct asnap_elf *found = NULL;
    struct asnap_error *problem = NULL;
    struct asnap_error *error = asnap_problem_keep(
        asnap_debug_file_find(sources->elf, sources->debug_directories, sources->progress, &found),
        &problem);
    module->asks_others = found == NULL;
    if (error == NULL && found == NULL) {
        asnap_elf_build_id(sources->elf, &build_id);
        error = asnap_other_files_find(module->others, &build_id, true, &found);
    }
    sources->debug = found;
    if (error == NULL && found == NULL)
        return problem;
    asnap_error_destroy(problem);
    return error;
}

/* Whether the file that is open now is the one whose program headers are known. */
static struct asnap_error *check_identity(struct asnap_module *module, const struct asnap_elf *elf)
{
    struct stat now;
    if (!asnap_module_is_own(module, elf) ||
        (fstat(elf->fd, &now) == 0 && asnap_module_is_same(module, &now)))
        return NULL;
    module->was_seen = false;
    return asnap_error_create(ASNAP_ERROR_IO,
                              "%s: was replaced while it was looked at: its functions are not "
                              "named; take another snapshot",
                              module->file);
}

static struct asnap_error *open_file(struct asnap_module *module, struct sources *sources)
{
    struct asnap_error *error =
        asnap_problem_keep(asnap_module_open_file(module, &sources->elf), &module->problem);
    if (error == NULL)
        error = check_identity(module, sources->elf);
    if (error != NULL || sources->elf == NULL) {
        asnap_elf_close(sources->elf);
        sources->elf = NULL;
        return asnap_problem_keep(error, &module->problem);
    }
    if (asnap_elf_section(sources->elf, ".debug_info") == NULL)
        error = find_debug_file(module, sources);
    return asnap_problem_keep(error, &module->problem);
}

struct asnap_error *asnap_module_open(struct asnap_module *module, const char *debug_directories,
                                      struct asnap_elf **elf, struct asnap_elf **debug)
{
    struct sources sources = {.debug_directories = debug_directories};
    struct asnap_error *error = open_file(module, &sources);
    *elf = sources.elf;
    *debug = sources.debug;
    return error;
}

static struct asnap_error *open_sources(struct asnap_module *module, struct sources *sources)
{
    struct asnap_error *error = open_file(module, sources);
    if (error != NULL || sources->elf == NULL)
        return error;
    /* What is left of a stripped file refers to nothing in it. */
    const struct asnap_elf *file = source_of_dwarf(sources);
    if (asnap_elf_section(file, ".debug_info") == NULL)
        return NULL;
    error =
        asnap_debug_file_find_supplement(file, sources->debug_directories, &sources->supplement);
    return asnap_problem_keep(error, &module->problem);
}

static void close_sources(struct sources *sources)
{
    asnap_fallback_names_deinit(&sources->names);
    asnap_elf_close(sources->supplement);
    asnap_elf_close(sources->debug);
    asnap_elf_close(sources->elf);
}

/* UNSUPPORTED where the debug information is packed in a way that is not known. */
static struct asnap_error *check_packing(const struct asnap_elf *source)
{
    if (!asnap_elf_is_packed_otherwise(source, ".debug_info"))
        return NULL;
    return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                              "%s: its debug information is not packed by zlib (but by zstd?), and "
                              "not read: lines are those that the debugger knows; unpack it with "
                              "objcopy --decompress-debug-sections",
                              source->path);
}

static struct asnap_error *name_by_dwarf(struct asnap_module *module, struct sources *sources,
                                         struct asnap_naming *namings, size_t count,
                                         struct asnap_naming_progress *progress)
{
    const struct asnap_elf *file = source_of_dwarf(sources);
    if (sources->elf == NULL || file->fd < 0 || asnap_elf_section(file, ".debug_info") == NULL)
        return asnap_naming_advance(progress, count);
    struct asnap_error *error = check_packing(file);
    if (error != NULL) {
        error = asnap_problem_keep(error, &module->problem);
        return error == NULL ? asnap_naming_advance(progress, count) : error;
    }
    struct asnap_dwarf_source source = {
        .file = file,
        .supplement = sources->supplement,
        .program = sources->elf->path,
        .debug_directories = sources->debug_directories,
    };
    bool is_cut_short;
    error = asnap_apart_name(sources->apart, sources->number, &source, module->store, namings,
                             count, progress, &module->problem, &is_cut_short);
    if (is_cut_short)
        module->was_seen = false; /* the next time all of it is looked for again */
    return error;
}

/* Fills in what the debug information left open: the path, and the name of the
 * function that is really there. */
static struct asnap_error *complete(struct asnap_module *module, struct sources *sources,
                                    struct asnap_naming *naming)
{
    static const struct asnap_frame nothing;
    struct asnap_named_pc known = {.frames = &nothing, .frame_count = 1};
    if (naming->named != NULL)
        known = *naming->named;
    struct asnap_frame *frames = calloc(known.frame_count, sizeof(*frames));
    if (frames == NULL)
        return asnap_error_no_memory();
    memcpy(frames, known.frames, known.frame_count * sizeof(*frames));
    struct asnap_error *error = NULL;
    struct asnap_frame *outermost = &frames[known.frame_count - 1];
    outermost->inlined = false;
    if (outermost->function == NULL || naming->prefers_symbol)
        error = asnap_fallback_by_symbol(&sources->names, naming->address, &outermost->function);
    if (error == NULL && outermost->function == NULL && outermost->lineno == 0) {
        error = asnap_fallback_by_offset(&sources->names, module->file, naming->address,
                                         &outermost->function);
        outermost->named_by = ASNAP_NAMED_NONE;
    }
    for (size_t i = 0; i < known.frame_count; i++) {
        if (frames[i].filename == NULL)
            frames[i].filename = module->file;
    }
    if (error == NULL)
        error = asnap_frame_store_frames(module->store, frames, known.frame_count, known.allocates,
                                         &naming->named);
    free(frames);
    return error;
}

static bool is_complete(const struct asnap_naming *naming)
{
    if (naming->named == NULL || naming->prefers_symbol)
        return false;
    for (size_t i = 0; i < naming->named->frame_count; i++) {
        const struct asnap_frame *frame = &naming->named->frames[i];
        bool outermost = i == naming->named->frame_count - 1;
        if (frame->filename == NULL || (outermost && (frame->function == NULL || frame->inlined)))
            return false;
    }
    return true;
}

struct asnap_error *asnap_module_name(struct asnap_module *module, const char *debug_directories,
                                      struct asnap_apart *apart, uint64_t number,
                                      struct asnap_naming *namings, size_t count,
                                      struct asnap_naming_progress *progress)
{
    struct sources sources = {.debug_directories = debug_directories,
                              .progress = progress->progress,
                              .apart = apart,
                              .number = number};
    struct asnap_error *error = open_sources(module, &sources);
    sources.names = (struct asnap_fallback_names){
        .store = module->store, .elf = sources.elf, .debug = sources.debug};
    if (error == NULL)
        error = name_by_dwarf(module, &sources, namings, count, progress);
    for (size_t i = 0; i < count && error == NULL && !asnap_apart_is_child(apart); i++) {
        if (!is_complete(&namings[i]))
            error = complete(module, &sources, &namings[i]);
        if (error == NULL)
            error = asnap_number_map_put(&module->names, namings[i].address, namings[i].named);
    }
    close_sources(&sources);
    return error;
}

struct asnap_error *asnap_module_variable(struct asnap_module *module,
                                          const char *debug_directories, uint64_t offset,
                                          bool is_thread_local, struct asnap_variable *variable)
{
    struct sources sources = {.debug_directories = debug_directories};
    struct asnap_error *error = open_sources(module, &sources);
    *variable = (struct asnap_variable){0};
    if (!is_thread_local)
        offset += asnap_elf_lowest_page(module->loads, module->load_count);
    if (error == NULL && sources.elf != NULL)
        asnap_elf_variable(sources.elf, sources.debug, offset, is_thread_local, variable);
    const char *name = variable->name;
    char *readable = NULL;
    if (error == NULL && name != NULL)
        error = asnap_demangle(name, &readable);
    if (error == NULL && name != NULL)
        error = asnap_frame_store_string(module->store, readable, &variable->name);
    if (error == NULL && variable->source != NULL)
        error = asnap_frame_store_string(module->store, variable->source, &variable->source);
    free(readable);
    close_sources(&sources);
    return error;
}
