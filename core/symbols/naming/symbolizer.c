#include "symbolizer.h"

#include <stdlib.h>
#include <string.h>

#include "debugger_names.h"
#include "error.h"
#include "fallback_names.h"
#include "known_modules.h"
#include "region_heads.h"
#include "region_map.h"

#define DEFAULT_DEBUG_DIRECTORIES "/usr/lib/debug"
#define UNKNOWN_FILE "<unknown>"

/* The build ID of what is not known to have one. */
static const struct asnap_build_id unknown_build;

struct asnap_symbolizer {
    char *debug_directories;
    struct asnap_frame_store *store;
    const struct asnap_named_pc *unknown;
    struct asnap_region_map regions;
    struct asnap_other_files others;
    struct asnap_known_modules known;
    const struct asnap_debugger *debugger; /* NULL: none */
    bool reads_apart;
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

void asnap_symbolizer_destroy(struct asnap_symbolizer *symbolizer)
{
    if (symbolizer == NULL)
        return;
    asnap_known_modules_deinit(&symbolizer->known);
    asnap_region_map_deinit(&symbolizer->regions);
    asnap_other_files_deinit(&symbolizer->others);
    asnap_frame_store_destroy(symbolizer->store);
    free(symbolizer->debug_directories);
    free(symbolizer);
}

void asnap_symbolizer_read_apart(struct asnap_symbolizer *symbolizer, bool apart)
{
    symbolizer->reads_apart = apart;
}

/* Gives the vDSO's module its image, or none. */
static struct asnap_error *read_vdso(struct asnap_symbolizer *symbolizer,
                                     const struct asnap_memory *memory,
                                     const struct asnap_mapped *region)
{
    size_t place;
    struct asnap_error *error = asnap_known_modules_mapped(&symbolizer->known, symbolizer->store,
                                                           region->path, &unknown_build, &place);
    if (error != NULL)
        return error;
    char *image;
    uint64_t size = region->end - region->start;
    error = asnap_region_image(memory, region, size, &image);
    if (error == NULL)
        asnap_module_set_image(symbolizer->known.modules[place].module, image,
                               image == NULL ? 0 : (size_t)size);
    return error;
}

/* Has every file looked at again before it is used. */
static void renew(struct asnap_symbolizer *symbolizer)
{
    asnap_other_files_renew(&symbolizer->others);
    asnap_known_modules_renew(&symbolizer->known);
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
    error = asnap_region_heads_find(&map, memory);
    for (size_t i = 0; i < map.count && error == NULL; i++) {
        if (map.regions[i].is_vdso)
            error = read_vdso(symbolizer, memory, &map.regions[i]);
    }
    if (error != NULL) {
        asnap_region_map_deinit(&map);
        return error;
    }
    asnap_region_map_deinit(&symbolizer->regions);
    symbolizer->regions = map;
    renew(symbolizer);
    return NULL;
}

struct asnap_error *asnap_symbolizer_set_files(struct asnap_symbolizer *symbolizer,
                                               const char *const *paths, size_t count)
{
    bool is_new;
    struct asnap_error *error = asnap_other_files_set(&symbolizer->others, paths, count, &is_new);
    if (error == NULL && is_new)
        asnap_known_modules_forget_others(&symbolizer->known);
    return error;
}

/* An address to be named, and where it goes. */
struct request {
    uint64_t address; /* link-time */
    size_t module;    /* place in `known` */
    size_t index;     /* in the caller's list */
};

/* Has a module look at its file, once for each time that the regions are set. */
static struct asnap_error *refresh(struct asnap_symbolizer *symbolizer, size_t place,
                                   const struct asnap_build_id *build_id)
{
    struct asnap_known_module *known = &symbolizer->known.modules[place];
    if (!known->is_fresh) {
        struct asnap_error *error =
            asnap_module_refresh(known->module, build_id, &symbolizer->others);
        if (error != NULL)
            return error;
        known->is_fresh = true;
    }
    known->is_used = true;
    return NULL;
}

/* The known module of a place in a file, looked at. */
static struct asnap_error *find_known(struct asnap_symbolizer *symbolizer,
                                      const struct asnap_pc_place *place, size_t *known)
{
    const char *path;
    struct asnap_error *error = asnap_frame_store_string(symbolizer->store, place->path, &path);
    if (error == NULL)
        error = (place->is_unloaded ? asnap_known_modules_unloaded : asnap_known_modules_mapped)(
            &symbolizer->known, symbolizer->store, path, &place->build_id, known);
    return error != NULL ? error : refresh(symbolizer, *known, &place->build_id);
}

/* The module and the link-time address of a pc in a file that is mapped, or was; `is_found` is
 * false where it has none. */
static struct asnap_error *resolve_file(struct asnap_symbolizer *symbolizer,
                                        const struct asnap_pc_place *place, struct request *request,
                                        bool *is_found)
{
    struct asnap_error *error = find_known(symbolizer, place, &request->module);
    if (error != NULL)
        return error;
    struct asnap_module *module = symbolizer->known.modules[request->module].module;
    const struct asnap_raw_module *noted = place->module;
    if (noted != NULL)
        return asnap_module_address_of_loaded(module, place->pc - noted->start,
                                              noted->end - noted->start, &request->address,
                                              is_found);
    uint64_t offset = place->pc - place->region->start + place->region->file_offset;
    *is_found = asnap_module_address(module, offset, &request->address);
    return NULL;
}

static unsigned digit_value(char digit)
{
    return (unsigned)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
}

/* A build ID in hexadecimal; one that is none is not known. */
static struct asnap_build_id read_build_id_text(const char *text)
{
    struct asnap_build_id build_id = {0};
    size_t length = strlen(text);
    if (length % 2 != 0 || length > 2 * sizeof(build_id.bytes) ||
        strspn(text, "0123456789abcdefABCDEF") != length)
        return build_id;
    for (size_t i = 0; i < length; i += 2)
        build_id.bytes[build_id.size++] =
            (unsigned char)(digit_value(text[i]) << 4 | digit_value(text[i + 1]));
    return build_id;
}

/* The same of a pc in what was mapped once. */
static struct asnap_error *resolve_recorded(struct asnap_symbolizer *symbolizer, uint64_t pc,
                                            const struct asnap_mapping *mapping,
                                            struct request *request, bool *is_found)
{
    struct asnap_build_id build_id = read_build_id_text(mapping->build_id);
    const char *path;
    struct asnap_error *error = asnap_frame_store_string(symbolizer->store, mapping->path, &path);
    if (error == NULL)
        error = asnap_known_modules_unloaded(&symbolizer->known, symbolizer->store, path, &build_id,
                                             &request->module);
    if (error == NULL)
        error = refresh(symbolizer, request->module, &build_id);
    if (error != NULL)
        return error;
    struct asnap_module *module = symbolizer->known.modules[request->module].module;
    uint64_t offset = pc - mapping->start;
    if (mapping->file_offset == ASNAP_WHOLE_FILE)
        return asnap_module_address_of_loaded(module, offset, mapping->end - mapping->start,
                                              &request->address, is_found);
    *is_found = asnap_module_address(module, offset + mapping->file_offset, &request->address);
    return NULL;
}

/* What return addresses are in. */
struct source {
    const struct asnap_raw_module *modules;
    const struct asnap_mapping *recorded; /* NULL: what is mapped now, and the modules */
    bool is_known_only;                   /* nothing is looked up */
};

/* The module and the link-time address of a pc. Where that is not found in the file it is told
 * by the program headers in memory; else it is 0. */
static struct asnap_error *resolve_place(struct asnap_symbolizer *symbolizer,
                                         const struct source *source, struct asnap_pc pc,
                                         struct request *request, bool *has_module, bool *is_found)
{
    *has_module = true;
    request->address = 0;
    if (source->recorded != NULL)
        return resolve_recorded(symbolizer, pc.address - 1, &source->recorded[pc.module], request,
                                is_found);
    struct asnap_pc_place place = asnap_region_map_place(&symbolizer->regions, source->modules, pc);
    *has_module = place.region != NULL || place.module != NULL;
    if (!*has_module)
        return NULL;
    struct asnap_error *error = resolve_file(symbolizer, &place, request, is_found);
    if (!*is_found && place.head != NULL && place.head->has_link_start && !place.is_unloaded)
        request->address = place.head->link_start + (place.pc - place.head->start);
    return error;
}

/* The name of an address in a module whose file is not there: its offset. */
static struct asnap_error *name_by_offset(struct asnap_symbolizer *symbolizer,
                                          const struct asnap_named_pc *unnamed, uint64_t offset,
                                          const struct asnap_named_pc **named)
{
    struct asnap_fallback_names names = {.store = symbolizer->store};
    struct asnap_frame frame = unnamed->frames[0];
    frame.named_by = ASNAP_NAMED_NONE;
    struct asnap_error *error =
        asnap_fallback_by_offset(&names, frame.filename, offset, &frame.function);
    return error != NULL ? error : asnap_frame_store_frames(symbolizer->store, &frame, 1, named);
}

/* Answers what needs no look at a file; else fills `request`, and sets `asks`. */
static struct asnap_error *resolve(struct asnap_symbolizer *symbolizer, const struct source *source,
                                   struct asnap_pc pc, const struct asnap_named_pc **named,
                                   struct request *request, bool *asks)
{
    bool has_module;
    bool is_found = false;
    *named = symbolizer->unknown;
    *asks = false;
    struct asnap_error *error =
        resolve_place(symbolizer, source, pc, request, &has_module, &is_found);
    if (error != NULL || !has_module)
        return error;
    const struct asnap_module *module = symbolizer->known.modules[request->module].module;
    *named = asnap_module_unnamed(module);
    if (!is_found && request->address != 0)
        return name_by_offset(symbolizer, *named, request->address, named);
    if (!is_found)
        return NULL;
    const struct asnap_named_pc *found = asnap_module_known(module, request->address);
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
                                       struct asnap_apart *apart, const struct request *requests,
                                       size_t count, struct asnap_naming *namings,
                                       struct asnap_naming_progress *progress,
                                       struct asnap_named_pc *names)
{
    struct asnap_module *module = symbolizer->known.modules[requests[0].module].module;
    size_t distinct = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || requests[i].address != requests[i - 1].address)
            namings[distinct++] = (struct asnap_naming){.address = requests[i].address};
    }
    progress->done += count - distinct;
    struct asnap_error *error = asnap_module_name(module, symbolizer->debug_directories, apart,
                                                  requests[0].module, namings, distinct, progress);
    for (size_t i = 0; i < count && error == NULL && !asnap_apart_is_child(apart); i++)
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
    struct asnap_apart apart = {.is_wanted = symbolizer->reads_apart};
    struct asnap_error *error = NULL;
    for (size_t first = 0, end; first < count && error == NULL; first = end) {
        end = first + 1;
        while (end < count && requests[end].module == requests[first].module)
            end++;
        error = name_module(symbolizer, &apart, &requests[first], end - first, namings, progress,
                            names);
    }
    asnap_apart_end(&apart);
    free(namings);
    return error;
}

