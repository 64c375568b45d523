#include "module.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "debug_file.h"
#include "demangle.h"
#include "elf_variables.h"
#include "error.h"
#include "fallback_names.h"
#include "number_map.h"
#include "problem.h"

static const char deleted_suffix[] = " (deleted)";

struct asnap_module {
    struct asnap_frame_store *store;
    const char *path; /* as given */
    const char *file; /* without a mark that it is deleted */
    bool is_deleted;  /* the file that is mapped has lost this name */
    bool is_unloaded;
    char *image; /* contents that are in no file */
    size_t image_size;
    bool was_seen; /* `identity` and what follows it was read */
    struct stat identity;
    struct asnap_build_id build_id; /* of the contents in memory; size 0: not known */
    struct asnap_other_files *others;
    bool is_elsewhere; /* the file at `file` is missing or another build */
    bool asks_others;  /* for its debug file */
    struct asnap_load *loads;
    size_t load_count;
    struct asnap_number_map names; /* link-time address -> struct asnap_named_pc */
    const struct asnap_named_pc *unnamed;
    struct asnap_error *problem;
};

struct asnap_error *asnap_module_create(struct asnap_frame_store *store, const char *path,
                                        bool is_unloaded, struct asnap_module **module)
{
    struct asnap_module *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    *made = (struct asnap_module){
        .store = store, .path = path, .file = path, .is_unloaded = is_unloaded};
    size_t length = strlen(path);
    size_t suffix = sizeof(deleted_suffix) - 1;
    struct asnap_error *error = NULL;
    struct stat status;
    bool is_marked = length > suffix && strcmp(path + length - suffix, deleted_suffix) == 0;
    /* A file can have such a name. */
    if (is_marked && stat(path, &status) != 0) {
        char *file = strndup(path, length - suffix);
        error = file == NULL ? asnap_error_no_memory()
                             : asnap_frame_store_string(store, file, &made->file);
        free(file);
        made->is_deleted = true;
    }
    if (error == NULL) {
        struct asnap_frame frame = {.filename = made->file};
        error = asnap_frame_store_frames(store, &frame, 1, NULL, &made->unnamed);
    }
    if (error != NULL) {
        asnap_module_destroy(made);
        return error;
    }
    *module = made;
    return NULL;
}

static void forget(struct asnap_module *module)
{
    free(module->loads);
    module->loads = NULL;
    module->load_count = 0;
    asnap_number_map_deinit(&module->names);
    asnap_error_destroy(module->problem);
    module->problem = NULL;
    module->was_seen = false;
}

void asnap_module_forget_others(struct asnap_module *module)
{
    if (module->is_elsewhere || module->asks_others)
        forget(module);
}

void asnap_module_destroy(struct asnap_module *module)
{
    if (module == NULL)
        return;
    forget(module);
    free(module->image);
    free(module);
}

const char *asnap_module_path(const struct asnap_module *module)
{
    return module->path;
}

void asnap_module_set_image(struct asnap_module *module, char *image, size_t size)
{
    if (module->image_size == size && module->image != NULL &&
        memcmp(module->image, image, size) == 0) {
        free(image);
        return;
    }
    forget(module);
    free(module->image);
    module->image = image;
    module->image_size = size;
}

static struct asnap_error *not_the_file(const struct asnap_module *module, const char *why)
{
    if (module->is_unloaded)
        return asnap_error_create(ASNAP_ERROR_IO,
                                  "%s: is not the file that the program had loaded (%s): its "
                                  "functions are not named; put the right one there",
                                  module->file, why);
    if (module->is_deleted)
        return asnap_error_create(ASNAP_ERROR_IO,
                                  "%s: was deleted or replaced since the program started: its "
                                  "functions are not named; start the program again",
                                  module->file);
    return asnap_error_create(ASNAP_ERROR_IO,
                              "%s: is not the file that the program ran (%s): its functions are "
                              "not named; load the right one with `file`, or put it there",
                              module->file, why);
}

/* Opens the file at the module's own path. A deleted one may be there again. */
static struct asnap_error *open_own(const struct asnap_module *module, struct asnap_elf **elf)
{
    /* Nothing else tells whether the file is the one that was unloaded. */
    bool knows_build = module->build_id.size > 0 || module->is_unloaded;
    if (module->path[0] == '[')
        return asnap_error_create(ASNAP_ERROR_IO,
                                  "%s: could not be read from the process: its functions are not "
                                  "named",
                                  module->path);
    if (module->is_deleted && !knows_build)
        return not_the_file(module, "");
    struct asnap_elf *found = NULL;
    struct asnap_error *error = asnap_elf_open(module->file, &found);
    bool is_wrong = found != NULL && knows_build && !asnap_elf_is_build(found, &module->build_id);
    bool is_gone = error != NULL && module->is_deleted;
    if (is_wrong || (is_gone && asnap_error_code(error) != ASNAP_ERROR_NO_MEMORY)) {
        asnap_elf_close(found);
        asnap_error_destroy(error);
        return not_the_file(module, "its build ID differs");
    }
    if (error == NULL)
        *elf = found;
    return error;
}

