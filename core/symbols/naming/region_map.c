#include "region_map.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "open_file.h"

static const char vdso_path[] = "[vdso]";
static const char deleted_suffix[] = " (deleted)";

static int compare_regions(const void *left, const void *right)
{
    const struct asnap_mapped *a = left;
    const struct asnap_mapped *b = right;
    return (a->start > b->start) - (a->start < b->start);
}

/* "[heap]", "[stack]" and the like are no files. */
static bool is_file(const struct asnap_region *region)
{
    return region->path != NULL && region->path[0] != '\0' && region->start < region->end &&
           (region->path[0] != '[' || strcmp(region->path, vdso_path) == 0);
}

struct asnap_error *asnap_region_map_init(struct asnap_region_map *map,
                                          struct asnap_frame_store *store,
                                          const struct asnap_region *regions, size_t count)
{
    struct asnap_region_map made = {0};
    made.regions = calloc(count + 1, sizeof(*made.regions));
    if (made.regions == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < count; i++) {
        const struct asnap_region *region = &regions[i];
        if (!is_file(region))
            continue;
        struct asnap_mapped *mapped = &made.regions[made.count];
        *mapped =
            (struct asnap_mapped){.start = region->start,
                                  .end = region->end,
                                  .file_offset = region->file_offset,
                                  .is_vdso = region->path[0] == '[',
                                  .is_executable = (region->flags & ASNAP_REGION_EXECUTABLE) != 0};
        if (mapped->is_vdso)
            mapped->file_offset = 0;
        struct asnap_error *error = asnap_frame_store_string(store, region->path, &mapped->path);
        if (error != NULL) {
            asnap_region_map_deinit(&made);
            return error;
        }
        made.count++;
    }
    qsort(made.regions, made.count, sizeof(*made.regions), compare_regions);
    *map = made;
    return NULL;
}

struct asnap_mapped *asnap_region_map_find(const struct asnap_region_map *map, uint64_t address)
{
    size_t low = 0;
    size_t high = map->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (map->regions[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && map->regions[low - 1].end > address ? &map->regions[low - 1] : NULL;
}

/* Whether two paths are one but for the mark of a deleted file. */
static bool is_same_path(const char *left, const char *right)
{
    size_t length = strlen(left) < strlen(right) ? strlen(left) : strlen(right);
    const char *rest = left[length] != '\0' ? left + length : right + length;
    return strncmp(left, right, length) == 0 &&
           (*rest == '\0' || strcmp(rest, deleted_suffix) == 0);
}

static bool is_there(const char *path)
{
    int fd;
    struct stat status;
    if (asnap_open_regular(path, &fd, &status) != 0)
        return false;
    close(fd);
    return true;
}

/* Whether a copy of a module's file, which is gone, was mapped in its place: the module's own file
 * is there to name it. */
static bool is_copy_that_is_gone(const char *mapped, const char *path)
{
    return !is_same_path(mapped, path) && !is_there(mapped) && is_there(path);
}

/* Where a module begins, if it is mapped still. Paths may differ: one file has several, through
 * symbolic links. */
static const struct asnap_mapped *find_module(const struct asnap_region_map *map,
                                              const struct asnap_raw_module *module)
{
    const struct asnap_mapped *head = asnap_region_map_find(map, module->start);
    if (head == NULL || head->start != module->start || head->file_offset != 0)
        return NULL;
    bool is_same;
    if (head->is_vdso)
        is_same = true;
    else if (head->build_id.size == 0 || module->build_id_bytes == 0)
        is_same = is_same_path(head->path, module->path);
    else
        is_same = head->build_id.size == module->build_id_bytes &&
                  memcmp(head->build_id.bytes, module->build_id, module->build_id_bytes) == 0 &&
                  !is_copy_that_is_gone(head->path, module->path);
    return is_same ? head : NULL;
}

struct asnap_pc_place asnap_region_map_place(const struct asnap_region_map *map,
                                             const struct asnap_raw_module *modules,
                                             struct asnap_pc pc)
{
    /* A return address lies behind its call, which may be the last instruction of
     * its line, its function, even its section. */
    struct asnap_pc_place place = {.pc = pc.address - 1};
    if (pc.address == 0)
        return place;
    const struct asnap_mapped *region = asnap_region_map_find(map, place.pc);
    if (pc.module == 0) {
        if (region == NULL)
            return place;
        place.region = region;
        place.path = region->path;
        place.head = region->head;
        if (place.head != NULL)
            place.build_id = place.head->build_id;
        return place;
    }
    const struct asnap_raw_module *module = &modules[pc.module];
    if (place.pc < module->start || place.pc >= module->end)
        return place;
    place.module = module;
    place.head = find_module(map, module);
    place.is_unloaded = place.head == NULL;
    place.path = place.head == NULL ? module->path : place.head->path;
    /* The hooks find it wherever in the file it is. The vDSO is in no file. */
    if (place.head == NULL || !place.head->is_vdso) {
        place.build_id.size = module->build_id_bytes;
        memcpy(place.build_id.bytes, module->build_id, module->build_id_bytes);
    }
    /* Code can have been moved to memory of no file, for large pages. */
    if (place.head != NULL && region != NULL && region->path == place.head->path)
        place.region = region;
    return place;
}

void asnap_region_map_deinit(struct asnap_region_map *map)
{
    free(map->regions);
    *map = (struct asnap_region_map){0};
}
