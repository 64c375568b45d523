/* The vtables that blocks begin with, and the types of Python's objects. */
#include <stdlib.h>
#include <string.h>

#include "block_index.h"
#include "block_types.h"
#include "error.h"
#include "python_types.h"
#include "snapshot.h"
#include "vtables.h"
#include "word_window.h"

/* Words of a block that are looked at: two of an array's cookie, and the first object's, or what
 * Python has at the start of a block. */
enum { WORDS = ASNAP_PYTHON_WORDS };

struct asnap_vtable_list {
    uint64_t *blocks;  /* addresses of blocks with an object, ascending */
    uint64_t *vtables; /* of each; after `number`, of each vtable, ascending, each once */
    uint32_t *numbers; /* of each block: which of the vtables */
    size_t block_count;
    size_t capacity;
    uint32_t vtable_count;
    struct asnap_python_types python;
};

/* Whether a block of `size` bytes is an array of `count` equal objects after `cookie` bytes
 * (Itanium C++ ABI, 2.7). */
static bool is_array(uint64_t size, uint64_t cookie, uint64_t count)
{
    return size > cookie && count != 0 && (size - cookie) % count == 0 &&
           (size - cookie) / count >= 8;
}

/* The vtable of the object, or of the array of objects, in a block that begins with these words; 0:
 * there is none. */
static uint64_t vtable_of(struct asnap_vtables *vtables, uint64_t size, const uint64_t *words,
                          size_t count)
{
    if (count > 0 && asnap_vtables_has(vtables, words[0]))
        return words[0];
    if (count > 1 && is_array(size, 8, words[0]) && asnap_vtables_has(vtables, words[1]))
        return words[1];
    /* Objects that want 16 bytes' alignment: the number stands right before them. */
    if (count > 2 && is_array(size, 16, words[1]) && asnap_vtables_has(vtables, words[2]))
        return words[2];
    return 0;
}

static struct asnap_error *add(struct asnap_vtable_list *list, uint64_t block, uint64_t vtable)
{
    if (list->block_count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 1024 : 2 * list->capacity;
        uint64_t *blocks = reallocarray(list->blocks, capacity, sizeof(*blocks));
        if (blocks != NULL)
            list->blocks = blocks;
        uint64_t *found = reallocarray(list->vtables, capacity, sizeof(*found));
        if (found != NULL)
            list->vtables = found;
        if (blocks == NULL || found == NULL)
            return asnap_error_no_memory();
        list->capacity = capacity;
    }
    list->blocks[list->block_count] = block;
    list->vtables[list->block_count++] = vtable;
    return NULL;
}

static struct asnap_error *read_blocks(struct asnap_vtable_list *list,
                                       const struct asnap_block_index *index,
                                       struct asnap_vtables *vtables,
                                       struct asnap_word_window *window)
{
    struct asnap_error *error = NULL;
    for (uint32_t i = 0; error == NULL && i < index->count; i++) {
        const struct asnap_graph_block *block = &index->blocks[i];
        uint64_t words[WORDS] = {0};
        const uint8_t *bytes;
        size_t available;
        uint64_t size = block->end - block->start;
        size_t wanted = size < sizeof(words) ? (size_t)size : sizeof(words);
        error = asnap_word_window_at(window, block->start, wanted, block->start + wanted,
                                     index->highest, &bytes, &available);
        if (error != NULL)
            break;
        size_t count = bytes == NULL ? 0 : (available < wanted ? available : wanted) / 8;
        if (count == 0 || block->start % 8 != 0)
            continue;
        memcpy(words, bytes, count * 8);
        uint64_t vtable = vtable_of(vtables, size, words, count);
        if (vtable == 0)
            error = asnap_python_types_of(&list->python, size, words, count, &vtable);
        if (error != NULL)
            break;
        if (vtables->interrupted || list->python.interrupted)
            error = asnap_error_interrupted("reading the heap");
        else if (vtable != 0)
            error = add(list, block->start, vtable);
    }
    return error;
}

