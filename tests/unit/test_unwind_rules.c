/* core/hooks/unwind/cfi.c, cfi_apply.c and cfi_expression.c on instructions made here. Numbers of
 * registers are those of both processors. */
#include <stdlib.h>
#include <string.h>

#include "cfi.h"
#include "unit.h"

enum { PC = 0x1000, CFA = 0x7000, RETURN_COLUMN = ASNAP_REGISTERS - 1 - (ASNAP_REGISTERS > 17) };

static struct asnap_cfi cfi;

/* Runs instructions, after "CFA = register 5 + 8" in common, up to PC + `offset`. */
static bool run_to(const uint8_t *bytes, size_t size, uint64_t offset)
{
    static const uint8_t common[] = {0x0c, 5, 8, 0x83, 2};
    /* What comes after the end must not be looked at. */
    uint8_t *own = malloc(size == 0 ? 1 : size);
    if (size != 0)
        memcpy(own, bytes, size);
    const struct asnap_fde fde = {
        .pc_begin = PC,
        .pc_end = PC + 0x100000,
        .code_alignment = 2,
        .data_alignment = -8,
        .return_register = RETURN_COLUMN,
        .initial = {common, common + sizeof(common)},
        .instructions = {own, own + size},
    };
    bool done = asnap_cfi_run(&cfi, &fde, PC + offset);
    free(own);
    return done;
}

#define RUN_TO(OFFSET, ...)                                                                        \
    run_to((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), (OFFSET))

static bool cfa_is(uint32_t number, int64_t offset)
{
    return cfi.now.cfa.kind == ASNAP_RULE_CFA_PLUS && cfi.now.cfa_register == number &&
           cfi.now.cfa.number == offset;
}

static bool rule_is(unsigned number, enum asnap_rule_kind kind, int64_t value)
{
    return cfi.now.registers[number].kind == kind && cfi.now.registers[number].number == value;
}

ASNAP_TEST(unwind_rules, hold_from_their_location_on)
{
    CU_ASSERT_TRUE(RUN_TO(0, 0x41, 0x0e, 16));
    CU_ASSERT_TRUE(cfa_is(5, 8));
    CU_ASSERT_TRUE(RUN_TO(1, 0x41, 0x0e, 16));
    CU_ASSERT_TRUE(cfa_is(5, 8));
    CU_ASSERT_TRUE(RUN_TO(2, 0x41, 0x0e, 16));
    CU_ASSERT_TRUE(cfa_is(5, 16));
    CU_ASSERT_TRUE(RUN_TO(0x1fd, 0x02, 0xff, 0x0e, 16));
    CU_ASSERT_TRUE(cfa_is(5, 8));
    CU_ASSERT_TRUE(RUN_TO(0x1fe, 0x02, 0xff, 0x0e, 16));
    CU_ASSERT_TRUE(cfa_is(5, 16));
    CU_ASSERT_TRUE(RUN_TO(0x200, 0x03, 0x00, 0x01, 0x0e, 16));
    CU_ASSERT_TRUE(cfa_is(5, 16));
    CU_ASSERT_TRUE(RUN_TO(0x1ffff, 0x04, 0x00, 0x00, 0x01, 0x00, 0x0e, 16));
    CU_ASSERT_TRUE(cfa_is(5, 8));
    CU_ASSERT_TRUE(RUN_TO(0x20000, 0x04, 0x00, 0x00, 0x01, 0x00, 0x0e, 16));
    CU_ASSERT_TRUE(cfa_is(5, 16));
    CU_ASSERT_TRUE(RUN_TO(0x10, 0x01, 0x10, 0x10, 0, 0, 0, 0, 0, 0, 0x0e, 16));
    CU_ASSERT_TRUE(cfa_is(5, 16));
}

