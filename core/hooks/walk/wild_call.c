#include "wild_call.h"

#include "memory_map.h"
#include "readable.h"

enum { CALL_BYTES = 8 };

/* So many bytes before an address can be read; 0: that is no address of code. */
static uint64_t bytes_before(uint64_t address)
{
    if (!asnap_memory_map_is_executable(address - 1) || !asnap_readable_page(address - 1))
        return 0;
    return asnap_readable_page(address - CALL_BYTES) ? CALL_BYTES : address % ASNAP_PAGE;
}

static bool is_code(uint64_t pc)
{
    return asnap_readable_page(pc) && asnap_memory_map_is_executable(pc);
}

/* A jump to nowhere, or a return on a damaged stack, leaves another word there. What can run has
 * perhaps run, and may have moved the stack pointer since it was called, or have been jumped to:
 * only where the call leads to this very instruction, nothing has. */
static bool has_called(uint64_t address, uint64_t pc, const struct asnap_registers *registers)
{
    const uint8_t *code = (const uint8_t *)(uintptr_t)address;
    uint64_t before = bytes_before(address);
    return asnap_arch_follows_call(code, before) &&
           (!is_code(pc) ||
            asnap_arch_call_leads_to(code, before, registers->values, registers->known, pc));
}

bool asnap_wild_call_caller(uint64_t pc, const struct asnap_registers *registers,
                            asnap_read_word *read, void *context, struct asnap_registers *caller,
                            uint64_t *return_address)
{
    uint64_t word;
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
    if (!has_called(word, pc, registers))
        return false;
    *caller = *registers;
    caller->values[ASNAP_REGISTER_SP] += ASNAP_ARCH_CALL_PUSHES;
    *return_address = word;
    return true;
}