static struct asnap_error *name_all(struct asnap_symbolizer *symbolizer,
                                    const struct source *source, const struct asnap_pc *pcs,
                                    size_t count, const struct asnap_progress *progress,
                                    struct request *requests, struct asnap_named_pc *names)
{
    size_t asked = 0;
    for (size_t i = 0; i < count; i++) {
        const struct asnap_named_pc *named;
        bool asks;
        struct asnap_error *error =
            resolve(symbolizer, source, pcs[i], &named, &requests[asked], &asks);
        if (error != NULL)
            return error;
        if (!asks || !source->is_known_only)
            names[i] = *named;
        requests[asked].index = i;
        asked += asks && !source->is_known_only;
    }
    struct asnap_naming_progress state = {
        .progress = progress, .done = count - asked, .total = count};
    return name_requests(symbolizer, requests, asked, &state, names);
}

void asnap_symbolizer_set_debugger(struct asnap_symbolizer *symbolizer,
                                   const struct asnap_debugger *debugger)
{
    symbolizer->debugger = debugger;
}

/* Whether the debugger may name what lies there: where the file is missing or another build it
 * may have read the wrong one, too. */
static struct asnap_error *may_ask(struct asnap_symbolizer *symbolizer,
                                   const struct asnap_pc_place *place, bool *may)
{
    size_t known;
    *may = false;
    if (place->is_unloaded)
        return NULL;
    if (place->region == NULL && place->module == NULL) {
        *may = true;
        return NULL;
    }
    struct asnap_error *error = find_known(symbolizer, place, &known);
    if (error == NULL)
        *may = asnap_module_is_read(symbolizer->known.modules[known].module);
    return error;
}