ASNAP_TEST(unwind_rules, say_where_the_cfa_is)
{
    CU_ASSERT_TRUE(RUN_TO(0, 0x0c, 6, 0x90, 1));
    CU_ASSERT_TRUE(cfa_is(6, 144));
    CU_ASSERT_TRUE(RUN_TO(0, 0x0d, 3));
    CU_ASSERT_TRUE(cfa_is(3, 8));
    CU_ASSERT_TRUE(RUN_TO(0, 0x0e, 24));
    CU_ASSERT_TRUE(cfa_is(5, 24));
    CU_ASSERT_TRUE(RUN_TO(0, 0x12, 4, 0x7e));
    CU_ASSERT_TRUE(cfa_is(4, 16));
    CU_ASSERT_TRUE(RUN_TO(0, 0x13, 0x7d));
    CU_ASSERT_TRUE(cfa_is(5, 24));
    CU_ASSERT_TRUE(RUN_TO(0, 0x0f, 2, 0x75, 0));
    CU_ASSERT_EQUAL(cfi.now.cfa.kind, ASNAP_RULE_EXPRESSION);
    CU_ASSERT_EQUAL(cfi.now.cfa.expression_bytes, 2);
    /* An offset of an expression, and a register that is none. */
    CU_ASSERT_FALSE(RUN_TO(0, 0x0f, 2, 0x75, 0, 0x0e, 8));
    CU_ASSERT_FALSE(RUN_TO(0, 0x0f, 2, 0x75, 0, 0x0d, 3));
    CU_ASSERT_FALSE(RUN_TO(0, 0x0c, ASNAP_REGISTERS, 8));
}

ASNAP_TEST(unwind_rules, say_where_registers_are)
{
    CU_ASSERT_TRUE(RUN_TO(0, 0));
    CU_ASSERT_TRUE(rule_is(3, ASNAP_RULE_AT_CFA, -16));
    CU_ASSERT_TRUE(rule_is(4, ASNAP_RULE_SAME, 0));
    CU_ASSERT_TRUE(RUN_TO(0, 0x84, 3));
    CU_ASSERT_TRUE(rule_is(4, ASNAP_RULE_AT_CFA, -24));
    CU_ASSERT_TRUE(RUN_TO(0, 0x05, 4, 4));
    CU_ASSERT_TRUE(rule_is(4, ASNAP_RULE_AT_CFA, -32));
    CU_ASSERT_TRUE(RUN_TO(0, 0x11, 4, 0x7f));
    CU_ASSERT_TRUE(rule_is(4, ASNAP_RULE_AT_CFA, 8));
    CU_ASSERT_TRUE(RUN_TO(0, 0x2f, 4, 2));
    CU_ASSERT_TRUE(rule_is(4, ASNAP_RULE_AT_CFA, 16));
    CU_ASSERT_TRUE(RUN_TO(0, 0x14, 4, 2));
    CU_ASSERT_TRUE(rule_is(4, ASNAP_RULE_CFA_PLUS, -16));
    CU_ASSERT_TRUE(RUN_TO(0, 0x15, 4, 0x7e));
    CU_ASSERT_TRUE(rule_is(4, ASNAP_RULE_CFA_PLUS, 16));
    CU_ASSERT_TRUE(RUN_TO(0, 0x09, 4, 6));
    CU_ASSERT_TRUE(rule_is(4, ASNAP_RULE_REGISTER, 6));
    CU_ASSERT_TRUE(RUN_TO(0, 0x07, 4));
    CU_ASSERT_TRUE(rule_is(4, ASNAP_RULE_UNDEFINED, 0));
    CU_ASSERT_TRUE(RUN_TO(0, 0x08, 3));
    CU_ASSERT_TRUE(rule_is(3, ASNAP_RULE_SAME, 0));
    CU_ASSERT_TRUE(RUN_TO(0, 0x10, 4, 1, 0x96));
    CU_ASSERT_EQUAL(cfi.now.registers[4].kind, ASNAP_RULE_AT);
    CU_ASSERT_TRUE(RUN_TO(0, 0x16, 4, 1, 0x96));
    CU_ASSERT_EQUAL(cfi.now.registers[4].kind, ASNAP_RULE_EXPRESSION);
    CU_ASSERT_TRUE(RUN_TO(0, 0x08, 3, 0xc3, 0x08, 3, 0x06, 3));
    CU_ASSERT_TRUE(rule_is(3, ASNAP_RULE_AT_CFA, -16));
    /* Beyond what is followed: vectors. */
    CU_ASSERT_TRUE(RUN_TO(0, 0x05, 100, 4, 0x06, 100, 0x07, 100, 0x2e, 0x80, 1, 0x2d));
    CU_ASSERT_TRUE(cfi.now.return_address_signed);
}

