#include "signal_frame.h"

#include <string.h>

#if defined(__x86_64__)

bool asnap_signal_is_return(const uint8_t *code)
{
    /* mov $SYS_rt_sigreturn, %rax; syscall */
    static const uint8_t expected[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
    return memcmp(code, expected, sizeof(expected)) == 0;
}

/* Offsets from the ucontext, at which the stack pointer is then (Linux,
 * arch/x86/include/uapi/asm/sigcontext.h); in the order of DWARF's numbers. */
static const uint16_t offsets[ASNAP_REGISTERS] = {
    144, 136, 152, 128, 112, 104, 120, 160, 40, 48, 56, 64, 72, 80, 88, 96, 168,
};

static uint64_t offset_of(unsigned number)
{
    return offsets[number];
}

enum { PC_OFFSET = 168 };

#elif defined(__aarch64__)

bool asnap_signal_is_return(const uint8_t *code)
{
    /* mov x8, #SYS_rt_sigreturn; svc #0 */
    static const uint8_t expected[] = {0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4};
    return memcmp(code, expected, sizeof(expected)) == 0;
}

/* After siginfo (128 bytes) and the ucontext's head comes the sigcontext: the fault
 * address, x0 to x30, sp, pc (Linux, arch/arm64/include/uapi/asm/sigcontext.h). */
enum { REGISTERS_OFFSET = 128 + 176 + 8, PC_OFFSET = REGISTERS_OFFSET + 32 * 8 };

static uint64_t offset_of(unsigned number)
{
    return REGISTERS_OFFSET + 8 * number;
}

#endif

bool asnap_signal_registers(uint64_t sp, asnap_read_word *read, void *context,
                            struct asnap_registers *interrupted, uint64_t *pc)
{
    interrupted->known = (UINT64_C(1) << ASNAP_REGISTERS) - 1;
    for (unsigned i = 0; i < ASNAP_REGISTERS; i++)
        if (!read(context, sp + offset_of(i), &interrupted->values[i]))
            return false;
    return read(context, sp + PC_OFFSET, pc);
}
