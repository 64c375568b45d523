#include "naming_requests.h"

#include <stdlib.h>

#include "build_id.h"
#include "error.h"
#include "fallback_names.h"

/* Has every file looked at again before it is used. */
void asnap_resolver_renew(struct asnap_resolver *resolver)
{
    asnap_other_files_renew(&resolver->others);
    asnap_known_modules_renew(&resolver->known);
}

/* Has a module look at its file, once for each time that the regions are set. */
static struct asnap_error *refresh(struct asnap_resolver *resolver, size_t place,
                                   const struct asnap_build_id *build_id)
{
    struct asnap_known_module *known = &resolver->known.modules[place];
    if (!known->is_fresh) {
        struct asnap_error *error =
            asnap_module_refresh(known->module, build_id, &resolver->others);
        if (error != NULL)
            return error;
        known->is_fresh = true;
    }
    known->is_used = true;
    return NULL;
}

struct asnap_error *asnap_resolver_known(struct asnap_resolver *resolver,
                                         const struct asnap_pc_place *place, size_t *known)
{
    const char *path;
    struct asnap_error *error = asnap_frame_store_string(resolver->store, place->path, &path);
    if (error == NULL)
        error = (place->is_unloaded ? asnap_known_modules_unloaded : asnap_known_modules_mapped)(
            &resolver->known, resolver->store, path, &place->build_id, known);
    return error != NULL ? error : refresh(resolver, *known, &place->build_id);
}

/* The module and the link-time address of a pc in a file that is mapped, or was; `is_found` is
 * false where it has none. */
static struct asnap_error *resolve_file(struct asnap_resolver *resolver,
                                        const struct asnap_pc_place *place,
                                        struct asnap_name_request *request, bool *is_found)
{
    struct asnap_error *error = asnap_resolver_known(resolver, place, &request->module);
    if (error != NULL)
        return error;
    struct asnap_module *module = resolver->known.modules[request->module].module;
    const struct asnap_raw_module *noted = place->module;
    if (noted != NULL)
        return asnap_module_address_of_loaded(module, place->pc - noted->start,
                                              noted->end - noted->start, &request->address,
                                              is_found);
    uint64_t offset = place->pc - place->region->start + place->region->file_offset;
    *is_found = asnap_module_address(module, offset, &request->address);
    return NULL;
}

/* The same of a pc in what was mapped once. */
static struct asnap_error *resolve_recorded(struct asnap_resolver *resolver, uint64_t pc,
                                            const struct asnap_mapping *mapping,
                                            struct asnap_name_request *request, bool *is_found)
{
    struct asnap_build_id build_id = asnap_build_id_read(mapping->build_id);
    const char *path;
    struct asnap_error *error = asnap_frame_store_string(resolver->store, mapping->path, &path);
    if (error == NULL)
        error = asnap_known_modules_unloaded(&resolver->known, resolver->store, path, &build_id,
                                             &request->module);
    if (error == NULL)
        error = refresh(resolver, request->module, &build_id);
    if (error != NULL)
        return error;
    struct asnap_module *module = resolver->known.modules[request->module].module;
    uint64_t offset = pc - mapping->start;
    if (mapping->file_offset == ASNAP_WHOLE_FILE)
        return asnap_module_address_of_loaded(module, offset, mapping->end - mapping->start,
                                              &request->address, is_found);
    *is_found = asnap_module_address(module, offset + mapping->file_offset, &request->address);
    return NULL;
}

struct asnap_error *asnap_resolver_place(struct asnap_resolver *resolver,
                                         const struct asnap_pc_source *source, struct asnap_pc pc,
                                         struct asnap_name_request *request, bool *has_module,
                                         bool *is_found)
{
    *has_module = true;
    request->address = 0;
    if (source->recorded != NULL)
        return resolve_recorded(resolver, pc.address - 1, &source->recorded[pc.module], request,
                                is_found);
    struct asnap_pc_place place = asnap_region_map_place(&resolver->regions, source->modules, pc);
    *has_module = place.region != NULL || place.module != NULL;
    if (!*has_module)
        return NULL;
    struct asnap_error *error = resolve_file(resolver, &place, request, is_found);
    if (!*is_found && place.head != NULL && place.head->has_link_start && !place.is_unloaded)
        request->address = place.head->link_start + (place.pc - place.head->start);
    return error;
}