ASNAP_TEST(unwind_rules, are_remembered_and_restored)
{
    CU_ASSERT_TRUE(RUN_TO(0, 0x0a, 0x0e, 99, 0x84, 3, 0x0b));
    CU_ASSERT_TRUE(cfa_is(5, 8));
    CU_ASSERT_TRUE(rule_is(4, ASNAP_RULE_SAME, 0));
    CU_ASSERT_TRUE(RUN_TO(0, 0x0a, 0x0e, 16, 0x0a, 0x0e, 24, 0x0a, 0x0e, 32, 0x0b, 0x0b));
    CU_ASSERT_TRUE(cfa_is(5, 16));
    CU_ASSERT_FALSE(RUN_TO(0, 0x0b));
    CU_ASSERT_TRUE(RUN_TO(0, 0x0a, 0x0a, 0x0a, 0x0a));
    CU_ASSERT_FALSE(RUN_TO(0, 0x0a, 0x0a, 0x0a, 0x0a, 0x0a));
}

ASNAP_TEST(unwind_rules, end_where_their_bytes_end)
{
    static const uint8_t all[][10] = {
        {9, 0x01, 1, 2, 3, 4, 5, 6, 7, 8},
        {2, 0x02, 1},
        {3, 0x03, 1, 2},
        {5, 0x04, 1, 2, 3, 4},
        {3, 0x05, 4, 1},
        {2, 0x06, 4},
        {2, 0x07, 4},
        {2, 0x08, 4},
        {3, 0x09, 4, 1},
        {3, 0x0c, 4, 1},
        {2, 0x0d, 4},
        {2, 0x0e, 4},
        {3, 0x0f, 1, 0x96},
        {4, 0x10, 4, 1, 0x96},
        {3, 0x11, 4, 1},
        {3, 0x12, 4, 1},
        {2, 0x13, 1},
        {3, 0x14, 4, 1},
        {3, 0x15, 4, 1},
        {4, 0x16, 4, 1, 0x96},
        {2, 0x2e, 1},
        {3, 0x2f, 4, 1},
        {2, 0x84, 1},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        for (size_t size = 1; size < all[i][0]; size++)
            CU_ASSERT_FALSE(run_to(all[i] + 1, size, UINT32_MAX));
        CU_ASSERT_TRUE(run_to(all[i] + 1, all[i][0], UINT32_MAX));
    }
    CU_ASSERT_FALSE(RUN_TO(0, 0x3f, 1, 1));
    CU_ASSERT_FALSE(RUN_TO(0, 0x17, 1, 1));
    CU_ASSERT_TRUE(run_to(NULL, 0, 0));
}

/* ---- applied ---- */

/* Memory of the words 1000, 1008, ... at CFA - 64 on, up to CFA. */
static bool read_word(void *context, uint64_t address, uint64_t *word)
{
    (void)context;
    if (address < CFA - 64 || address >= CFA || address % 8 != 0)
        return false;
    *word = 1000 + (address - (CFA - 64));
    return true;
}

static struct asnap_registers registers_known(void)
{
    struct asnap_registers registers = {.known = 0xff};
    for (unsigned i = 0; i < 8; i++)
        registers.values[i] = 10 * i;
    registers.values[5] = CFA - 8;
    return registers;
}

ASNAP_TEST(unwind_rules, give_the_registers_of_the_caller)
{
    struct asnap_registers registers = registers_known();
    struct asnap_registers caller;
    uint64_t word = 0;
    static const uint8_t bytes[] = {
        0x80 | RETURN_COLUMN,
        1,
        0x09,
        0,
        1,
        0x07,
        1,
        0x14,
        2,
        1,
        0x16,
        4,
        2,
        0x23,
        5, /* the CFA plus 5 */
    };
    const struct asnap_fde fde = {
        .pc_begin = PC,
        .code_alignment = 1,
        .data_alignment = -8,
        .return_register = RETURN_COLUMN,
        .initial = {(const uint8_t[]){0x0c, 5, 8}, NULL},
        .instructions = {bytes, bytes + sizeof(bytes)},
    };
    struct asnap_fde whole = fde;
    whole.initial.end = whole.initial.at + 3;
    CU_ASSERT_TRUE_FATAL(asnap_cfi_run(&cfi, &whole, PC));
    CU_ASSERT_TRUE_FATAL(asnap_cfi_apply(&cfi, &registers, read_word, NULL, &caller, &word));
    CU_ASSERT_EQUAL(word, 1056);
    CU_ASSERT_EQUAL(caller.values[0], 10);
    CU_ASSERT_EQUAL(caller.known >> 1 & 1, 0);
    CU_ASSERT_EQUAL(caller.values[2], CFA - 8);
    CU_ASSERT_EQUAL(caller.values[3], 30);
    CU_ASSERT_EQUAL(caller.values[4], CFA + 5);
    CU_ASSERT_EQUAL(caller.values[ASNAP_REGISTER_SP], CFA);
    registers.known &= ~(UINT64_C(1) << 5);
    CU_ASSERT_FALSE(asnap_cfi_apply(&cfi, &registers, read_word, NULL, &caller, &word));
    registers.known |= UINT64_C(1) << 5;
    registers.values[5] = CFA + 8;
    CU_ASSERT_FALSE(asnap_cfi_apply(&cfi, &registers, read_word, NULL, &caller, &word));
}