static int by_value(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* Gives each vtable a number. */
static struct asnap_error *number(struct asnap_vtable_list *list)
{
    uint64_t *distinct = calloc(list->block_count + 1, sizeof(*distinct));
    list->numbers = calloc(list->block_count + 1, sizeof(*list->numbers));
    if (distinct == NULL || list->numbers == NULL) {
        free(distinct);
        return asnap_error_no_memory();
    }
    if (list->block_count != 0)
        memcpy(distinct, list->vtables, list->block_count * sizeof(*distinct));
    qsort(distinct, list->block_count, sizeof(*distinct), by_value);
    for (size_t i = 0; i < list->block_count; i++) {
        if (i == 0 || distinct[i] != distinct[list->vtable_count - 1])
            distinct[list->vtable_count++] = distinct[i];
    }
    for (size_t i = 0; i < list->block_count; i++) {
        uint64_t *found =
            bsearch(&list->vtables[i], distinct, list->vtable_count, sizeof(*distinct), by_value);
        list->numbers[i] = found == NULL ? 0 : (uint32_t)(found - distinct);
    }
    free(list->vtables);
    list->vtables = distinct;
    return NULL;
}

static struct asnap_error *fill(struct asnap_vtable_list *list,
                                const struct asnap_block_index *index,
                                const struct asnap_graph_facts *facts)
{
    struct asnap_word_window window = {0};
    struct asnap_vtables *vtables = calloc(1, sizeof(*vtables));
    if (vtables == NULL)
        return asnap_error_no_memory();
    vtables->facts = facts;
    asnap_python_types_init(&list->python, facts);
    struct asnap_error *error = asnap_word_window_init(&window, facts->memory, NULL, 0);
    if (error == NULL)
        error = read_blocks(list, index, vtables, &window);
    asnap_word_window_deinit(&window);
    free(vtables);
    return error == NULL ? number(list) : error;
}

struct asnap_error *asnap_vtable_list_create(const struct asnap_snapshot *snapshot,
                                             const struct asnap_graph_facts *facts,
                                             struct asnap_vtable_list **list)
{
    struct asnap_blocks *blocks;
    struct asnap_block_index index = {0};
    size_t skipped;
    struct asnap_vtable_list *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = asnap_snapshot_blocks(snapshot, &blocks);
    if (error == NULL)
        error = asnap_block_index_init(&index, blocks->traces, blocks->count, &skipped);
    if (error == NULL)
        error = fill(made, &index, facts);
    asnap_block_index_deinit(&index);
    if (error != NULL) {
        asnap_vtable_list_destroy(made);
        return error;
    }
    *list = made;
    return NULL;
}

void asnap_vtable_list_destroy(struct asnap_vtable_list *list)
{
    if (list == NULL)
        return;
    free(list->blocks);
    free(list->vtables);
    free(list->numbers);
    asnap_python_types_deinit(&list->python);
    free(list);
}

const uint64_t *asnap_vtable_list_addresses(const struct asnap_vtable_list *list, size_t *count)
{
    *count = list->vtable_count;
    return list->vtables;
}

bool asnap_vtable_list_python(const struct asnap_vtable_list *list, size_t index, const char **name)
{
    const struct asnap_python_type *type =
        asnap_python_types_at(&list->python, list->vtables[index]);
    *name = type == NULL ? NULL : type->name;
    return type != NULL;
}

struct asnap_error *asnap_vtable_list_name(const struct asnap_vtable_list *list,
                                           const struct asnap_snapshot *snapshot,
                                           const char *const *names)
{
    if (snapshot->store->types != NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_vtable_list_name: the snapshot has classes already");
    return asnap_types_create(snapshot->store, list->blocks, list->numbers, list->block_count,
                              names, list->vtable_count, &snapshot->store->types);
}
