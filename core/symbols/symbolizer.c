#include "symbolizer.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "module.h"
#include "region_map.h"

#define DEFAULT_DEBUG_DIRECTORIES "/usr/lib/debug"
#define UNKNOWN_FILE "<unknown>"

/* The program headers and the build ID are at the very beginning of a file. */
#define HEAD_BYTES ((uint64_t)4096)

/* A vDSO has a few pages; more than this is not read. */
#define VDSO_BYTES_MAX ((uint64_t)1024 * 1024)

struct known_module {
    struct asnap_module *module;
    bool is_fresh; /* looked at since the regions were set */
    bool is_used;  /* held an address since the regions were set */
};

struct asnap_symbolizer {
    char *debug_directories;
    struct asnap_frame_store *store;
    const struct asnap_named_pc *unknown;
    struct asnap_region_map regions;
    struct asnap_other_files others;
    struct known_module *modules;
    size_t module_count;
    size_t module_capacity;
};

static struct asnap_error *fill(struct asnap_symbolizer *symbolizer, const char *debug_directories)
{
    struct asnap_error *error = asnap_frame_store_create(&symbolizer->store);
    if (error != NULL)
        return error;
    symbolizer->debug_directories =
        strdup(debug_directories == NULL ? DEFAULT_DEBUG_DIRECTORIES : debug_directories);
    if (symbolizer->debug_directories == NULL)
        return asnap_error_no_memory();
    static const struct asnap_frame unknown = {.filename = UNKNOWN_FILE};
    return asnap_frame_store_frames(symbolizer->store, &unknown, 1, &symbolizer->unknown);
}

struct asnap_error *asnap_symbolizer_create(const char *debug_directories,
                                            struct asnap_symbolizer **symbolizer)
{
    struct asnap_symbolizer *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = fill(made, debug_directories);
    if (error != NULL) {
        asnap_symbolizer_destroy(made);
        return error;
    }
    *symbolizer = made;
    return NULL;
}

static void destroy_files(struct asnap_other_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->paths[i]);
    free(files->paths);
}

void asnap_symbolizer_destroy(struct asnap_symbolizer *symbolizer)
{
    if (symbolizer == NULL)
        return;
    for (size_t i = 0; i < symbolizer->module_count; i++)
        asnap_module_destroy(symbolizer->modules[i].module);
    free(symbolizer->modules);
    asnap_region_map_deinit(&symbolizer->regions);
    destroy_files(&symbolizer->others);
    asnap_frame_store_destroy(symbolizer->store);
    free(symbolizer->debug_directories);
    free(symbolizer);
}

/* The place in `modules` of the one mapped under `path`, a string of the store;
 * makes it where it is new. */
static struct asnap_error *module_of(struct asnap_symbolizer *symbolizer, const char *path,
                                     size_t *place)
{
    for (size_t i = 0; i < symbolizer->module_count; i++) {
        if (asnap_module_path(symbolizer->modules[i].module) == path) {
            *place = i;
            return NULL;
        }
    }
    if (symbolizer->module_count == symbolizer->module_capacity) {
        size_t capacity = symbolizer->module_capacity == 0 ? 16 : symbolizer->module_capacity * 2;
        struct known_module *modules =
            reallocarray(symbolizer->modules, capacity, sizeof(*modules));
        if (modules == NULL)
            return asnap_error_no_memory();
        symbolizer->modules = modules;
        symbolizer->module_capacity = capacity;
    }
    struct asnap_module *module;
    struct asnap_error *error = asnap_module_create(symbolizer->store, path, &module);
    if (error != NULL)
        return error;
    *place = symbolizer->module_count;
    symbolizer->modules[symbolizer->module_count++] = (struct known_module){.module = module};
    return NULL;
}

/* The first `size` bytes of a region in `image`, which is NULL where they cannot be
 * read. */
static struct asnap_error *read_image(const struct asnap_memory *memory,
                                      const struct asnap_mapped *region, uint64_t size,
                                      char **image)
{
    *image = NULL;
    if (memory == NULL || size > VDSO_BYTES_MAX)
        return NULL;
    char *made = malloc((size_t)size);
    if (made == NULL)
        return asnap_error_no_memory();
    int result = memory->read(memory->context, region->start, made, (size_t)size);
    if (result == ASNAP_READ_OK) {
        *image = made;
        return NULL;
    }
    free(made);
    return result == ASNAP_READ_INTERRUPTED ? asnap_error_interrupted("reading the modules") : NULL;
}

/* Gives the vDSO's module its image, or none. */
static struct asnap_error *read_vdso(struct asnap_symbolizer *symbolizer,
                                     const struct asnap_memory *memory,
                                     const struct asnap_mapped *region)
{
    size_t place;
    struct asnap_error *error = module_of(symbolizer, region->path, &place);
    if (error != NULL)
        return error;
    char *image;
    uint64_t size = region->end - region->start;
    error = read_image(memory, region, size, &image);
    if (error == NULL)
        asnap_module_set_image(symbolizer->modules[place].module, image,
                               image == NULL ? 0 : (size_t)size);
    return error;
}