/* ---- expressions ---- */

static bool evaluate(const uint8_t *bytes, size_t size, uint64_t *value)
{
    struct asnap_registers registers = registers_known();
    uint8_t *own = malloc(size);
    memcpy(own, bytes, size);
    bool done = asnap_cfi_evaluate((struct asnap_bytes){own, own + size}, &registers,
                                   &(uint64_t){CFA}, read_word, NULL, value);
    free(own);
    return done;
}

#define GIVES(VALUE, ...)                                                                          \
    (evaluate((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), &value) &&   \
     value == (uint64_t)(VALUE))
#define GIVES_NOTHING(...)                                                                         \
    (!evaluate((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), &value))

ASNAP_TEST(unwind_rules, may_be_expressions_of_constants_and_registers)
{
    uint64_t value = 0;
    CU_ASSERT_TRUE(GIVES(CFA, 0x96));
    CU_ASSERT_TRUE(GIVES(0x0807060504030201, 0x03, 1, 2, 3, 4, 5, 6, 7, 8));
    CU_ASSERT_TRUE(GIVES(0xff, 0x08, 0xff));
    CU_ASSERT_TRUE(GIVES(-1, 0x09, 0xff));
    CU_ASSERT_TRUE(GIVES(0xfffe, 0x0a, 0xfe, 0xff));
    CU_ASSERT_TRUE(GIVES(-2, 0x0b, 0xfe, 0xff));
    CU_ASSERT_TRUE(GIVES(0xfffffffe, 0x0c, 0xfe, 0xff, 0xff, 0xff));
    CU_ASSERT_TRUE(GIVES(-2, 0x0d, 0xfe, 0xff, 0xff, 0xff));
    CU_ASSERT_TRUE(GIVES(1, 0x0e, 1, 0, 0, 0, 0, 0, 0, 0));
    CU_ASSERT_TRUE(GIVES(1, 0x0f, 1, 0, 0, 0, 0, 0, 0, 0));
    CU_ASSERT_TRUE(GIVES(128, 0x10, 0x80, 1));
    CU_ASSERT_TRUE(GIVES(-128, 0x11, 0x80, 0x7f));
    CU_ASSERT_TRUE(GIVES(0, 0x30));
    CU_ASSERT_TRUE(GIVES(31, 0x4f));
    CU_ASSERT_TRUE(GIVES(28, 0x73, 0x7e));
    CU_ASSERT_TRUE(GIVES(28, 0x92, 3, 0x7e));
    CU_ASSERT_TRUE(GIVES_NOTHING(0x78, 0));
    CU_ASSERT_TRUE(GIVES_NOTHING(0x92, 100, 0));
    CU_ASSERT_TRUE(GIVES(1056, 0x38, 0x1c, 0x06));
    CU_ASSERT_TRUE(GIVES(1056 & 0xff, 0x38, 0x1c, 0x94, 1));
    CU_ASSERT_TRUE(GIVES_NOTHING(0x06));
    CU_ASSERT_TRUE(GIVES_NOTHING(0x38, 0x1c, 0x94, 9));
    CU_ASSERT_TRUE(GIVES_NOTHING(0x38, 0x1c, 0x94, 0));
}

