/* What the hooks keep where it was asked for, in structures behind the root. */
#include <string.h>

#include "error.h"
#include "raw_read.h"

/* How each of them begins (allocsnap_table.h). */
struct head {
    char magic[16];
    uint32_t bytes;
    uint32_t item_bytes;
};

/* Where memory cannot be read, that is no error; *is_there says so. */
static struct asnap_error *allow_unreadable(struct asnap_error *error, bool *is_there)
{
    *is_there = error == NULL;
    if (error == NULL || asnap_error_code(error) != ASNAP_ERROR_UNREADABLE)
        return error;
    asnap_error_destroy(error);
    return NULL;
}

struct asnap_error *asnap_raw_beside(const struct asnap_memory *memory, uint64_t address,
                                     void *structure, size_t bytes, const char magic[16],
                                     size_t item_bytes, const char *what)
{
    struct head head;
    bool is_there;
    struct asnap_error *error =
        allow_unreadable(asnap_read(memory, address, structure, bytes, what), &is_there);
    if (error != NULL)
        return error;
    memcpy(&head, structure, sizeof(head));
    if (!is_there || memcmp(head.magic, magic, sizeof(head.magic)) != 0 || head.bytes != bytes ||
        head.item_bytes != item_bytes)
        memset(structure, 0, bytes);
    return NULL;
}

struct asnap_error *asnap_raw_items(struct asnap_inferior *inferior, uint64_t address, void *items,
                                    size_t bytes, const char *what, struct asnap_raw *raw)
{
    bool is_there;
    struct asnap_error *error = asnap_inferior_take(inferior, bytes);
    if (error == NULL)
        error = asnap_inferior_ask(inferior, "", 0, 0);
    if (error == NULL)
        error =
            allow_unreadable(asnap_read(inferior->memory, address, items, bytes, what), &is_there);
    if (error != NULL)
        return error;
    if (!is_there) {
        memset(items, 0, bytes);
        raw->unreadable_bytes += bytes;
    }
    return NULL;
}