/* Notes at the head of an executable region which build of the file is in memory. */
static struct asnap_error *read_build_id(const struct asnap_memory *memory,
                                         const struct asnap_region_map *map,
                                         const struct asnap_mapped *region)
{
    struct asnap_mapped *head = asnap_region_map_head(map, region);
    if (head == NULL || head->build_id.size > 0)
        return NULL;
    uint64_t size = head->end - head->start < HEAD_BYTES ? head->end - head->start : HEAD_BYTES;
    char *image;
    struct asnap_error *error = read_image(memory, head, size, &image);
    if (error == NULL && image != NULL)
        error = asnap_elf_head_build_id(image, (size_t)size, &head->build_id);
    free(image);
    return error;
}

struct asnap_error *asnap_symbolizer_set_regions(struct asnap_symbolizer *symbolizer,
                                                 const struct asnap_memory *memory,
                                                 const struct asnap_region *regions,
                                                 size_t region_count)
{
    struct asnap_region_map map;
    struct asnap_error *error =
        asnap_region_map_init(&map, symbolizer->store, regions, region_count);
    if (error != NULL)
        return error;
    for (size_t i = 0; i < map.count && error == NULL; i++) {
        if (map.regions[i].is_vdso)
            error = read_vdso(symbolizer, memory, &map.regions[i]);
        else if (map.regions[i].is_executable)
            error = read_build_id(memory, &map, &map.regions[i]);
    }
    if (error != NULL) {
        asnap_region_map_deinit(&map);
        return error;
    }
    asnap_region_map_deinit(&symbolizer->regions);
    symbolizer->regions = map;
    for (size_t i = 0; i < symbolizer->module_count; i++) {
        symbolizer->modules[i].is_fresh = false;
        symbolizer->modules[i].is_used = false;
    }
    return NULL;
}

static bool has_files(const struct asnap_other_files *files, const char *const *paths, size_t count)
{
    if (files->count != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(files->paths[i], paths[i]) != 0)
            return false;
    }
    return true;
}

struct asnap_error *asnap_symbolizer_set_files(struct asnap_symbolizer *symbolizer,
                                               const char *const *paths, size_t count)
{
    if (has_files(&symbolizer->others, paths, count))
        return NULL;
    struct asnap_other_files files = {.paths = calloc(count + 1, sizeof(*files.paths))};
    if (files.paths == NULL)
        return asnap_error_no_memory();
    for (; files.count < count; files.count++) {
        files.paths[files.count] = strdup(paths[files.count]);
        if (files.paths[files.count] == NULL) {
            destroy_files(&files);
            return asnap_error_no_memory();
        }
    }
    destroy_files(&symbolizer->others);
    symbolizer->others = files;
    for (size_t i = 0; i < symbolizer->module_count; i++) {
        asnap_module_forget_others(symbolizer->modules[i].module);
        symbolizer->modules[i].is_fresh = false;
    }
    return NULL;
}

/* An address to be named, and where it goes. */
struct request {
    uint64_t address; /* link-time */
    size_t module;    /* place in `modules` */
    size_t index;     /* in the caller's list */
};

/* Answers what needs no look at a file; else fills `request`, and sets `asks`. */
static struct asnap_error *resolve(struct asnap_symbolizer *symbolizer, uint64_t return_address,
                                   const struct asnap_named_pc **named, struct request *request,
                                   bool *asks)
{
    *named = symbolizer->unknown;
    *asks = false;
    if (return_address == 0)
        return NULL;
    /* A return address lies behind its call, which may be the last instruction of
     * its line, its function, even its section. */
    uint64_t pc = return_address - 1;
    const struct asnap_mapped *region = asnap_region_map_find(&symbolizer->regions, pc);
    if (region == NULL)
        return NULL;
    struct asnap_error *error = module_of(symbolizer, region->path, &request->module);
    if (error != NULL)
        return error;
    struct known_module *known = &symbolizer->modules[request->module];
    if (!known->is_fresh) {
        static const struct asnap_build_id unknown_build;
        const struct asnap_mapped *head = asnap_region_map_head(&symbolizer->regions, region);
        error = asnap_module_refresh(known->module, head == NULL ? &unknown_build : &head->build_id,
                                     &symbolizer->others);
        if (error != NULL)
            return error;
        known->is_fresh = true;
    }
    known->is_used = true;
    *named = asnap_module_unnamed(known->module);
    if (!asnap_module_address(known->module, pc - region->start + region->file_offset,
                              &request->address))
        return NULL;
    const struct asnap_named_pc *found = asnap_module_known(known->module, request->address);
    if (found != NULL)
        *named = found;
    *asks = found == NULL;
    return NULL;
}

static int compare_requests(const void *left, const void *right)
{
    const struct request *a = left;
    const struct request *b = right;
    if (a->module != b->module)
        return a->module < b->module ? -1 : 1;
    return (a->address > b->address) - (a->address < b->address);
}