ASNAP_TEST(unwind_rules, may_be_expressions_that_reckon)
{
    uint64_t value = 0;
    CU_ASSERT_TRUE(GIVES(CFA + 3, 0x33, 0x22));
    CU_ASSERT_TRUE(GIVES(CFA + 130, 0x23, 0x82, 1));
    CU_ASSERT_TRUE(GIVES(2, 0x32, 0x12, 0x14, 0x13));
    CU_ASSERT_TRUE(GIVES(7, 0x37, 0x32, 0x15, 1));
    CU_ASSERT_TRUE(GIVES(5, 0x33, 0x35, 0x16, 0x13));
    CU_ASSERT_TRUE(GIVES(2, 0x31, 0x32, 0x33, 0x17));
    CU_ASSERT_TRUE(GIVES(5, 0x09, 0xfb, 0x19));
    CU_ASSERT_TRUE(GIVES(-5, 0x35, 0x1f));
    CU_ASSERT_TRUE(GIVES(-6, 0x35, 0x20));
    CU_ASSERT_TRUE(GIVES(4, 0x36, 0x3c, 0x1a));
    CU_ASSERT_TRUE(GIVES(14, 0x36, 0x3c, 0x21));
    CU_ASSERT_TRUE(GIVES(10, 0x36, 0x3c, 0x27));
    CU_ASSERT_TRUE(GIVES(72, 0x36, 0x3c, 0x1e));
    CU_ASSERT_TRUE(GIVES(24, 0x36, 0x32, 0x24));
    CU_ASSERT_TRUE(GIVES(0, 0x36, 0x08, 64, 0x24));
    CU_ASSERT_TRUE(GIVES(1, 0x36, 0x32, 0x25));
    CU_ASSERT_TRUE(GIVES(-1, 0x09, 0xfe, 0x08, 200, 0x26));
    CU_ASSERT_TRUE(GIVES(1, 0x36, 0x36, 0x29));
    CU_ASSERT_TRUE(GIVES(1, 0x36, 0x09, 0xfe, 0x2a));
    CU_ASSERT_TRUE(GIVES(0, 0x36, 0x36, 0x2b));
    CU_ASSERT_TRUE(GIVES(1, 0x36, 0x36, 0x2c));
    CU_ASSERT_TRUE(GIVES(1, 0x09, 0xfe, 0x36, 0x2d));
    CU_ASSERT_TRUE(GIVES(0, 0x36, 0x36, 0x2e));
    /* Jumps, over what would not be known. */
    CU_ASSERT_TRUE(GIVES(CFA, 0x2f, 1, 0, 0xff));
    CU_ASSERT_TRUE(GIVES(CFA, 0x31, 0x28, 1, 0, 0xff));
    CU_ASSERT_TRUE(GIVES(4, 0x30, 0x28, 1, 0, 0x34));
    /* A linker's rule for lazy binding: 8 more in the second half of an entry. */
    CU_ASSERT_TRUE(GIVES(CFA - 8 + 8 + 8, 0x75, 8, 0x3f, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22));
}

ASNAP_TEST(unwind_rules, are_refused_where_their_expression_is_damaged)
{
    uint64_t value = 0;
    CU_ASSERT_TRUE(GIVES_NOTHING(0x13));
    CU_ASSERT_TRUE(GIVES_NOTHING(0x22));
    CU_ASSERT_TRUE(GIVES_NOTHING(0x16));
    CU_ASSERT_TRUE(GIVES_NOTHING(0x31, 0x17));
    CU_ASSERT_TRUE(GIVES_NOTHING(0x14));
    CU_ASSERT_TRUE(GIVES_NOTHING(0x15, 1));
    CU_ASSERT_TRUE(GIVES_NOTHING(0x13, 0x12));
    CU_ASSERT_TRUE(GIVES_NOTHING(0xff));
    CU_ASSERT_TRUE(GIVES_NOTHING(0x31, 0x31, 0x1b));
    CU_ASSERT_TRUE(GIVES_NOTHING(0x2f, 2, 0, 0xff));
    CU_ASSERT_TRUE(GIVES_NOTHING(0x2f, 0xfc, 0xff));
    CU_ASSERT_TRUE(GIVES_NOTHING(0x2f, 0xfd, 0xff)); /* for ever */
    static const uint8_t cut[][3] = {{0x03, 1, 2}, {0x08},       {0x0a, 1}, {0x10, 0x80},
                                     {0x11, 0x80}, {0x75, 0x80}, {0x92, 5}, {0x23, 0x80},
                                     {0x94},       {0x15},       {0x2f, 1}};
    static const size_t sizes[] = {3, 1, 2, 2, 2, 2, 2, 2, 1, 1, 2};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        CU_ASSERT_FALSE(evaluate(cut[i], sizes[i], &value));
    uint8_t many[17];
    memset(many, 0x31, sizeof(many));
    CU_ASSERT_TRUE(evaluate(many, 15, &value));
    CU_ASSERT_FALSE(evaluate(many, 16, &value));
}
