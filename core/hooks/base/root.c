#include "root.h"

#include <string.h>

/* The first call finds a request that has not been obeyed: to get ready. */
__attribute__((visibility("default"),
               aligned(ASNAP_TABLE_ROOT_ALIGNMENT))) struct asnap_table_root allocsnap_root = {
    .control = {.sequence = 1, .frame_limit = ASNAP_TABLE_FRAME_LIMIT_DEFAULT},
    .applied = {.frame_limit = ASNAP_TABLE_FRAME_LIMIT_DEFAULT},
};

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
    for (size_t i = 0; i < sizeof(root->magic); i++)
        __atomic_store_n(&root->magic[i], ASNAP_TABLE_MAGIC[i], __ATOMIC_RELEASE);
}
