#include "debugger_call.h"

#include <sys/auxv.h>

uint64_t asnap_program_entry;

void asnap_debugger_call_init(void)
{
    asnap_program_entry = getauxval(AT_ENTRY);
}
