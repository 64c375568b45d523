#include "own_memory.h"

#include <string.h>

#include "root.h"
#include "unit.h"

static int read_own(void *context, uint64_t address, void *buffer, size_t size)
{
    (void)context;
    memcpy(buffer, (const void *)(uintptr_t)address, size);
    return ASNAP_READ_OK;
}

const struct asnap_memory own_memory = {.read = read_own};

struct asnap_raw *own_table_read(void)
{
    struct asnap_raw *raw = NULL;
    ASNAP_ASSERT_OK(asnap_raw_read(&own_memory, allocsnap_root.self, false, NULL, &raw));
    CU_ASSERT_EQUAL(raw->bad_records + raw->bad_shards, 0);
    return raw;
}
