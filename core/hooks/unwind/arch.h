/* What the unwinder must know of the processor: numbers of registers as DWARF gives them
 * (System V ABI AMD64 supplement, figure 3.36; DWARF for the Arm 64-bit Architecture, 4.1),
 * and how to read those of the running function. */
#ifndef ASNAP_HOOKS_ARCH_H
#define ASNAP_HOOKS_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)

enum {
    ASNAP_REGISTER_FP = 6,
    ASNAP_REGISTER_SP = 7,
    ASNAP_REGISTERS = 17,
};

/* A call leaves its return address on the stack, in so many bytes. */
#define ASNAP_ARCH_CALL_PUSHES 8

/* Whether return addresses can have an authentication code on the stack. */
#define ASNAP_ARCH_SIGNS_ADDRESSES 0

/* A return address as code has it. */
static inline uint64_t asnap_arch_code_address(uint64_t word)
{
    return word;
}

/* Whether a call instruction ends at `code`; `before` bytes before it can be read. */
static inline bool asnap_arch_follows_call(const uint8_t *code, uint64_t before)
{
    /* Intel SDM: E8 is CALL rel32, FF /2 is CALL r/m64; what ModR/M and SIB say gives the
     * length. */
    static const int lengths[] = {2, 3, 6, 2};
    if (before >= 5 && code[-5] == 0xe8)
        return true;
    for (int length = 2; length <= 7 && (uint64_t)length <= before; length++) {
        const uint8_t *opcode = code - length;
        unsigned mode = opcode[1] >> 6;
        unsigned place = opcode[1] & 7;
        if (opcode[0] != 0xff || (opcode[1] >> 3 & 7) != 2)
            continue;
        int expected = lengths[mode];
        if (mode != 3 && place == 4)
            expected += mode == 0 && length > 2 && (opcode[2] & 7) == 5 ? 5 : 1;
        else if (mode == 0 && place == 5)
            expected += 4;
        if (expected == length)
            return true;
    }
    return false;
}

/* Whether the call instruction that ends at `code` leads to `target`: it says so itself, or by a
 * register that is `known` and still has the address. What leads there by way of memory is not
 * followed. */
static inline bool asnap_arch_call_leads_to(const uint8_t *code, uint64_t before,
                                            const uint64_t registers[ASNAP_REGISTERS],
                                            uint64_t known, uint64_t target)
{
    /* Intel SDM: with a ModR/M of mode 3 its last bits are the register, and REX.B adds 8. */
    static const uint8_t numbers[] = {0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15};
    int32_t offset = 0;
    if (before >= 5 && code[-5] == 0xe8) {
        __builtin_memcpy(&offset, code - sizeof(offset), sizeof(offset));
        if ((uint64_t)(uintptr_t)code + (uint64_t)(int64_t)offset == target)
            return true;
    }
    if (before < 2 || code[-2] != 0xff || code[-1] >> 3 != (3 << 3 | 2))
        return false;
    bool extended = before >= 3 && (code[-3] & 0xf1) == 0x41;
    unsigned number = numbers[(extended ? 8 : 0) + (code[-1] & 7)];
    return (known >> number & 1) != 0 && registers[number] == target;
}

/* The address of the next instruction, and the registers that the ABI preserves across
 * calls; the others are left alone. */
static inline uint64_t asnap_arch_capture(uint64_t registers[ASNAP_REGISTERS])
{
    uint64_t address;
    __asm__ volatile("movq %%rbx, 24(%1)\n\t"
                     "movq %%rbp, 48(%1)\n\t"
                     "movq %%rsp, 56(%1)\n\t"
                     "movq %%r12, 96(%1)\n\t"
                     "movq %%r13, 104(%1)\n\t"
                     "movq %%r14, 112(%1)\n\t"
                     "movq %%r15, 120(%1)\n\t"
                     "leaq 0f(%%rip), %0\n"
                     "0:"
                     : "=&r"(address)
                     : "r"(registers)
                     : "memory");
    return address;
}