/* Asks the debugger for what has no line. */
static struct asnap_error *name_by_debugger(struct asnap_symbolizer *symbolizer,
                                            const struct asnap_raw_module *modules,
                                            const struct asnap_pc *pcs, size_t count,
                                            struct asnap_named_pc *names)
{
    char build_id[ASNAP_BUILD_ID_TEXT];
    struct asnap_mapping mapping;
    for (size_t i = 0; i < count && symbolizer->debugger != NULL; i++) {
        if (names[i].frames[0].lineno != 0)
            continue;
        struct asnap_pc_place place = asnap_region_map_place(&symbolizer->regions, modules, pcs[i]);
        bool may;
        struct asnap_error *error = may_ask(symbolizer, &place, &may);
        if (error == NULL && may) {
            if (!asnap_symbolizer_mapping(symbolizer, modules, pcs[i], build_id, &mapping))
                build_id[0] = '\0';
            error = asnap_debugger_name(symbolizer->debugger, symbolizer->store, place.pc, build_id,
                                        &names[i]);
        }
        if (error != NULL)
            return error;
    }
    return NULL;
}

static struct asnap_error *name_source(struct asnap_symbolizer *symbolizer,
                                       const struct source *source, const struct asnap_pc *pcs,
                                       size_t count, const struct asnap_progress *progress,
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
        error = name_all(symbolizer, source, pcs, count, progress, requests, made);
    if (error == NULL && source->recorded == NULL && !source->is_known_only)
        error = name_by_debugger(symbolizer, source->modules, pcs, count, made);
    if (error == NULL)
        memcpy(names, made, count * sizeof(*names));
    free(made);
    free(requests);
    return error;
}

