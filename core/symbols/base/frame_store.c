#include "frame_store.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

#define BLOCK_BYTES ((size_t)64 * 1024)

/* Memory that is handed out piece by piece and freed all at once. */
struct block {
    struct block *older;
    size_t used;
    size_t size;
    max_align_t bytes[];
};

struct asnap_frame_store {
    struct block *newest;
    const char **strings; /* hash set; NULL: the place is free */
    size_t string_count;
    size_t string_capacity; /* a power of two */
};

struct asnap_error *asnap_frame_store_create(struct asnap_frame_store **store)
{
    struct asnap_frame_store *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    made->string_capacity = 256;
    made->strings = calloc(made->string_capacity, sizeof(*made->strings));
    if (made->strings == NULL) {
        free(made);
        return asnap_error_no_memory();
    }
    *store = made;
    return NULL;
}

void asnap_frame_store_destroy(struct asnap_frame_store *store)
{
    if (store == NULL)
        return;
    while (store->newest != NULL) {
        struct block *older = store->newest->older;
        free(store->newest);
        store->newest = older;
    }
    free(store->strings);
    free(store);
}

/* NULL: no memory. */
static void *allocate(struct asnap_frame_store *store, size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
    struct block *block = store->newest;
    if (block == NULL || block->size - block->used < size) {
        size_t block_size = size > BLOCK_BYTES ? size : BLOCK_BYTES;
        block = malloc(sizeof(*block) + block_size);
        if (block == NULL)
            return NULL;
        *block = (struct block){.older = store->newest, .size = block_size};
        store->newest = block;
    }
    void *piece = (char *)block->bytes + block->used;
    block->used += size;
    return piece;
}

static size_t string_place(const char **strings, size_t capacity, const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *c = text; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    size_t place = (size_t)(hash ^ (hash >> 32)) & (capacity - 1);
    while (strings[place] != NULL && strcmp(strings[place], text) != 0)
        place = (place + 1) & (capacity - 1);
    return place;
}

static struct asnap_error *grow_strings(struct asnap_frame_store *store)
{
    size_t capacity = store->string_capacity * 2;
    const char **strings = calloc(capacity, sizeof(*strings));
    if (strings == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < store->string_capacity; i++) {
        if (store->strings[i] != NULL)
            strings[string_place(strings, capacity, store->strings[i])] = store->strings[i];
    }
    free(store->strings);
    store->strings = strings;
    store->string_capacity = capacity;
    return NULL;
}

struct asnap_error *asnap_frame_store_string(struct asnap_frame_store *store, const char *text,
                                             const char **kept)
{
    if (store->string_count >= store->string_capacity / 2) {
        struct asnap_error *error = grow_strings(store);
        if (error != NULL)
            return error;
    }
    size_t place = string_place(store->strings, store->string_capacity, text);
    if (store->strings[place] == NULL) {
        size_t size = strlen(text) + 1;
        char *copy = allocate(store, size);
        if (copy == NULL)
            return asnap_error_no_memory();
        memcpy(copy, text, size);
        store->strings[place] = copy;
        store->string_count++;
    }
    *kept = store->strings[place];
    return NULL;
}

struct asnap_error *asnap_frame_store_frames(struct asnap_frame_store *store,
                                             const struct asnap_frame *frames, size_t count,
                                             const char *allocates,
                                             const struct asnap_named_pc **kept)
{
    if (count > SIZE_MAX / sizeof(*frames) / 2)
        return asnap_error_no_memory();
    struct asnap_named_pc *named = allocate(store, sizeof(*named));
    struct asnap_frame *copy = allocate(store, count * sizeof(*frames));
    if (named == NULL || copy == NULL)
        return asnap_error_no_memory();
    memcpy(copy, frames, count * sizeof(*frames));
    *named = (struct asnap_named_pc){.frames = copy, .frame_count = count, .allocates = allocates};
    *kept = named;
    return NULL;
}
