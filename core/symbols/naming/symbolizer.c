#include "symbolizer.h"

#include <stdlib.h>
#include <string.h>

#include "build_id.h"
#include "debugger_names.h"
#include "error.h"
#include "naming_requests.h"
#include "region_heads.h"

#define DEFAULT_DEBUG_DIRECTORIES "/usr/lib/debug"
#define UNKNOWN_FILE "<unknown>"

struct asnap_symbolizer {
    struct asnap_resolver resolver;
    const struct asnap_debugger *debugger; /* NULL: none */
};

static struct asnap_error *fill(struct asnap_symbolizer *symbolizer, const char *debug_directories)
{
    struct asnap_error *error = asnap_frame_store_create(&symbolizer->resolver.store);
    if (error != NULL)
        return error;
    symbolizer->resolver.debug_directories =
        strdup(debug_directories == NULL ? DEFAULT_DEBUG_DIRECTORIES : debug_directories);
    if (symbolizer->resolver.debug_directories == NULL)
        return asnap_error_no_memory();
    static const struct asnap_frame unknown = {.filename = UNKNOWN_FILE};
    return asnap_frame_store_frames(symbolizer->resolver.store, &unknown, 1, NULL,
                                    &symbolizer->resolver.unknown);
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
    asnap_known_modules_deinit(&symbolizer->resolver.known);
    asnap_region_map_deinit(&symbolizer->resolver.regions);
    asnap_other_files_deinit(&symbolizer->resolver.others);
    asnap_frame_store_destroy(symbolizer->resolver.store);
    free(symbolizer->resolver.debug_directories);
    free(symbolizer);
}

struct asnap_resolver *asnap_symbolizer_resolver(struct asnap_symbolizer *symbolizer)
{
    return &symbolizer->resolver;
}

void asnap_symbolizer_read_apart(struct asnap_symbolizer *symbolizer, bool apart)
{
    symbolizer->resolver.reads_apart = apart;
}

/* Gives the vDSO's module its image, or none. */
static struct asnap_error *read_vdso(struct asnap_symbolizer *symbolizer,
                                     const struct asnap_memory *memory,
                                     const struct asnap_mapped *region)
{
    size_t place;
    struct asnap_error *error =
        asnap_known_modules_mapped(&symbolizer->resolver.known, symbolizer->resolver.store,
                                   region->path, &(const struct asnap_build_id){0}, &place);
    if (error != NULL)
        return error;
    char *image;
    uint64_t size = region->end - region->start;
    error = asnap_region_image(memory, region, size, &image);
    if (error == NULL)
        asnap_module_set_image(symbolizer->resolver.known.modules[place].module, image,
                               image == NULL ? 0 : (size_t)size);
    return error;
}

struct asnap_error *asnap_symbolizer_set_regions(struct asnap_symbolizer *symbolizer,
                                                 const struct asnap_memory *memory,
                                                 const struct asnap_region *regions,
                                                 size_t region_count)
{
    struct asnap_region_map map;
    struct asnap_error *error =
        asnap_region_map_init(&map, symbolizer->resolver.store, regions, region_count);
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
    asnap_region_map_deinit(&symbolizer->resolver.regions);
    symbolizer->resolver.regions = map;
    asnap_resolver_renew(&symbolizer->resolver);
    return NULL;
}

struct asnap_error *asnap_symbolizer_set_files(struct asnap_symbolizer *symbolizer,
                                               const char *const *paths, size_t count)
{
    return asnap_symbolizer_set_seen_files(symbolizer, NULL, paths, count);
}

struct asnap_error *asnap_symbolizer_set_seen_files(struct asnap_symbolizer *symbolizer,
                                                    const char *const *mapped,
                                                    const char *const *paths, size_t count)
{
    bool is_new;
    struct asnap_error *error =
        asnap_other_files_set(&symbolizer->resolver.others, mapped, paths, count, &is_new);
    if (error == NULL && is_new)
        asnap_known_modules_forget_others(&symbolizer->resolver.known);
    return error;
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
    struct asnap_error *error = asnap_resolver_known(&symbolizer->resolver, place, &known);
    if (error == NULL)
        *may = asnap_module_is_read(symbolizer->resolver.known.modules[known].module);
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
        struct asnap_pc_place place =
            asnap_region_map_place(&symbolizer->resolver.regions, modules, pcs[i]);
        bool may;
        struct asnap_error *error = may_ask(symbolizer, &place, &may);
        if (error == NULL && may) {
            if (!asnap_symbolizer_mapping(symbolizer, modules, pcs[i], build_id, &mapping))
                build_id[0] = '\0';
            error = asnap_debugger_name(symbolizer->debugger, symbolizer->resolver.store, place.pc,
                                        build_id, &names[i]);
        }
        if (error != NULL)
            return error;
    }
    return NULL;
}