struct asnap_error *asnap_symbolizer_name_pcs(struct asnap_symbolizer *symbolizer,
                                              const struct asnap_raw_module *modules,
                                              const struct asnap_pc *pcs, size_t count,
                                              const struct asnap_progress *progress,
                                              struct asnap_named_pc *names)
{
    struct source source = {.modules = modules};
    return name_source(symbolizer, &source, pcs, count, progress, names);
}

struct asnap_error *asnap_symbolizer_known_pcs(struct asnap_symbolizer *symbolizer,
                                               const struct asnap_raw_module *modules,
                                               const struct asnap_pc *pcs, size_t count,
                                               struct asnap_named_pc *names)
{
    struct source source = {.modules = modules, .is_known_only = true};
    return name_source(symbolizer, &source, pcs, count, NULL, names);
}

struct asnap_error *asnap_symbolizer_name_recorded(struct asnap_symbolizer *symbolizer,
                                                   const struct asnap_mapping *mappings,
                                                   const struct asnap_pc *pcs, size_t count,
                                                   const struct asnap_progress *progress,
                                                   struct asnap_named_pc *names)
{
    struct source source = {.recorded = mappings};
    renew(symbolizer);
    return name_source(symbolizer, &source, pcs, count, progress, names);
}

struct asnap_error *asnap_symbolizer_offsets(struct asnap_symbolizer *symbolizer,
                                             const struct asnap_raw_module *modules,
                                             const struct asnap_mapping *mappings,
                                             const struct asnap_pc *pcs, size_t count,
                                             uint64_t *offsets)
{
    struct source source = {.modules = modules, .recorded = mappings};
    for (size_t i = 0; i < count; i++) {
        struct request request;
        bool has_module;
        bool is_found = false;
        struct asnap_error *error =
            resolve_place(symbolizer, &source, pcs[i], &request, &has_module, &is_found);
        if (error != NULL)
            return error;
        offsets[i] = has_module ? request.address : 0;
    }
    return NULL;
}

struct asnap_error *asnap_symbolizer_name(struct asnap_symbolizer *symbolizer,
                                          const uint64_t *return_addresses, size_t count,
                                          const struct asnap_progress *progress,
                                          struct asnap_named_pc *names)
{
    struct asnap_pc *pcs = calloc(count + 1, sizeof(*pcs));
    if (pcs == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < count; i++)
        pcs[i].address = return_addresses[i];
    struct asnap_error *error =
        asnap_symbolizer_name_pcs(symbolizer, NULL, pcs, count, progress, names);
    free(pcs);
    return error;
}

size_t asnap_symbolizer_note_count(struct asnap_symbolizer *symbolizer)
{
    asnap_known_modules_collect_notes(&symbolizer->known);
    return symbolizer->known.note_count;
}

const char *asnap_symbolizer_note(const struct asnap_symbolizer *symbolizer, size_t index)
{
    const struct asnap_known_modules *known = &symbolizer->known;
    return index < known->note_count ? known->notes[index] : NULL;
}

_Static_assert(ASNAP_BUILD_ID_TEXT == 2 * ASNAP_BUILD_ID_MAX + 1, "two digits for each byte");

static void write_build_id(const unsigned char *bytes, size_t size, char text[ASNAP_BUILD_ID_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 0xf];
    }
    text[2 * size] = '\0';
}

bool asnap_symbolizer_mapping(const struct asnap_symbolizer *symbolizer,
                              const struct asnap_raw_module *modules, struct asnap_pc pc,
                              char build_id[ASNAP_BUILD_ID_TEXT], struct asnap_mapping *mapping)
{
    struct asnap_pc_place place = asnap_region_map_place(&symbolizer->regions, modules, pc);
    if (place.region == NULL && place.module == NULL)
        return false;
    write_build_id(place.build_id.bytes, place.build_id.size, build_id);
    if (place.region == NULL) {
        *mapping = (struct asnap_mapping){
            .start = place.module->start,
            .end = place.module->end,
            .file_offset = ASNAP_WHOLE_FILE,
            .path = place.is_unloaded ? place.module->path : place.head->path,
            .build_id = build_id,
        };
        return true;
    }
    *mapping = (struct asnap_mapping){
        .start = place.region->start,
        .end = place.region->end,
        .file_offset = place.region->file_offset,
        .path = place.region->path,
        .build_id = build_id,
    };
    return true;
}
