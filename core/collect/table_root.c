#include "table_root.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "read.h"

#define NO_HOOKS_MESSAGE                                                                           \
    "no allocsnap hooks in this process: use `snapshot start` before `run`, or start the program " \
    "with LD_PRELOAD=liballocsnap-hooks.so"

/* DAMAGED, with what is wrong: the field and its value. */
__attribute__((format(printf, 2, 3))) static struct asnap_error *damaged(uint64_t address,
                                                                         const char *format, ...)
{
    char what[160];
    va_list values;
    va_start(values, format);
    vsnprintf(what, sizeof(what), format, values);
    va_end(values);
    return asnap_error_create(ASNAP_ERROR_DAMAGED,
                              "the table's root at 0x%" PRIx64
                              " is damaged (%s): the program has overwritten it; restart the "
                              "program to trace it again",
                              address, what);
}

/* The same of a list in chunks: it has more entries than there can be, or no chunks. */
static struct asnap_error *damaged_list(uint64_t address, const char *name, uint32_t count,
                                        uint64_t chunks)
{
    return damaged(address, "%s_count is %" PRIu32 ", %s_chunks 0x%" PRIx64, name, count, name,
                   chunks);
}

/* How large the root of a version is. */
static uint32_t root_bytes_of(uint32_t version)
{
    return version < ASNAP_TABLE_VERSION_SAMPLES ? ASNAP_TABLE_ROOT_BYTES_BEFORE_SAMPLES
                                                 : (uint32_t)sizeof(struct asnap_table_root);
}

static struct asnap_error *check_layout(uint64_t address, const struct asnap_table_root *root)
{
    if (root->byte_order != ASNAP_TABLE_BYTE_ORDER) {
        return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                                  "the program has another byte order than this debugger's host: "
                                  "use a debugger on a host of the program's kind");
    }
    if (root->version < ASNAP_TABLE_VERSION_OLDEST || root->version > ASNAP_TABLE_VERSION) {
        return asnap_error_create(ASNAP_ERROR_VERSION,
                                  "the hooks in this process write table version %" PRIu32
                                  ", this library reads versions %" PRIu32 " to %" PRIu32
                                  ": use the hooks and the library of one allocsnap release",
                                  root->version, ASNAP_TABLE_VERSION_OLDEST, ASNAP_TABLE_VERSION);
    }
    if (root->pointer_bytes != sizeof(uint64_t)) {
        return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                                  "the program is a %" PRIu32
                                  "-bit program: only 64-bit programs are supported",
                                  root->pointer_bytes * 8);
    }
    if (root->root_bytes != root_bytes_of(root->version) ||
        root->shard_bytes != sizeof(struct asnap_table_shard) ||
        root->record_bytes != sizeof(struct asnap_table_record) ||
        root->node_bytes != sizeof(struct asnap_table_node) ||
        root->shard_count != ASNAP_TABLE_SHARDS)
        return damaged(address,
                       "its sizes are %" PRIu32 " bytes of the root, %" PRIu32
                       " of a shard, %" PRIu32 " of a record and %" PRIu32
                       " of a node; shard_count is %" PRIu32,
                       root->root_bytes, root->shard_bytes, root->record_bytes, root->node_bytes,
                       root->shard_count);
    return NULL;
}