static struct asnap_error *name_source(struct asnap_symbolizer *symbolizer,
                                       const struct asnap_pc_source *source,
                                       const struct asnap_pc *pcs, size_t count,
                                       const struct asnap_progress *progress,
                                       struct asnap_named_pc *names)
{
    if (count == 0)
        return NULL;
    struct asnap_name_request *requests = calloc(count, sizeof(*requests));
    struct asnap_named_pc *made = calloc(count, sizeof(*made));
    struct asnap_error *error = NULL;
    if (requests == NULL || made == NULL)
        error = asnap_error_no_memory();
    if (error == NULL)
        error = asnap_resolver_name(&symbolizer->resolver, source, pcs, count, progress, requests,
                                    made);
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
    struct asnap_pc_source source = {.modules = modules};
    return name_source(symbolizer, &source, pcs, count, progress, names);
}

struct asnap_error *asnap_symbolizer_known_pcs(struct asnap_symbolizer *symbolizer,
                                               const struct asnap_raw_module *modules,
                                               const struct asnap_pc *pcs, size_t count,
                                               struct asnap_named_pc *names)
{
    struct asnap_pc_source source = {.modules = modules, .is_known_only = true};
    return name_source(symbolizer, &source, pcs, count, NULL, names);
}

struct asnap_error *asnap_symbolizer_name_recorded(struct asnap_symbolizer *symbolizer,
                                                   const struct asnap_mapping *mappings,
                                                   const struct asnap_pc *pcs, size_t count,
                                                   const struct asnap_progress *progress,
                                                   struct asnap_named_pc *names)
{
    struct asnap_pc_source source = {.recorded = mappings};
    asnap_resolver_renew(&symbolizer->resolver);
    return name_source(symbolizer, &source, pcs, count, progress, names);
}

struct asnap_error *asnap_symbolizer_offsets(struct asnap_symbolizer *symbolizer,
                                             const struct asnap_raw_module *modules,
                                             const struct asnap_mapping *mappings,
                                             const struct asnap_pc *pcs, size_t count,
                                             uint64_t *offsets)
{
    struct asnap_pc_source source = {.modules = modules, .recorded = mappings};
    for (size_t i = 0; i < count; i++) {
        struct asnap_name_request request;
        bool has_module;
        bool is_found = false;
        struct asnap_error *error = asnap_resolver_place(&symbolizer->resolver, &source, pcs[i],
                                                         &request, &has_module, &is_found);
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
    asnap_known_modules_collect_notes(&symbolizer->resolver.known);
    return symbolizer->resolver.known.note_count;
}

const char *asnap_symbolizer_note(const struct asnap_symbolizer *symbolizer, size_t index)
{
    const struct asnap_known_modules *known = &symbolizer->resolver.known;
    return index < known->note_count ? known->notes[index] : NULL;
}

bool asnap_symbolizer_mapping(const struct asnap_symbolizer *symbolizer,
                              const struct asnap_raw_module *modules, struct asnap_pc pc,
                              char build_id[ASNAP_BUILD_ID_TEXT], struct asnap_mapping *mapping)
{
    struct asnap_pc_place place =
        asnap_region_map_place(&symbolizer->resolver.regions, modules, pc);
    if (place.region == NULL && place.module == NULL)
        return false;
    asnap_build_id_write(&place.build_id, build_id);
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

struct asnap_error *asnap_symbolizer_variable(struct asnap_symbolizer *symbolizer, uint64_t file,
                                              uint64_t offset, bool is_thread_local,
                                              struct asnap_variable *variable)
{
    struct asnap_resolver *resolver = &symbolizer->resolver;
    /* As if a call were there. */
    const struct asnap_pc pc = {.address = file + 1};
    struct asnap_pc_place place = asnap_region_map_place(&resolver->regions, NULL, pc);
    struct asnap_variable found = {0};
    struct asnap_error *error = NULL;
    size_t known;
    if (place.region != NULL && !place.region->is_vdso) {
        error = asnap_resolver_known(resolver, &place, &known);
        if (error == NULL)
            error =
                asnap_module_variable(resolver->known.modules[known].module,
                                      resolver->debug_directories, offset, is_thread_local, &found);
    }
    if (error == NULL)
        *variable = found;
    return error;
}