/* Names sorted requests of one module. `namings` has room for `count`. */
static struct asnap_error *name_module(struct asnap_symbolizer *symbolizer,
                                       const struct request *requests, size_t count,
                                       struct asnap_naming *namings,
                                       struct asnap_naming_progress *progress,
                                       struct asnap_named_pc *names)
{
    struct asnap_module *module = symbolizer->modules[requests[0].module].module;
    size_t distinct = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || requests[i].address != requests[i - 1].address)
            namings[distinct++] = (struct asnap_naming){.address = requests[i].address};
    }
    progress->done += count - distinct;
    struct asnap_error *error =
        asnap_module_name(module, symbolizer->debug_directories, namings, distinct, progress);
    for (size_t i = 0; i < count && error == NULL; i++)
        names[requests[i].index] = *asnap_module_known(module, requests[i].address);
    return error;
}

static struct asnap_error *name_requests(struct asnap_symbolizer *symbolizer,
                                         struct request *requests, size_t count,
                                         struct asnap_naming_progress *progress,
                                         struct asnap_named_pc *names)
{
    if (count == 0)
        return NULL;
    struct asnap_naming *namings = calloc(count, sizeof(*namings));
    if (namings == NULL)
        return asnap_error_no_memory();
    qsort(requests, count, sizeof(*requests), compare_requests);
    struct asnap_error *error = NULL;
    for (size_t first = 0, end; first < count && error == NULL; first = end) {
        end = first + 1;
        while (end < count && requests[end].module == requests[first].module)
            end++;
        error = name_module(symbolizer, &requests[first], end - first, namings, progress, names);
    }
    free(namings);
    return error;
}

static struct asnap_error *name_all(struct asnap_symbolizer *symbolizer,
                                    const uint64_t *return_addresses, size_t count,
                                    const struct asnap_progress *progress, struct request *requests,
                                    struct asnap_named_pc *names)
{
    size_t asked = 0;
    for (size_t i = 0; i < count; i++) {
        const struct asnap_named_pc *named;
        bool asks;
        struct asnap_error *error =
            resolve(symbolizer, return_addresses[i], &named, &requests[asked], &asks);
        if (error != NULL)
            return error;
        names[i] = *named;
        requests[asked].index = i;
        asked += asks;
    }
    struct asnap_naming_progress state = {
        .progress = progress, .done = count - asked, .total = count};
    return name_requests(symbolizer, requests, asked, &state, names);
}

struct asnap_error *asnap_symbolizer_name(struct asnap_symbolizer *symbolizer,
                                          const uint64_t *return_addresses, size_t count,
                                          const struct asnap_progress *progress,
                                          struct asnap_named_pc *names)
{
    if (count == 0)
        return NULL;
    struct request *requests = calloc(count, sizeof(*requests));
    struct asnap_named_pc *made = calloc(count, sizeof(*made));
    struct asnap_error *error = NULL;
    if (requests == NULL || made == NULL)
        error = asnap_error_no_memory();
    if (error == NULL)
        error = name_all(symbolizer, return_addresses, count, progress, requests, made);
    if (error == NULL)
        memcpy(names, made, count * sizeof(*names));
    free(made);
    free(requests);
    return error;
}

size_t asnap_symbolizer_note_count(const struct asnap_symbolizer *symbolizer)
{
    size_t count = 0;
    for (size_t i = 0; i < symbolizer->module_count; i++) {
        const struct known_module *known = &symbolizer->modules[i];
        count += known->is_used && asnap_module_note(known->module) != NULL;
    }
    return count;
}

const char *asnap_symbolizer_note(const struct asnap_symbolizer *symbolizer, size_t index)
{
    for (size_t i = 0; i < symbolizer->module_count; i++) {
        const struct known_module *known = &symbolizer->modules[i];
        const char *note = known->is_used ? asnap_module_note(known->module) : NULL;
        if (note != NULL && index-- == 0)
            return note;
    }
    return NULL;
}

_Static_assert(ASNAP_BUILD_ID_TEXT == 2 * ASNAP_BUILD_ID_MAX + 1, "two digits for each byte");

bool asnap_symbolizer_mapping(const struct asnap_symbolizer *symbolizer, uint64_t return_address,
                              char build_id[ASNAP_BUILD_ID_TEXT], struct asnap_mapping *mapping)
{
    static const char digits[] = "0123456789abcdef";
    const struct asnap_mapped *region =
        return_address == 0 ? NULL
                            : asnap_region_map_find(&symbolizer->regions, return_address - 1);
    if (region == NULL)
        return false;
    const struct asnap_mapped *head = asnap_region_map_head(&symbolizer->regions, region);
    size_t size = head == NULL ? 0 : head->build_id.size;
    for (size_t i = 0; i < size; i++) {
        build_id[2 * i] = digits[head->build_id.bytes[i] >> 4];
        build_id[2 * i + 1] = digits[head->build_id.bytes[i] & 0xf];
    }
    build_id[2 * size] = '\0';
    *mapping = (struct asnap_mapping){
        .start = region->start,
        .end = region->end,
        .file_offset = region->file_offset,
        .path = region->path,
        .build_id = build_id,
    };
    return true;
}