static struct asnap_error *check_fields(uint64_t address, const struct asnap_table_root *root)
{
    if (memchr(root->hooks_version, '\0', sizeof(root->hooks_version)) == NULL)
        return damaged(address, "hooks_version has no terminating zero");
    bool is_sample = root->applied.tracing > ASNAP_TABLE_TRACING_ALL;
    if (root->applied.frame_limit < 1 || root->applied.frame_limit > ASNAP_TABLE_FRAME_LIMIT_MAX ||
        root->applied.sample_period > ASNAP_TABLE_SAMPLE_PERIOD_MAX ||
        (is_sample && root->applied.sample_period == 0))
        return damaged(
            address, "tracing is %" PRIu32 ", frame_limit %" PRIu32 ", sample_period %" PRIu64,
            root->applied.tracing, root->applied.frame_limit, root->applied.sample_period);
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++) {
        const struct asnap_table_shard *shard = &root->shards[i];
        if (shard->size >= ASNAP_TABLE_SHARD_SIZE_LIMIT)
            return damaged(address, "shard %" PRIu32 ": size is %" PRIu64, i, shard->size);
        /* A writer that is at work may not have counted the records that it hands out. */
        if (shard->count > UINT32_MAX || (shard->lock == 0 && shard->count > shard->used))
            return damaged(address, "shard %" PRIu32 ": count is %" PRIu64 ", used %" PRIu64, i,
                           (uint64_t)shard->count, (uint64_t)shard->used);
    }
    if (root->peak_bytes >= ASNAP_TABLE_SHARDS * ASNAP_TABLE_SHARD_SIZE_LIMIT && !is_sample)
        return damaged(address, "peak_bytes is %" PRIu64, root->peak_bytes);
    if (root->domain_count < 1 || root->domain_count > ASNAP_TABLE_DOMAINS || root->domains[0] != 0)
        return damaged(address, "domain_count is %" PRIu32 ", the first domain %" PRIu32,
                       root->domain_count, root->domains[0]);
    if (root->node_count > ASNAP_TABLE_NODE_CHUNKS * ASNAP_TABLE_CHUNK_NODES ||
        (root->node_count != 0 && root->node_chunks == 0))
        return damaged_list(address, "node", root->node_count, root->node_chunks);
    if (root->thread_count > ASNAP_TABLE_THREAD_CHUNKS * ASNAP_TABLE_CHUNK_THREADS ||
        (root->thread_count != 0 && root->thread_chunks == 0))
        return damaged_list(address, "thread", root->thread_count, root->thread_chunks);
    if (root->module_count > ASNAP_TABLE_MODULE_CHUNKS * ASNAP_TABLE_CHUNK_MODULES ||
        (root->module_count != 0 && root->module_chunks == 0))
        return damaged_list(address, "module", root->module_count, root->module_chunks);
    return NULL;
}

/* The root of an older version is followed by something else, in the same page. */
static void forget_later_fields(struct asnap_table_root *root)
{
    const uint32_t end = ASNAP_TABLE_ROOT_BYTES_BEFORE_SAMPLES;
    _Static_assert((sizeof(*root) - 1) / ASNAP_TABLE_ROOT_ALIGNMENT ==
                       (ASNAP_TABLE_ROOT_BYTES_BEFORE_SAMPLES - 1) / ASNAP_TABLE_ROOT_ALIGNMENT,
                   "both can be read where one can");
    memset((char *)root + end, 0, sizeof(*root) - end);
    root->control.sample_period = 0;
    root->applied.sample_period = 0;
}

struct asnap_error *asnap_root_read(const struct asnap_memory *memory, uint64_t address,
                                    struct asnap_table_root *root)
{
    struct asnap_error *error =
        asnap_read(memory, address, root, sizeof(*root), "the table's root");
    if (error != NULL)
        return error;
    if (root->version < ASNAP_TABLE_VERSION_SAMPLES)
        forget_later_fields(root);
    if (memcmp(root->magic, ASNAP_TABLE_MAGIC, sizeof(root->magic)) != 0 || root->self != address)
        return asnap_error_create(ASNAP_ERROR_NO_HOOKS, NO_HOOKS_MESSAGE);
    error = check_layout(address, root);
    if (error == NULL)
        error = check_fields(address, root);
    return error;
}

bool asnap_root_pending(const struct asnap_table_root *root)
{
    return root->control.sequence != root->applied.sequence;
}

