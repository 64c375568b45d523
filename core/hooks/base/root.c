#include "root.h"

#include <string.h>

#include "lock.h"

static uint32_t root_lock;

/* The first call finds a request that has not been obeyed: to get ready. */
__attribute__((
    aligned(ASNAP_TABLE_ROOT_ALIGNMENT))) struct asnap_root_and_watch asnap_root_and_watch = {
    .root =
        {
            .control = {.sequence = 1, .frame_limit = ASNAP_TABLE_FRAME_LIMIT_DEFAULT},
            .applied = {.frame_limit = ASNAP_TABLE_FRAME_LIMIT_DEFAULT},
        },
};

extern struct asnap_table_root allocsnap_root __attribute__((alias("asnap_root_and_watch")));
extern struct asnap_table_root allocsnap_table
    __attribute__((visibility("default"), alias("asnap_root_and_watch")));

/* Byte by byte, so that no libc function is called for it. */
static void store_magic(char *place, const char *magic)
{
    for (size_t i = 0; i < sizeof(allocsnap_root.magic); i++)
        __atomic_store_n(&place[i], magic[i], __ATOMIC_RELEASE);
}

void asnap_root_describe(void)
{
    struct asnap_table_root *root = &allocsnap_root;
    root->version = ASNAP_TABLE_VERSION;
    root->byte_order = ASNAP_TABLE_BYTE_ORDER;
    root->self = (uint64_t)(uintptr_t)root;
    root->root_bytes = sizeof(struct asnap_table_root);
    root->shard_bytes = sizeof(struct asnap_table_shard);
    root->record_bytes = sizeof(struct asnap_table_record);
    root->node_bytes = sizeof(struct asnap_table_node);
    root->shard_count = ASNAP_TABLE_SHARDS;
    root->pointer_bytes = sizeof(void *);
    root->domain_count = 1;
    strncpy(root->hooks_version, ASNAP_VERSION_STRING, sizeof(root->hooks_version) - 1);
    asnap_root_and_watch.watch.bytes = sizeof(struct asnap_table_watch);
    asnap_root_and_watch.freed.bytes = sizeof(struct asnap_table_freed);
    asnap_root_and_watch.freed.block_bytes = sizeof(struct asnap_table_freed_block);
    asnap_root_and_watch.errors.bytes = sizeof(struct asnap_table_errors);
    asnap_root_and_watch.errors.error_bytes = sizeof(struct asnap_table_error);
    asnap_root_and_watch.totals.bytes = sizeof(struct asnap_table_totals);
    asnap_root_and_watch.totals.total_bytes = sizeof(struct asnap_table_total);
    asnap_root_and_watch.history.bytes = sizeof(struct asnap_table_history);
    asnap_root_and_watch.history.point_bytes = sizeof(struct asnap_table_point);
    store_magic(asnap_root_and_watch.history.magic, ASNAP_TABLE_HISTORY_MAGIC);
    store_magic(asnap_root_and_watch.totals.magic, ASNAP_TABLE_TOTALS_MAGIC);
    store_magic(asnap_root_and_watch.errors.magic, ASNAP_TABLE_ERRORS_MAGIC);
    store_magic(asnap_root_and_watch.freed.magic, ASNAP_TABLE_FREED_MAGIC);
    store_magic(asnap_root_and_watch.watch.magic, ASNAP_TABLE_WATCH_MAGIC);
    store_magic(root->magic, ASNAP_TABLE_MAGIC);
}

void asnap_root_step_aside(uint64_t other_root)
{
    struct asnap_table_root *root = &allocsnap_root;
    root->self = other_root;
    store_magic(root->magic, ASNAP_TABLE_ASIDE_MAGIC);
    __atomic_store_n(&root->applied.sequence, root->control.sequence, __ATOMIC_RELEASE);
}

void asnap_root_lock(void)
{
    asnap_lock(&root_lock);
}

void asnap_root_unlock(void)
{
    asnap_unlock(&root_lock);
}

/* What was asked for is done again where it was not done to its end. */
void asnap_root_mend(const uint32_t *only)
{
    if (asnap_lock_is_orphan(&root_lock, only))
        __atomic_store_n(&root_lock, 0, __ATOMIC_RELEASE);
}
