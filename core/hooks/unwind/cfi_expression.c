/* DWARF expressions, as far as call frame information has them. */
#include "cfi.h"

#include <stddef.h>

enum {
    OP_ADDR = 0x03,
    OP_DEREF = 0x06,
    OP_CONST1U = 0x08,
    OP_CONST8S = 0x0f,
    OP_CONSTU = 0x10,
    OP_CONSTS = 0x11,
    OP_DUP = 0x12,
    OP_DROP = 0x13,
    OP_OVER = 0x14,
    OP_PICK = 0x15,
    OP_SWAP = 0x16,
    OP_ROT = 0x17,
    OP_ABS = 0x19,
    OP_AND = 0x1a,
    OP_MINUS = 0x1c,
    OP_MUL = 0x1e,
    OP_NEG = 0x1f,
    OP_NOT = 0x20,
    OP_OR = 0x21,
    OP_PLUS = 0x22,
    OP_PLUS_UCONST = 0x23,
    OP_SHL = 0x24,
    OP_SHR = 0x25,
    OP_SHRA = 0x26,
    OP_XOR = 0x27,
    OP_BRA = 0x28,
    OP_EQ = 0x29,
    OP_GE = 0x2a,
    OP_GT = 0x2b,
    OP_LE = 0x2c,
    OP_LT = 0x2d,
    OP_NE = 0x2e,
    OP_SKIP = 0x2f,
    OP_LIT0 = 0x30,
    OP_LIT31 = 0x4f,
    OP_BREG0 = 0x70,
    OP_BREG31 = 0x8f,
    OP_BREGX = 0x92,
    OP_DEREF_SIZE = 0x94,
    OP_NOP = 0x96,
};

/* More than any compiler, assembler or linker has written. */
enum { STACK_WORDS = 16, STEPS_MAX = 256 };

struct machine {
    uint64_t stack[STACK_WORDS];
    unsigned depth;
    const uint8_t *start;
    struct asnap_bytes bytes;
    const struct asnap_registers *registers;
    asnap_read_word *read;
    void *context;
};

static bool push(struct machine *machine, uint64_t value)
{
    if (machine->depth == STACK_WORDS)
        return false;
    machine->stack[machine->depth++] = value;
    return true;
}

/* The word `place` below the top. */
static bool push_copy(struct machine *machine, uint64_t place)
{
    return place < machine->depth && push(machine, machine->stack[machine->depth - 1 - place]);
}

static bool push_register(struct machine *machine, uint64_t number)
{
    int64_t offset;
    if (!asnap_bytes_sleb(&machine->bytes, &offset) || number >= ASNAP_REGISTERS ||
        (machine->registers->known >> number & 1) == 0)
        return false;
    return push(machine, machine->registers->values[number] + (uint64_t)offset);
}

/* DW_OP_const1u to DW_OP_const8s: sizes double, signed ones are odd. */
static bool push_constant(struct machine *machine, uint8_t opcode)
{
    unsigned bytes = 1u << (opcode - OP_CONST1U) / 2;
    uint64_t value;
    if (!asnap_bytes_unsigned(&machine->bytes, bytes, &value))
        return false;
    unsigned spare = 64 - 8 * bytes;
    if ((opcode & 1) != 0)
        value = (uint64_t)((int64_t)(value << spare) >> spare);
    return push(machine, value);
}

static bool dereference(struct machine *machine, unsigned bytes)
{
    uint64_t *top = &machine->stack[machine->depth - 1];
    uint64_t word;
    if (bytes == 0 || bytes > 8 || !machine->read(machine->context, *top, &word))
        return false;
    *top = bytes == 8 ? word : word & ((UINT64_C(1) << 8 * bytes) - 1);
    return true;
}

static bool jump(struct machine *machine, bool taken)
{
    uint64_t raw;
    if (!asnap_bytes_unsigned(&machine->bytes, 2, &raw))
        return false;
    int64_t distance = (int16_t)raw;
    if (!taken)
        return true;
    if (distance > machine->bytes.end - machine->bytes.at ||
        -distance > machine->bytes.at - machine->start)
        return false;
    machine->bytes.at += distance;
    return true;
}

static bool combine(uint8_t opcode, uint64_t left, uint64_t right, uint64_t *result)
{
    int64_t signed_left = (int64_t)left;
    int64_t signed_right = (int64_t)right;
    switch (opcode) {
    case OP_AND:
        *result = left & right;
        return true;
    case OP_MINUS:
        *result = left - right;
        return true;
    case OP_MUL:
        *result = left * right;
        return true;
    case OP_OR:
        *result = left | right;
        return true;
    case OP_PLUS:
        *result = left + right;
        return true;
    case OP_SHL:
        *result = right < 64 ? left << right : 0;
        return true;
    case OP_SHR:
        *result = right < 64 ? left >> right : 0;
        return true;
    case OP_SHRA:
        *result = (uint64_t)(signed_left >> (right < 64 ? right : 63));
        return true;
    case OP_XOR:
        *result = left ^ right;
        return true;
    case OP_EQ:
        *result = left == right;
        return true;
    case OP_GE:
        *result = signed_left >= signed_right;
        return true;
    case OP_GT:
        *result = signed_left > signed_right;
        return true;
    case OP_LE:
        *result = signed_left <= signed_right;
        return true;
    case OP_LT:
        *result = signed_left < signed_right;
        return true;
    case OP_NE:
        *result = left != right;
        return true;
    default:
        return false;
    }
}