struct asnap_table_control asnap_root_asked(const struct asnap_table_root *root)
{
    struct asnap_table_control asked = asnap_root_pending(root) ? root->control : root->applied;
    asked.tracing = asked.tracing != 0;
    if (asked.sample_period > ASNAP_TABLE_SAMPLE_PERIOD_MAX)
        asked.sample_period = root->applied.sample_period;
    if (asked.frame_limit < 1 || asked.frame_limit > ASNAP_TABLE_FRAME_LIMIT_MAX)
        asked.frame_limit = root->applied.frame_limit;
    return asked;
}

bool asnap_root_tracing(const struct asnap_table_root *root)
{
    return asnap_root_asked(root).tracing != 0;
}

bool asnap_root_current(const struct asnap_table_root *root)
{
    if (!asnap_root_pending(root))
        return true;
    return root->applied.tracing != 0 && root->control.clear == root->applied.clear &&
           asnap_root_asked(root).sample_period == root->applied.sample_period;
}

/* ---- finding it ---- */

enum { SCAN_PIECE = 4 << 20 };

/* So many bytes of a region that cannot be read, one after the other, and the rest is not tried:
 * it may say that it is as large as all memory. */
#define UNREADABLE_BYTES ((uint64_t)64 << 20)

struct scan {
    struct asnap_inferior inferior;
    uint8_t *buffer;
    uint64_t unreadable;       /* bytes since the last that could be read */
    struct asnap_error *other; /* a root that is there, but cannot be used */
    uint64_t found;
};

/* Where a copy of the hooks has stepped aside for another one: the root of that one; else 0. */
static uint64_t root_instead(const struct asnap_memory *memory, uint64_t candidate)
{
    struct {
        char magic[16];
        uint64_t unused;
        uint64_t self;
    } head;
    _Static_assert(offsetof(struct asnap_table_root, self) == offsetof(__typeof__(head), self),
                   "the head of a root");
    if (memory->read(memory->context, candidate, &head, sizeof(head)) != ASNAP_READ_OK ||
        memcmp(head.magic, ASNAP_TABLE_ASIDE_MAGIC, sizeof(head.magic)) != 0)
        return 0;
    return head.self;
}

/* A match only counts where the root knows itself at this address: copies of the
 * magic are in the library's file and in anyone's buffers. */
static struct asnap_error *look_at(struct scan *scan, uint64_t address)
{
    struct asnap_table_root root;
    struct asnap_error *error = asnap_root_read(scan->inferior.memory, address, &root);
    if (error == NULL) {
        scan->found = address;
        return NULL;
    }
    enum asnap_error_code code = asnap_error_code(error);
    if (code == ASNAP_ERROR_NO_MEMORY || code == ASNAP_ERROR_INTERRUPTED)
        return error;
    if (code == ASNAP_ERROR_NO_HOOKS || code == ASNAP_ERROR_UNREADABLE || scan->other != NULL)
        asnap_error_destroy(error);
    else
        scan->other = error;
    return NULL;
}

static struct asnap_error *look_at_symbol(struct scan *scan, uint64_t candidate)
{
    struct asnap_error *error = look_at(scan, candidate);
    if (error != NULL || scan->found != 0 || scan->other != NULL)
        return error;
    uint64_t other = root_instead(scan->inferior.memory, candidate);
    return other == 0 ? NULL : look_at(scan, other);
}

static struct asnap_error *look_through(struct scan *scan, uint64_t address, size_t size)
{
    struct asnap_error *error = NULL;
    for (size_t at = 0; at < size && scan->found == 0 && error == NULL;
         at += ASNAP_TABLE_ROOT_ALIGNMENT)
        if (memcmp(scan->buffer + at, ASNAP_TABLE_MAGIC, sizeof(ASNAP_TABLE_MAGIC)) == 0)
            error = look_at(scan, address + at);
    return error;
}