static struct asnap_error *open_module(struct asnap_module *module, struct asnap_elf **elf)
{
    if (module->image != NULL)
        return asnap_elf_open_image(module->image, module->image_size, module->file, elf);
    struct asnap_error *error = open_own(module, elf);
    module->is_elsewhere = error != NULL;
    if (error == NULL || asnap_error_code(error) == ASNAP_ERROR_NO_MEMORY)
        return error;
    struct asnap_elf *other;
    struct asnap_error *failure =
        asnap_other_files_find(module->others, &module->build_id, false, &other);
    if (failure != NULL || other != NULL) {
        asnap_error_destroy(error);
        error = failure;
    }
    if (other != NULL)
        *elf = other;
    return error;
}

/* Whether the file is the one that was seen last. */
static bool is_same(const struct asnap_module *module, const struct stat *now)
{
    const struct stat *then = &module->identity;
    return then->st_dev == now->st_dev && then->st_ino == now->st_ino &&
           then->st_size == now->st_size && then->st_mtim.tv_sec == now->st_mtim.tv_sec &&
           then->st_mtim.tv_nsec == now->st_mtim.tv_nsec;
}

/* Whether `elf` is the file at the module's path. */
static bool is_own(const struct asnap_module *module, const struct asnap_elf *elf)
{
    return elf != NULL && elf->fd >= 0 && !module->is_elsewhere;
}

struct asnap_error *asnap_module_refresh(struct asnap_module *module,
                                         const struct asnap_build_id *build_id,
                                         struct asnap_other_files *others)
{
    struct stat now = {0};
    if (module->image == NULL && stat(module->file, &now) != 0)
        now = (struct stat){0};
    if (module->was_seen && is_same(module, &now) &&
        asnap_build_id_equal(&module->build_id, build_id))
        return NULL;
    forget(module);
    module->build_id = *build_id;
    module->others = others;
    struct asnap_elf *elf = NULL;
    struct asnap_error *error = asnap_problem_keep(open_module(module, &elf), &module->problem);
    if (error == NULL && elf != NULL)
        error = asnap_elf_loads(elf, &module->loads, &module->load_count);
    /* That which was looked at, and not what has the name by now. */
    if (is_own(module, elf) && fstat(elf->fd, &now) != 0)
        now = (struct stat){0};
    asnap_elf_close(elf);
    if (error != NULL)
        return error;
    module->identity = now;
    module->was_seen = true;
    return NULL;
}

bool asnap_module_address(const struct asnap_module *module, uint64_t file_offset,
                          uint64_t *address)
{
    const struct asnap_load *found = NULL;
    for (size_t i = 0; i < module->load_count; i++) {
        const struct asnap_load *load = &module->loads[i];
        if (file_offset < load->offset || file_offset - load->offset >= load->size)
            continue;
        if (found == NULL || (load->executable && !found->executable))
            found = load;
    }
    if (found == NULL)
        return false;
    *address = found->address + (file_offset - found->offset);
    return true;
}

/* The memory that the segments take, from the first page on. */
static uint64_t memory_size(const struct asnap_module *module)
{
    uint64_t end = 0;
    for (size_t i = 0; i < module->load_count; i++) {
        const struct asnap_load *load = &module->loads[i];
        if (load->address + load->memory_size > end)
            end = load->address + load->memory_size;
    }
    return end - asnap_elf_lowest_page(module->loads, module->load_count);
}

struct asnap_error *asnap_module_address_of_loaded(struct asnap_module *module, uint64_t offset,
                                                   uint64_t size, uint64_t *address, bool *is_found)
{
    *is_found = false;
    if (module->load_count == 0)
        return NULL;
    if (module->build_id.size == 0 && memory_size(module) != size)
        return asnap_problem_keep(not_the_file(module, "its segments differ"), &module->problem);
    uint64_t found = asnap_elf_lowest_page(module->loads, module->load_count) + offset;
    for (size_t i = 0; i < module->load_count; i++) {
        const struct asnap_load *load = &module->loads[i];
        if (found >= load->address && found - load->address < load->size) {
            *address = found;
            *is_found = true;
        }
    }
    return NULL;
}

bool asnap_module_is_read(const struct asnap_module *module)
{
    return module->load_count > 0;
}

const struct asnap_named_pc *asnap_module_known(const struct asnap_module *module, uint64_t address)
{
    return asnap_number_map_get(&module->names, address);
}

const struct asnap_named_pc *asnap_module_unnamed(const struct asnap_module *module)
{
    return module->unnamed;
}

const char *asnap_module_note(const struct asnap_module *module)
{
    return module->problem == NULL ? NULL : asnap_error_message(module->problem);
}

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
    if (!is_own(module, elf) || (fstat(elf->fd, &now) == 0 && is_same(module, &now)))
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
        asnap_problem_keep(open_module(module, &sources->elf), &module->problem);
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
