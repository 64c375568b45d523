#include "wild_call.h"

#include "memory_map.h"
#include "readable.h"

enum { CALL_BYTES = 8 };

/* A jump to nowhere, or a return on a damaged stack, leaves another word there. */
static bool follows_call(uint64_t address)
{
    uint64_t before = CALL_BYTES;
    if (!asnap_readable_page(address - 1))
        return false;
    if (!asnap_readable_page(address - before))
        before = address % ASNAP_PAGE;
    return asnap_arch_follows_call((const uint8_t *)(uintptr_t)address, before) &&
           asnap_memory_map_is_executable(address - 1);
}

static bool is_code(uint64_t pc)
{
    return asnap_readable_page(pc) && asnap_memory_map_is_executable(pc);
}

bool asnap_wild_call_caller(uint64_t pc, const struct asnap_registers *registers,
                            asnap_read_word *read, void *context, struct asnap_registers *caller,
                            uint64_t *return_address)
{
    uint64_t word;
    if (is_code(pc))
        return false;
#if ASNAP_ARCH_CALL_PUSHES
    if (!read(context, registers->values[ASNAP_REGISTER_SP], &word))
        return false;
#else
    word = registers->values[ASNAP_REGISTER_LINK];
    if ((registers->known >> ASNAP_REGISTER_LINK & 1) == 0)
        return false;
    (void)read;
    (void)context;
#endif
    word = asnap_arch_code_address(word);
    if (!follows_call(word))
        return false;
    *caller = *registers;
    caller->values[ASNAP_REGISTER_SP] += ASNAP_ARCH_CALL_PUSHES;
    *return_address = word;
    return true;
}
