#include "own_table.h"

#include <string.h>

#include "clock.h"
#include "records.h"
#include "root.h"
#include "stacks.h"
#include "unit.h"

/* In a traced program control.c holds it. */
__attribute__((aligned(ASNAP_TABLE_ROOT_ALIGNMENT))) struct asnap_table_root allocsnap_root;

void own_table_open(void)
{
    memcpy(allocsnap_root.magic, ASNAP_TABLE_MAGIC, sizeof(allocsnap_root.magic));
    allocsnap_root.version = ASNAP_TABLE_VERSION;
    allocsnap_root.byte_order = ASNAP_TABLE_BYTE_ORDER;
    allocsnap_root.self = (uint64_t)(uintptr_t)&allocsnap_root;
    allocsnap_root.root_bytes = sizeof(struct asnap_table_root);
    allocsnap_root.shard_bytes = sizeof(struct asnap_table_shard);
    allocsnap_root.record_bytes = sizeof(struct asnap_table_record);
    allocsnap_root.node_bytes = sizeof(struct asnap_table_node);
    allocsnap_root.shard_count = ASNAP_TABLE_SHARDS;
    allocsnap_root.pointer_bytes = sizeof(void *);
    allocsnap_root.domain_count = 1;
    allocsnap_root.control = (struct asnap_table_control){.tracing = 1, .frame_limit = 16};
    allocsnap_root.applied = allocsnap_root.control;
    CU_ASSERT_FATAL(asnap_stacks_init());
    asnap_clock_start(NULL);
    asnap_records_clear();
}
