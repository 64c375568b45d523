#include "module.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "module_file.h"
#include "problem.h"

static const char deleted_suffix[] = " (deleted)";

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

/* Where the module's own file can be opened: not at its path where the program sees other files. */
static const char *seen_at(const struct asnap_module *module)
{
    const char *path = asnap_other_files_seen_at(module->others, module->path);
    return path == NULL ? module->file : path;
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
    struct asnap_error *error = asnap_elf_open(seen_at(module), &found);
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

struct asnap_error *asnap_module_open_file(struct asnap_module *module, struct asnap_elf **elf)
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

bool asnap_module_is_same(const struct asnap_module *module, const struct stat *now)
{
    const struct stat *then = &module->identity;
    return then->st_dev == now->st_dev && then->st_ino == now->st_ino &&
           then->st_size == now->st_size && then->st_mtim.tv_sec == now->st_mtim.tv_sec &&
           then->st_mtim.tv_nsec == now->st_mtim.tv_nsec;
}

bool asnap_module_is_own(const struct asnap_module *module, const struct asnap_elf *elf)
{
    return elf != NULL && elf->fd >= 0 && !module->is_elsewhere;
}

struct asnap_error *asnap_module_refresh(struct asnap_module *module,
                                         const struct asnap_build_id *build_id,
                                         struct asnap_other_files *others)
{
    struct stat now = {0};
    module->others = others;
    if (module->image == NULL && stat(seen_at(module), &now) != 0)
        now = (struct stat){0};
    if (module->was_seen && asnap_module_is_same(module, &now) &&
        asnap_build_id_equal(&module->build_id, build_id))
        return NULL;
    forget(module);
    module->build_id = *build_id;
    struct asnap_elf *elf = NULL;
    struct asnap_error *error =
        asnap_problem_keep(asnap_module_open_file(module, &elf), &module->problem);
    if (error == NULL && elf != NULL)
        error = asnap_elf_loads(elf, &module->loads, &module->load_count);
    /* That which was looked at, and not what has the name by now. */
    if (asnap_module_is_own(module, elf) && fstat(elf->fd, &now) != 0)
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
