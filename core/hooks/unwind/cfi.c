#include "cfi.h"

#include <stddef.h>
#include <string.h>

/* Call frame instructions (DWARF 5, 7.24; LSB 10.5.2 for those of GNU). The first three
 * have their operand in their lower six bits. */
enum {
    CFA_ADVANCE = 0x40,
    CFA_OFFSET = 0x80,
    CFA_RESTORE = 0xc0,
    CFA_NOP = 0x00,
    CFA_SET_LOC = 0x01,
    CFA_ADVANCE1 = 0x02,
    CFA_ADVANCE2 = 0x03,
    CFA_ADVANCE4 = 0x04,
    CFA_OFFSET_EXTENDED = 0x05,
    CFA_RESTORE_EXTENDED = 0x06,
    CFA_UNDEFINED = 0x07,
    CFA_SAME_VALUE = 0x08,
    CFA_REGISTER = 0x09,
    CFA_REMEMBER = 0x0a,
    CFA_RESTORE_STATE = 0x0b,
    CFA_DEF_CFA = 0x0c,
    CFA_DEF_CFA_REGISTER = 0x0d,
    CFA_DEF_CFA_OFFSET = 0x0e,
    CFA_DEF_CFA_EXPRESSION = 0x0f,
    CFA_EXPRESSION = 0x10,
    CFA_OFFSET_EXTENDED_SF = 0x11,
    CFA_DEF_CFA_SF = 0x12,
    CFA_DEF_CFA_OFFSET_SF = 0x13,
    CFA_VAL_OFFSET = 0x14,
    CFA_VAL_OFFSET_SF = 0x15,
    CFA_VAL_EXPRESSION = 0x16,
    CFA_AARCH64_NEGATE_RA_STATE = 0x2d,
    CFA_GNU_ARGS_SIZE = 0x2e,
    CFA_GNU_NEGATIVE_OFFSET = 0x2f,
};

/* Registers beyond those followed here (vectors) have rules that are not needed to unwind. */
static void set_rule(struct asnap_cfi *cfi, uint64_t number, struct asnap_rule rule)
{
    if (number < ASNAP_REGISTERS)
        cfi->now.registers[number] = rule;
}

static void set_number(struct asnap_cfi *cfi, uint64_t number, enum asnap_rule_kind kind,
                       int64_t value)
{
    set_rule(cfi, number, (struct asnap_rule){.kind = kind, .number = value});
}

static void restore_rule(struct asnap_cfi *cfi, uint64_t number)
{
    if (number < ASNAP_REGISTERS)
        cfi->now.registers[number] = cfi->initial.registers[number];
}

static int64_t times(uint64_t count, int64_t unit)
{
    return (int64_t)(count * (uint64_t)unit);
}

static bool set_location(struct asnap_bytes *bytes, const struct asnap_fde *fde, uint8_t opcode,
                         uint64_t *location)
{
    uint64_t delta;
    switch (opcode) {
    case CFA_SET_LOC:
        return asnap_bytes_pointer(bytes, fde->pointer_encoding, location);
    case CFA_ADVANCE1:
    case CFA_ADVANCE2:
    case CFA_ADVANCE4:
        if (!asnap_bytes_unsigned(bytes, 1u << (opcode - CFA_ADVANCE1), &delta))
            return false;
        break;
    default:
        delta = opcode & 0x3f;
        break;
    }
    *location += delta * fde->code_alignment;
    return true;
}

static bool moves(uint8_t opcode)
{
    return (opcode & 0xc0) == CFA_ADVANCE || (opcode >= CFA_SET_LOC && opcode <= CFA_ADVANCE4);
}

/* Instructions that say how to find the CFA. */
static bool define_cfa(struct asnap_cfi *cfi, struct asnap_bytes *bytes,
                       const struct asnap_fde *fde, uint8_t opcode)
{
    struct asnap_cfi_state *now = &cfi->now;
    uint64_t number = now->cfa_register;
    uint64_t offset = 0;
    int64_t factored = 0;
    struct asnap_bytes block;
    bool right = true;
    if (opcode == CFA_DEF_CFA_EXPRESSION) {
        right = asnap_bytes_block(bytes, &block);
        if (right)
            now->cfa = (struct asnap_rule){.kind = ASNAP_RULE_EXPRESSION,
                                           .expression_bytes = (uint32_t)(block.end - block.at),
                                           .expression = block.at};
        return right;
    }
    bool was_sum = now->cfa.kind == ASNAP_RULE_CFA_PLUS;
    if (opcode == CFA_DEF_CFA || opcode == CFA_DEF_CFA_SF || opcode == CFA_DEF_CFA_REGISTER)
        right = asnap_bytes_uleb(bytes, &number) && number < ASNAP_REGISTERS;
    else
        right = was_sum;
    if (opcode == CFA_DEF_CFA_REGISTER)
        offset = (uint64_t)now->cfa.number;
    else if (opcode == CFA_DEF_CFA || opcode == CFA_DEF_CFA_OFFSET)
        right = right && asnap_bytes_uleb(bytes, &offset);
    else
        right = right && asnap_bytes_sleb(bytes, &factored);
    if (opcode == CFA_DEF_CFA_REGISTER && !was_sum)
        return false;
    if (opcode == CFA_DEF_CFA_SF || opcode == CFA_DEF_CFA_OFFSET_SF)
        offset = (uint64_t)factored * (uint64_t)fde->data_alignment;
    now->cfa = (struct asnap_rule){.kind = ASNAP_RULE_CFA_PLUS, .number = (int64_t)offset};
    now->cfa_register = (uint32_t)number;
    return right;
}

