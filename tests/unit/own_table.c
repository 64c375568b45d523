#include "own_table.h"

#include "clock.h"
#include "records.h"
#include "root.h"
#include "stacks.h"
#include "unit.h"

void own_table_open(void)
{
    asnap_root_describe();
    allocsnap_root.control = (struct asnap_table_control){.tracing = 1, .frame_limit = 16};
    allocsnap_root.applied = allocsnap_root.control;
    CU_ASSERT_FATAL(asnap_stacks_init());
    asnap_clock_start(NULL);
    asnap_records_clear();
}
