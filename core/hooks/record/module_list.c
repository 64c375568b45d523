#include "module_list.h"

#include <stdbool.h>
#include <string.h>

#include "lock.h"
#include "pages.h"
#include "root.h"

enum { CHUNK_BYTES = ASNAP_TABLE_CHUNK_MODULES * sizeof(struct asnap_table_module) };

/* Numbers of modules are 16 bits wide. */
#define MODULES (ASNAP_TABLE_CHUNK_MODULES * ASNAP_TABLE_MODULE_CHUNKS)

static uint32_t list_lock;
static uint64_t chunks[ASNAP_TABLE_MODULE_CHUNKS];

/* Room for paths: pages that stay. */
enum { PATHS_BYTES = 16 * ASNAP_TABLE_PATH_BYTES };
static char *paths;
static size_t paths_left;

static struct asnap_table_module *module_at(uint32_t index)
{
    uint64_t chunk = chunks[index / ASNAP_TABLE_CHUNK_MODULES];
    return (struct asnap_table_module *)(uintptr_t)chunk + index % ASNAP_TABLE_CHUNK_MODULES;
}

static bool is_same(const struct asnap_table_module *known, const struct asnap_table_module *module,
                    const char *path, size_t path_bytes)
{
    return known->start == module->start && known->end == module->end &&
           known->path_bytes == path_bytes && known->build_id_bytes == module->build_id_bytes &&
           memcmp(known->build_id, module->build_id, module->build_id_bytes) == 0 &&
           memcmp((const char *)(uintptr_t)known->path, path, path_bytes) == 0;
}

/* Backwards: the newest are asked for most. */
static uint32_t find(const struct asnap_table_module *module, const char *path, size_t path_bytes)
{
    for (uint32_t i = allocsnap_root.module_count; i > 1; i--)
        if (is_same(module_at(i - 1), module, path, path_bytes))
            return i - 1;
    return 0;
}

static const char *keep_path(const char *path, size_t path_bytes)
{
    if (paths_left <= path_bytes) {
        char *more = asnap_pages_map(PATHS_BYTES);
        if (more == NULL)
            return NULL;
        paths = more;
        paths_left = PATHS_BYTES;
    }
    char *kept = paths;
    memcpy(kept, path, path_bytes);
    kept[path_bytes] = '\0';
    paths += path_bytes + 1;
    paths_left -= path_bytes + 1;
    return kept;
}

/* The first place stays empty: no module. */
static uint32_t add(const struct asnap_table_module *module, const char *path, size_t path_bytes)
{
    uint32_t index = allocsnap_root.module_count == 0 ? 1 : allocsnap_root.module_count;
    if (index >= MODULES)
        return 0;
    uint64_t *chunk = &chunks[index / ASNAP_TABLE_CHUNK_MODULES];
    if (*chunk == 0)
        __atomic_store_n(chunk, (uint64_t)(uintptr_t)asnap_pages_map(CHUNK_BYTES),
                         __ATOMIC_RELEASE);
    const char *kept = *chunk == 0 ? NULL : keep_path(path, path_bytes);
    if (kept == NULL)
        return 0;
    struct asnap_table_module *place = module_at(index);
    *place = *module;
    place->path = (uint64_t)(uintptr_t)kept;
    place->path_bytes = (uint32_t)path_bytes;
    allocsnap_root.module_chunks = (uint64_t)(uintptr_t)chunks;
    __atomic_store_n(&allocsnap_root.module_count, index + 1, __ATOMIC_RELEASE);
    return index;
}

uint32_t asnap_module_list_add(const struct asnap_table_module *module, const char *path)
{
    size_t path_bytes = strlen(path);
    if (module->start >= module->end || path_bytes > ASNAP_TABLE_PATH_BYTES ||
        module->build_id_bytes > ASNAP_TABLE_BUILD_ID_BYTES)
        return 0;
    asnap_lock(&list_lock);
    uint32_t index = find(module, path, path_bytes);
    if (index == 0)
        index = add(module, path, path_bytes);
    asnap_unlock(&list_lock);
    return index;
}

/* A place is filled before it is counted. How much room for paths is left may not fit to where it
 * is. */
void asnap_module_list_mend(const uint32_t *only)
{
    if (!asnap_lock_is_orphan(&list_lock, only))
        return;
    paths_left = 0;
    __atomic_store_n(&list_lock, 0, __ATOMIC_RELEASE);
}