/* Halves a piece that cannot be read, down to a page. */
static struct asnap_error *scan_piece(struct scan *scan, uint64_t address, size_t size)
{
    const struct asnap_memory *memory = scan->inferior.memory;
    int result = memory->read(memory->context, address, scan->buffer, size);
    if (result == ASNAP_READ_INTERRUPTED)
        return asnap_error_interrupted("looking for the hooks");
    if (result == ASNAP_READ_OK) {
        scan->unreadable = 0;
        return look_through(scan, address, size);
    }
    if (size <= ASNAP_READ_PAGE) {
        scan->unreadable += size;
        return NULL;
    }
    size_t half = size / 2 / ASNAP_READ_PAGE * ASNAP_READ_PAGE;
    if (half == 0)
        half = ASNAP_READ_PAGE;
    struct asnap_error *error = scan_piece(scan, address, half);
    if (error == NULL && scan->found == 0)
        error = scan_piece(scan, address + half, size - half);
    return error;
}

static struct asnap_error *scan_region(struct scan *scan, const struct asnap_region *region)
{
    struct asnap_error *error = NULL;
    scan->unreadable = 0;
    uint64_t address =
        region->start + (ASNAP_READ_PAGE - region->start % ASNAP_READ_PAGE) % ASNAP_READ_PAGE;
    while (address < region->end && scan->found == 0 && error == NULL) {
        uint64_t left = region->end - address;
        size_t size = left < SCAN_PIECE ? (size_t)left : SCAN_PIECE;
        size = size / ASNAP_READ_PAGE * ASNAP_READ_PAGE;
        if (size == 0 || scan->unreadable >= UNREADABLE_BYTES)
            break;
        error = asnap_inferior_ask(&scan->inferior, "", 0, 0);
        if (error == NULL)
            error = scan_piece(scan, address, size);
        address += size;
    }
    return error;
}

static bool is_hooks_file(const struct asnap_region *region)
{
    return region->path != NULL && strstr(region->path, "liballocsnap-hooks") != NULL;
}

/* The hooks' own file first: mostly the root is there. */
static struct asnap_error *scan_regions(struct scan *scan, const struct asnap_region *regions,
                                        size_t count)
{
    const uint32_t wanted = ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE;
    struct asnap_error *error = NULL;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < count && scan->found == 0 && error == NULL; i++) {
            if ((regions[i].flags & wanted) != wanted || regions[i].end <= regions[i].start ||
                is_hooks_file(&regions[i]) != (pass == 0))
                continue;
            error = asnap_inferior_ask(&scan->inferior, "looking for the hooks", i, count);
            if (error == NULL)
                error = scan_region(scan, &regions[i]);
        }
    }
    return error;
}

static struct asnap_error *not_found(struct scan *scan, bool loaded)
{
    struct asnap_error *error = scan->other;
    scan->other = NULL;
    if (error != NULL)
        return error;
    if (loaded) {
        return asnap_error_create(ASNAP_ERROR_NO_HOOKS,
                                  "the allocsnap hooks are loaded but have not started yet: let "
                                  "the program run on, to `tbreak main` or another breakpoint, and "
                                  "try again");
    }
    return asnap_error_create(ASNAP_ERROR_NO_HOOKS, NO_HOOKS_MESSAGE);
}

struct asnap_error *asnap_root_find(const struct asnap_memory *memory, uint64_t candidate,
                                    const struct asnap_region *regions, size_t region_count,
                                    const struct asnap_progress *progress, uint64_t *root_address)
{
    struct asnap_error *error = NULL;
    if (memory == NULL || root_address == NULL || (regions == NULL && region_count != 0))
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT, "asnap_root_find: NULL argument");
    struct scan scan = {.inferior = asnap_inferior_of(memory, progress)};
    if (candidate != 0)
        error = look_at_symbol(&scan, candidate);
    if (error == NULL && scan.found == 0 && scan.other == NULL) {
        scan.buffer = malloc(SCAN_PIECE);
        if (scan.buffer == NULL)
            return asnap_error_no_memory();
        error = scan_regions(&scan, regions, region_count);
        free(scan.buffer);
    }
    if (error == NULL && scan.found == 0)
        error = not_found(&scan, candidate != 0);
    asnap_error_destroy(scan.other);
    if (error == NULL)
        *root_address = scan.found;
    return error;
}