/* Operations that only add to the stack, or nothing. */
static bool supply(struct machine *machine, uint8_t opcode, bool *done)
{
    uint64_t value;
    int64_t number;
    *done = true;
    if (opcode >= OP_LIT0 && opcode <= OP_LIT31)
        return push(machine, opcode - OP_LIT0);
    if (opcode >= OP_BREG0 && opcode <= OP_BREG31)
        return push_register(machine, opcode - OP_BREG0);
    if (opcode >= OP_CONST1U && opcode <= OP_CONST8S)
        return push_constant(machine, opcode);
    switch (opcode) {
    case OP_ADDR:
        return asnap_bytes_unsigned(&machine->bytes, 8, &value) && push(machine, value);
    case OP_CONSTU:
        return asnap_bytes_uleb(&machine->bytes, &value) && push(machine, value);
    case OP_CONSTS:
        return asnap_bytes_sleb(&machine->bytes, &number) && push(machine, (uint64_t)number);
    case OP_BREGX:
        return asnap_bytes_uleb(&machine->bytes, &value) && push_register(machine, value);
    case OP_SKIP:
        return jump(machine, true);
    case OP_NOP:
        return true;
    default:
        *done = false;
        return true;
    }
}

/* Operations on the top of a stack that is not empty. */
static bool change_top(struct machine *machine, uint8_t opcode, bool *done)
{
    uint64_t *top = &machine->stack[machine->depth - 1];
    uint64_t value;
    *done = true;
    switch (opcode) {
    case OP_DEREF:
        return dereference(machine, 8);
    case OP_DEREF_SIZE:
        return asnap_bytes_unsigned(&machine->bytes, 1, &value) &&
               dereference(machine, (unsigned)value);
    case OP_DUP:
        return push_copy(machine, 0);
    case OP_OVER:
        return push_copy(machine, 1);
    case OP_PICK:
        return asnap_bytes_unsigned(&machine->bytes, 1, &value) && push_copy(machine, value);
    case OP_DROP:
        machine->depth--;
        return true;
    case OP_ABS:
        *top = (int64_t)*top < 0 ? 0 - *top : *top;
        return true;
    case OP_NEG:
        *top = 0 - *top;
        return true;
    case OP_NOT:
        *top = ~*top;
        return true;
    case OP_PLUS_UCONST:
        if (!asnap_bytes_uleb(&machine->bytes, &value))
            return false;
        *top += value;
        return true;
    case OP_BRA:
        return jump(machine, machine->stack[--machine->depth] != 0);
    default:
        *done = false;
        return true;
    }
}

static bool arrange(struct machine *machine, uint8_t opcode)
{
    uint64_t *top = &machine->stack[machine->depth - 1];
    uint64_t first = *top;
    if (opcode == OP_ROT) {
        if (machine->depth < 3)
            return false;
        *top = top[-1];
        top[-1] = top[-2];
        top[-2] = first;
        return true;
    }
    if (machine->depth < 2)
        return false;
    if (opcode == OP_SWAP) {
        *top = top[-1];
        top[-1] = first;
        return true;
    }
    machine->depth--;
    return combine(opcode, top[-1], first, &top[-1]);
}

static bool step(struct machine *machine)
{
    uint8_t opcode = *machine->bytes.at++;
    bool done;
    if (!supply(machine, opcode, &done))
        return false;
    if (done)
        return true;
    if (machine->depth == 0)
        return false;
    if (!change_top(machine, opcode, &done))
        return false;
    if (done)
        return true;
    return arrange(machine, opcode);
}

bool asnap_cfi_evaluate(struct asnap_bytes expression, const struct asnap_registers *registers,
                        const uint64_t *start, asnap_read_word *read, void *context,
                        uint64_t *value)
{
    struct machine machine = {
        .start = expression.at,
        .bytes = expression,
        .registers = registers,
        .read = read,
        .context = context,
    };
    if (start != NULL)
        push(&machine, *start);
    for (unsigned steps = 0; machine.bytes.at < machine.bytes.end; steps++)
        if (steps == STEPS_MAX || !step(&machine))
            return false;
    if (machine.depth == 0)
        return false;
    *value = machine.stack[machine.depth - 1];
    return true;
}
