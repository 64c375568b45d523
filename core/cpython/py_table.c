#include "py_table.h"

#include <stdlib.h>

#include "grow.h"
#include "read.h"

enum {
    HEAD_BYTES = 80,      /* of a table of 3.9 and later: seven functions follow three words */
    HEAD_BYTES_OLD = 72,  /* of one of 3.8 */
    LEAST_BUCKETS = 16,   /* HASHTABLE_MIN_SIZE */
    ENTRY_HEAD = 16,      /* the next entry, and the hash of the key */
    DATA_MOST = 64,       /* bytes; tracemalloc's have 16 at most */
    MOST_IN_A_BUCKET = 8, /* on average: a table grows beyond one half (HASHTABLE_HIGH) */
};

static bool numbers_hold(const struct asnap_py_memory *py, const struct asnap_py_table *table)
{
    uint64_t count = table->bucket_count;
    return count >= LEAST_BUCKETS && (count & (count - 1)) == 0 && count <= py->readable / 8 &&
           table->buckets != 0 && table->buckets % 8 == 0 &&
           table->entry_count / MOST_IN_A_BUCKET <= count &&
           table->entry_count <= py->readable / ENTRY_HEAD;
}

static bool functions_hold(const struct asnap_py_memory *py, const struct asnap_py_table *table)
{
    for (int i = 0; i < ASNAP_PY_FUNCTIONS; i++) {
        uint64_t function = table->functions[i];
        bool may_lack = i == ASNAP_PY_DESTROY_KEY || i == ASNAP_PY_DESTROY_VALUE ||
                        (table->holds_copies && i == ASNAP_PY_GET_ENTRY);
        if (function == 0 ? !may_lack : !asnap_py_is_code(py, function))
            return false;
    }
    return true;
}

static void take_old(struct asnap_py_table *table, const uint8_t *bytes)
{
    table->bucket_count = asnap_py_u64(bytes);
    table->entry_count = asnap_py_u64(bytes + 8);
    uint64_t key_size = asnap_py_u64(bytes + 24);
    uint64_t data_size = asnap_py_u64(bytes + 32);
    if (key_size > DATA_MOST || data_size > DATA_MOST)
        table->bucket_count = 0;
    table->key_size = (uint32_t)key_size;
    table->data_size = (uint32_t)data_size;
    table->functions[ASNAP_PY_HASH] = asnap_py_u64(bytes + 40);
    table->functions[ASNAP_PY_COMPARE] = asnap_py_u64(bytes + 48);
    table->functions[ASNAP_PY_MALLOC] = asnap_py_u64(bytes + 56);
    table->functions[ASNAP_PY_FREE] = asnap_py_u64(bytes + 64);
}

static void take(struct asnap_py_table *table, const uint8_t *bytes)
{
    table->entry_count = asnap_py_u64(bytes);
    table->bucket_count = asnap_py_u64(bytes + 8);
    table->key_size = 8;
    table->data_size = 8;
    for (size_t i = 0; i < ASNAP_PY_FUNCTIONS; i++)
        table->functions[i] = asnap_py_u64(bytes + 24 + 8 * i);
}

struct asnap_error *asnap_py_table_read(const struct asnap_py_memory *py, uint64_t address,
                                        bool holds_copies, struct asnap_py_table *table,
                                        bool *is_table)
{
    uint8_t bytes[HEAD_BYTES] = {0};
    size_t size = holds_copies ? HEAD_BYTES_OLD : HEAD_BYTES;
    *table = (struct asnap_py_table){.address = address, .holds_copies = holds_copies};
    *is_table = false;
    if (address == 0 || address % 8 != 0)
        return NULL;
    struct asnap_error *error = asnap_py_read(py, address, bytes, size, is_table);
    if (error != NULL || !*is_table)
        return error;
    table->buckets = asnap_py_u64(bytes + 16);
    (holds_copies ? take_old : take)(table, bytes);
    *is_table = numbers_hold(py, table) && functions_hold(py, table);
    return NULL;
}

/* Entries that are still to be visited, and those after them. */
struct walking {
    const struct asnap_py_table *table;
    asnap_py_visitor *visit;
    void *context;
    struct asnap_py_walk *walk;
    uint64_t most; /* entries */
    struct asnap_wanted *next;
    size_t next_count;
    size_t next_capacity;
};