/* Those that asnap_arch_capture sets. */
#define ASNAP_REGISTERS_CAPTURED                                                                   \
    (UINT64_C(1) << 3 | UINT64_C(1) << 6 | UINT64_C(1) << 7 | UINT64_C(0xf) << 12)

#elif defined(__aarch64__)

enum {
    ASNAP_REGISTER_FP = 29,
    ASNAP_REGISTER_LINK = 30,
    ASNAP_REGISTER_SP = 31,
    ASNAP_REGISTERS = 32,
};

/* A call leaves its return address in the link register. */
#define ASNAP_ARCH_CALL_PUSHES 0

#define ASNAP_ARCH_SIGNS_ADDRESSES 1

/* The return address without its authentication code (XPACLRI: a hint where the processor
 * has none). */
static inline uint64_t asnap_arch_code_address(uint64_t word)
{
    register uint64_t address __asm__("x30") = word;
    __asm__("hint 7" : "+r"(address));
    return address;
}

/* The instruction that ends at `code`; 0, which is none, where it cannot be read. */
static inline uint32_t asnap_arch_instruction_before(const uint8_t *code, uint64_t before)
{
    uint32_t instruction = 0;
    if (before >= sizeof(instruction))
        __builtin_memcpy(&instruction, code - sizeof(instruction), sizeof(instruction));
    return instruction;
}

/* Arm ARM: BL has an offset of 26 bits; BLR and its kin that authenticate have a register. */
static inline bool asnap_arch_is_direct_call(uint32_t instruction)
{
    return (instruction & 0xfc000000) == 0x94000000;
}

static inline bool asnap_arch_is_call_by_register(uint32_t instruction)
{
    return (instruction & 0xfefff000) == 0xd63f0000;
}

static inline bool asnap_arch_follows_call(const uint8_t *code, uint64_t before)
{
    uint32_t instruction = asnap_arch_instruction_before(code, before);
    return asnap_arch_is_direct_call(instruction) || asnap_arch_is_call_by_register(instruction);
}

static inline bool asnap_arch_call_leads_to(const uint8_t *code, uint64_t before,
                                            const uint64_t registers[ASNAP_REGISTERS],
                                            uint64_t known, uint64_t target)
{
    uint32_t instruction = asnap_arch_instruction_before(code, before);
    if (asnap_arch_is_direct_call(instruction)) {
        int64_t words = (int64_t)((uint64_t)instruction << 38) >> 38;
        return (uint64_t)(uintptr_t)code - sizeof(instruction) + (uint64_t)words * 4 == target;
    }
    unsigned number = instruction >> 5 & 31; /* 31 is no register here */
    return asnap_arch_is_call_by_register(instruction) && number != 31 &&
           (known >> number & 1) != 0 && asnap_arch_code_address(registers[number]) == target;
}

static inline uint64_t asnap_arch_capture(uint64_t registers[ASNAP_REGISTERS])
{
    uint64_t address;
    uint64_t sp;
    __asm__ volatile("stp x19, x20, [%2, 152]\n\t"
                     "stp x21, x22, [%2, 168]\n\t"
                     "stp x23, x24, [%2, 184]\n\t"
                     "stp x25, x26, [%2, 200]\n\t"
                     "stp x27, x28, [%2, 216]\n\t"
                     "str x29, [%2, 232]\n\t"
                     "mov %1, sp\n\t"
                     "adr %0, 0f\n"
                     "0:"
                     : "=&r"(address), "=&r"(sp)
                     : "r"(registers)
                     : "memory");
    registers[ASNAP_REGISTER_SP] = sp;
    return address;
}

#define ASNAP_REGISTERS_CAPTURED (UINT64_C(0x7ff) << 19 | UINT64_C(1) << 31)

#else
#error "the hooks unwind stacks of x86-64 and aarch64 only"
#endif

#endif