/* Instructions that name a register first. */
static bool define_register(struct asnap_cfi *cfi, struct asnap_bytes *bytes,
                            const struct asnap_fde *fde, uint8_t opcode)
{
    uint64_t number;
    uint64_t value;
    int64_t factored;
    struct asnap_bytes block;
    if (!asnap_bytes_uleb(bytes, &number))
        return false;
    switch (opcode) {
    case CFA_RESTORE_EXTENDED:
        restore_rule(cfi, number);
        return true;
    case CFA_UNDEFINED:
        set_number(cfi, number, ASNAP_RULE_UNDEFINED, 0);
        return true;
    case CFA_SAME_VALUE:
        set_number(cfi, number, ASNAP_RULE_SAME, 0);
        return true;
    case CFA_OFFSET_EXTENDED:
    case CFA_VAL_OFFSET:
    case CFA_GNU_NEGATIVE_OFFSET:
    case CFA_REGISTER:
        if (!asnap_bytes_uleb(bytes, &value))
            return false;
        if (opcode == CFA_REGISTER)
            set_number(cfi, number, ASNAP_RULE_REGISTER, (int64_t)value);
        else if (opcode == CFA_GNU_NEGATIVE_OFFSET)
            set_number(cfi, number, ASNAP_RULE_AT_CFA, -times(value, fde->data_alignment));
        else
            set_number(cfi, number,
                       opcode == CFA_VAL_OFFSET ? ASNAP_RULE_CFA_PLUS : ASNAP_RULE_AT_CFA,
                       times(value, fde->data_alignment));
        return true;
    case CFA_OFFSET_EXTENDED_SF:
    case CFA_VAL_OFFSET_SF:
        if (!asnap_bytes_sleb(bytes, &factored))
            return false;
        set_number(cfi, number,
                   opcode == CFA_VAL_OFFSET_SF ? ASNAP_RULE_CFA_PLUS : ASNAP_RULE_AT_CFA,
                   times((uint64_t)factored, fde->data_alignment));
        return true;
    case CFA_EXPRESSION:
    case CFA_VAL_EXPRESSION:
        if (!asnap_bytes_block(bytes, &block))
            return false;
        set_rule(cfi, number,
                 (struct asnap_rule){.kind = opcode == CFA_EXPRESSION ? ASNAP_RULE_AT
                                                                      : ASNAP_RULE_EXPRESSION,
                                     .expression_bytes = (uint32_t)(block.end - block.at),
                                     .expression = block.at});
        return true;
    default:
        return false;
    }
}

static bool restore_state(struct asnap_cfi *cfi)
{
    if (cfi->remembered_count == 0)
        return false;
    cfi->now = cfi->remembered[--cfi->remembered_count];
    return true;
}

static bool remember_state(struct asnap_cfi *cfi)
{
    if (cfi->remembered_count == ASNAP_CFI_REMEMBERED)
        return false;
    cfi->remembered[cfi->remembered_count++] = cfi->now;
    return true;
}

static bool execute(struct asnap_cfi *cfi, struct asnap_bytes *bytes, const struct asnap_fde *fde,
                    uint8_t opcode)
{
    uint64_t value;
    switch (opcode & 0xc0) {
    case CFA_OFFSET:
        if (!asnap_bytes_uleb(bytes, &value))
            return false;
        set_number(cfi, opcode & 0x3f, ASNAP_RULE_AT_CFA, times(value, fde->data_alignment));
        return true;
    case CFA_RESTORE:
        restore_rule(cfi, opcode & 0x3f);
        return true;
    default:
        break;
    }
    switch (opcode) {
    case CFA_NOP:
        return true;
    case CFA_REMEMBER:
        return remember_state(cfi);
    case CFA_RESTORE_STATE:
        return restore_state(cfi);
    case CFA_DEF_CFA:
    case CFA_DEF_CFA_SF:
    case CFA_DEF_CFA_REGISTER:
    case CFA_DEF_CFA_OFFSET:
    case CFA_DEF_CFA_OFFSET_SF:
    case CFA_DEF_CFA_EXPRESSION:
        return define_cfa(cfi, bytes, fde, opcode);
    case CFA_AARCH64_NEGATE_RA_STATE:
        cfi->now.return_address_signed = !cfi->now.return_address_signed;
        return true;
    case CFA_GNU_ARGS_SIZE:
        return asnap_bytes_uleb(bytes, &value);
    default:
        return define_register(cfi, bytes, fde, opcode);
    }
}

/* Runs the instructions up to the row of `pc`. */
static bool run(struct asnap_cfi *cfi, struct asnap_bytes bytes, const struct asnap_fde *fde,
                uint64_t pc)
{
    uint64_t location = fde->pc_begin;
    while (bytes.at < bytes.end) {
        uint8_t opcode = *bytes.at++;
        if (moves(opcode)) {
            if (!set_location(&bytes, fde, opcode, &location))
                return false;
            if (location > pc)
                return true;
        } else if (!execute(cfi, &bytes, fde, opcode)) {
            return false;
        }
    }
    return true;
}

bool asnap_cfi_run(struct asnap_cfi *cfi, const struct asnap_fde *fde, uint64_t pc)
{
    if (fde->return_register >= ASNAP_REGISTERS)
        return false;
    memset(&cfi->now, 0, sizeof(cfi->now));
    memset(&cfi->initial, 0, sizeof(cfi->initial));
    cfi->remembered_count = 0;
    cfi->return_register = (uint32_t)fde->return_register;
    cfi->signal_frame = fde->signal_frame;
    if (!run(cfi, fde->initial, fde, UINT64_MAX))
        return false;
    cfi->initial = cfi->now;
    return run(cfi, fde->instructions, fde, pc) &&
           (cfi->now.cfa.kind == ASNAP_RULE_EXPRESSION || cfi->now.cfa.kind == ASNAP_RULE_CFA_PLUS);
}
