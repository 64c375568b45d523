#include "raw_lists.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "chunks.h"
#include "error.h"

_Static_assert(sizeof(((struct asnap_raw_module *)0)->build_id) == ASNAP_TABLE_BUILD_ID_BYTES,
               "build IDs");

/* A list of the table: its chunks, and who is handed them. */
struct list {
    uint64_t chunks;
    uint32_t item_count;
    uint32_t per_chunk;
    size_t item_bytes;
    const char *step;
    asnap_extent_visitor *visit;
};

static struct asnap_error *read_list(struct asnap_inferior *inferior, const struct list *list,
                                     void *context)
{
    struct asnap_chunks chunks = {0};
    struct asnap_error *error =
        asnap_chunks_add(&chunks, inferior, list->chunks, list->item_count, list->per_chunk,
                         list->per_chunk * list->item_bytes, 0);
    if (error == NULL)
        error = asnap_read_extents(inferior, chunks.extents, chunks.count, list->step, list->visit,
                                   context);
    asnap_chunks_deinit(&chunks);
    return error;
}

/* ---- threads ---- */

static struct asnap_error *visit_threads(void *context, const struct asnap_extent *extent,
                                         const uint8_t *bytes, const bool *readable)
{
    struct asnap_raw *raw = context;
    size_t first = (size_t)(extent->tag & UINT32_MAX) * ASNAP_TABLE_CHUNK_THREADS;
    size_t count =
        asnap_chunks_items(extent, (uint32_t)raw->thread_count, ASNAP_TABLE_CHUNK_THREADS);
    for (size_t i = 0; i < count; i++)
        if (asnap_extent_readable(readable, extent, i * sizeof(uint32_t), sizeof(uint32_t)))
            memcpy(&raw->threads[first + i], bytes + i * sizeof(uint32_t), sizeof(uint32_t));
    return NULL;
}

struct asnap_error *asnap_threads_read(struct asnap_inferior *inferior,
                                       const struct asnap_table_root *root, struct asnap_raw *raw)
{
    if (root->thread_count == 0)
        return NULL;
    raw->threads = calloc(root->thread_count, sizeof(*raw->threads));
    if (raw->threads == NULL)
        return asnap_error_no_memory();
    raw->thread_count = root->thread_count;
    const struct list list = {.chunks = root->thread_chunks,
                              .item_count = root->thread_count,
                              .per_chunk = ASNAP_TABLE_CHUNK_THREADS,
                              .item_bytes = sizeof(uint32_t),
                              .step = "reading threads",
                              .visit = visit_threads};
    return read_list(inferior, &list, raw);
}

/* ---- modules ---- */

struct modules {
    struct asnap_inferior *inferior;
    struct asnap_raw *raw;
};

static struct asnap_error *bad_module(size_t index)
{
    return asnap_error_create(ASNAP_ERROR_DAMAGED,
                              "the table is damaged (module %zu): the program has overwritten it; "
                              "restart the program to trace it again",
                              index);
}

/* The path of a module; NULL where it cannot be read. */
static struct asnap_error *read_path(const struct modules *modules,
                                     const struct asnap_table_module *module, size_t index,
                                     char **path)
{
    const struct asnap_memory *memory = modules->inferior->memory;
    size_t bytes = module->path_bytes;
    struct asnap_error *error = NULL;
    char *text = malloc(bytes + 1);
    if (text == NULL)
        return asnap_error_no_memory();
    int result = memory->read(memory->context, module->path, text, bytes + 1);
    if (result == ASNAP_READ_INTERRUPTED)
        error = asnap_error_interrupted("reading modules");
    else if (result == ASNAP_READ_OK && memchr(text, '\0', bytes + 1) != text + bytes)
        error = bad_module(index);
    else if (result == ASNAP_READ_OK) /* of the same bytes each module would have a copy */
        error = asnap_inferior_take(modules->inferior, bytes + 1);
    if (error != NULL || result != ASNAP_READ_OK) {
        free(text);
        return error;
    }
    *path = text;
    return NULL;
}

static struct asnap_error *take_module(const struct modules *modules,
                                       const struct asnap_table_module *module, size_t index)
{
    struct asnap_raw_module *taken = &modules->raw->modules[index];
    char *path = NULL;
    if (module->start >= module->end || module->path_bytes > ASNAP_TABLE_PATH_BYTES ||
        module->build_id_bytes > ASNAP_TABLE_BUILD_ID_BYTES)
        return bad_module(index);
    struct asnap_error *error = read_path(modules, module, index, &path);
    if (error != NULL || path == NULL)
        return error;
    taken->start = module->start;
    taken->end = module->end;
    taken->path = path;
    taken->build_id_bytes = module->build_id_bytes;
    memcpy(taken->build_id, module->build_id, module->build_id_bytes);
    return NULL;
}

static struct asnap_error *visit_modules(void *context, const struct asnap_extent *extent,
                                         const uint8_t *bytes, const bool *readable)
{
    const struct modules *modules = context;
    size_t first = (size_t)(extent->tag & UINT32_MAX) * ASNAP_TABLE_CHUNK_MODULES;
    size_t count =
        asnap_chunks_items(extent, (uint32_t)modules->raw->module_count, ASNAP_TABLE_CHUNK_MODULES);
    struct asnap_error *error = NULL;
    for (size_t i = first == 0 ? 1 : 0; i < count && error == NULL; i++) {
        struct asnap_table_module module;
        if (!asnap_extent_readable(readable, extent, i * sizeof(module), sizeof(module)))
            continue;
        memcpy(&module, bytes + i * sizeof(module), sizeof(module));
        error = take_module(modules, &module, first + i);
    }
    return error;
}

struct asnap_error *asnap_modules_read(struct asnap_inferior *inferior,
                                       const struct asnap_table_root *root, struct asnap_raw *raw)
{
    if (root->module_count == 0)
        return NULL;
    raw->modules = calloc(root->module_count, sizeof(*raw->modules));
    if (raw->modules == NULL)
        return asnap_error_no_memory();
    raw->module_count = root->module_count;
    struct modules modules = {.inferior = inferior, .raw = raw};
    const struct list list = {.chunks = root->module_chunks,
                              .item_count = root->module_count,
                              .per_chunk = ASNAP_TABLE_CHUNK_MODULES,
                              .item_bytes = sizeof(struct asnap_table_module),
                              .step = "reading modules",
                              .visit = visit_modules};
    return read_list(inferior, &list, &modules);
}