/* The name of an address in a module whose file is not there: its offset. */
static struct asnap_error *name_by_offset(struct asnap_resolver *resolver,
                                          const struct asnap_named_pc *unnamed, uint64_t offset,
                                          const struct asnap_named_pc **named)
{
    struct asnap_fallback_names names = {.store = resolver->store};
    struct asnap_frame frame = unnamed->frames[0];
    frame.named_by = ASNAP_NAMED_NONE;
    struct asnap_error *error =
        asnap_fallback_by_offset(&names, frame.filename, offset, &frame.function);
    return error != NULL ? error
                         : asnap_frame_store_frames(resolver->store, &frame, 1, NULL, named);
}

/* Answers what needs no look at a file; else fills `request`, and sets `asks`. */
static struct asnap_error *resolve(struct asnap_resolver *resolver,
                                   const struct asnap_pc_source *source, struct asnap_pc pc,
                                   const struct asnap_named_pc **named,
                                   struct asnap_name_request *request, bool *asks)
{
    bool has_module;
    bool is_found = false;
    *named = resolver->unknown;
    *asks = false;
    struct asnap_error *error =
        asnap_resolver_place(resolver, source, pc, request, &has_module, &is_found);
    if (error != NULL || !has_module)
        return error;
    const struct asnap_module *module = resolver->known.modules[request->module].module;
    *named = asnap_module_unnamed(module);
    if (!is_found && request->address != 0)
        return name_by_offset(resolver, *named, request->address, named);
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
    const struct asnap_name_request *a = left;
    const struct asnap_name_request *b = right;
    if (a->module != b->module)
        return a->module < b->module ? -1 : 1;
    return (a->address > b->address) - (a->address < b->address);
}

/* Names sorted requests of one module. `namings` has room for `count`. */
static struct asnap_error *name_module(struct asnap_resolver *resolver, struct asnap_apart *apart,
                                       const struct asnap_name_request *requests, size_t count,
                                       struct asnap_naming *namings,
                                       struct asnap_naming_progress *progress,
                                       struct asnap_named_pc *names)
{
    struct asnap_module *module = resolver->known.modules[requests[0].module].module;
    size_t distinct = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || requests[i].address != requests[i - 1].address)
            namings[distinct++] = (struct asnap_naming){.address = requests[i].address};
    }
    progress->done += count - distinct;
    struct asnap_error *error = asnap_module_name(module, resolver->debug_directories, apart,
                                                  requests[0].module, namings, distinct, progress);
    for (size_t i = 0; i < count && error == NULL && !asnap_apart_is_child(apart); i++)
        names[requests[i].index] = *asnap_module_known(module, requests[i].address);
    return error;
}

static struct asnap_error *name_requests(struct asnap_resolver *resolver,
                                         struct asnap_name_request *requests, size_t count,
                                         struct asnap_naming_progress *progress,
                                         struct asnap_named_pc *names)
{
    if (count == 0)
        return NULL;
    struct asnap_naming *namings = calloc(count, sizeof(*namings));
    if (namings == NULL)
        return asnap_error_no_memory();
    qsort(requests, count, sizeof(*requests), compare_requests);
    struct asnap_apart apart = {.is_wanted = resolver->reads_apart};
    struct asnap_error *error = NULL;
    for (size_t first = 0, end; first < count && error == NULL; first = end) {
        end = first + 1;
        while (end < count && requests[end].module == requests[first].module)
            end++;
        error =
            name_module(resolver, &apart, &requests[first], end - first, namings, progress, names);
    }
    asnap_apart_end(&apart);
    free(namings);
    return error;
}

struct asnap_error *
asnap_resolver_name(struct asnap_resolver *resolver, const struct asnap_pc_source *source,
                    const struct asnap_pc *pcs, size_t count, const struct asnap_progress *progress,
                    struct asnap_name_request *requests, struct asnap_named_pc *names)
{
    size_t asked = 0;
    for (size_t i = 0; i < count; i++) {
        const struct asnap_named_pc *named;
        bool asks;
        struct asnap_error *error =
            resolve(resolver, source, pcs[i], &named, &requests[asked], &asks);
        if (error != NULL)
            return error;
        if (!asks || !source->is_known_only)
            names[i] = *named;
        requests[asked].index = i;
        asked += asks && !source->is_known_only;
    }
    struct asnap_naming_progress state = {
        .progress = progress, .done = count - asked, .total = count};
    return name_requests(resolver, requests, asked, &state, names);
}