static struct asnap_error *add_entry(struct walking *walking, uint64_t address, uint64_t bucket)
{
    const struct asnap_py_table *table = walking->table;
    if (walking->next_count >= walking->most) {
        walking->walk->is_endless = true;
        return NULL;
    }
    struct asnap_wanted *next = walking->next;
    if (walking->next_count == walking->next_capacity) {
        next = asnap_grow(next, &walking->next_capacity, walking->next_count + 1, sizeof(*next));
        if (next == NULL)
            return asnap_error_no_memory();
        walking->next = next;
    }
    next[walking->next_count++] = (struct asnap_wanted){
        .address = address,
        .size = ENTRY_HEAD + table->key_size + table->data_size,
        .place = (uint32_t)bucket,
    };
    return NULL;
}

/* Most entries of a table are the first of their bucket. */
static struct asnap_error *make_room(struct walking *walking)
{
    uint64_t count = walking->table->entry_count;
    if (count > walking->table->bucket_count)
        count = walking->table->bucket_count;
    walking->next =
        asnap_grow(NULL, &walking->next_capacity, (size_t)count + 1, sizeof(*walking->next));
    if (walking->next == NULL)
        return asnap_error_no_memory();
    asnap_in_huge_pages(walking->next, walking->next_capacity * sizeof(*walking->next));
    return NULL;
}

/* Lists the first entry of each bucket. */
static struct asnap_error *add_heads(const struct asnap_py_memory *py, struct walking *walking,
                                     const char *step)
{
    const struct asnap_py_table *table = walking->table;
    uint8_t *heads = malloc(ASNAP_READ_PIECE);
    struct asnap_error *error = heads == NULL ? asnap_error_no_memory() : NULL;
    for (uint64_t at = 0, count; at < table->bucket_count && error == NULL; at += count) {
        count = ASNAP_READ_PIECE / 8;
        if (count > table->bucket_count - at)
            count = table->bucket_count - at;
        error = asnap_read(py->memory, table->buckets + at * 8, heads, (size_t)count * 8,
                           "tracemalloc's tables");
        for (uint64_t i = 0; i < count && error == NULL && !walking->walk->is_endless; i++) {
            uint64_t head = asnap_py_u64(heads + i * 8);
            if (head != 0)
                error = add_entry(walking, head, at + i);
        }
        if (error == NULL)
            error = asnap_py_ask(py, step, 0, 0);
    }
    free(heads);
    return error;
}

static struct asnap_error *visit_entry(void *context, const struct asnap_wanted *wanted,
                                       const uint8_t *bytes, const struct asnap_py_window *window)
{
    struct walking *walking = context;
    const struct asnap_py_table *table = walking->table;
    struct asnap_py_walk *walk = walking->walk;
    if (bytes == NULL) {
        walk->unreadable++;
        return NULL;
    }
    if (walk->visited >= walking->most) {
        walk->is_endless = true;
        return NULL;
    }
    walk->visited++;
    uint64_t next = asnap_py_u64(bytes);
    uint64_t hash = asnap_py_u64(bytes + 8);
    if (((hash ^ wanted->place) & (table->bucket_count - 1) & UINT32_MAX) != 0)
        walk->misplaced++;
    const uint8_t *key = bytes + ENTRY_HEAD;
    struct asnap_error *error =
        walking->visit(walking->context, key, key + table->key_size, window);
    return error == NULL && next != 0 ? add_entry(walking, next, wanted->place) : error;
}

struct asnap_error *asnap_py_table_walk(const struct asnap_py_memory *py,
                                        const struct asnap_py_table *table, const char *step,
                                        asnap_py_visitor *visit, void *context,
                                        struct asnap_py_walk *walk)
{
    /* Lists that lead into each other, as of a table that is being resized, are followed more than
     * once; twice as many entries are no lists of the table. */
    struct walking walking = {
        .table = table,
        .visit = visit,
        .context = context,
        .walk = walk,
        .most = walk->visited + table->entry_count * 2 + LEAST_BUCKETS,
    };
    bool was_endless = walk->is_endless;
    walk->is_endless = false;
    struct asnap_error *error = make_room(&walking);
    if (error == NULL)
        error = add_heads(py, &walking, step);
    while (error == NULL && walking.next_count > 0 && !walk->is_endless) {
        struct asnap_wanted *now = walking.next;
        size_t count = walking.next_count;
        walking.next = NULL;
        walking.next_count = walking.next_capacity = 0;
        error = asnap_py_gather(py, now, count, step, visit_entry, &walking);
        free(now);
    }
    walk->is_endless = walk->is_endless || was_endless;
    free(walking.next);
    return error;
}
