/* The rules by which the registers of a caller are found from those of its callee: what
 * the call frame instructions say for one place in the code (DWARF 5, 6.4). */
#ifndef ASNAP_HOOKS_CFI_H
#define ASNAP_HOOKS_CFI_H

#include <stdbool.h>
#include <stdint.h>

#include "arch.h"
#include "eh_frame.h"

/* Where a register of the caller is (DWARF 5, 6.4.1). */
enum asnap_rule_kind {
    ASNAP_RULE_SAME = 0,   /* unchanged; also where nothing is said */
    ASNAP_RULE_UNDEFINED,  /* cannot be found */
    ASNAP_RULE_AT_CFA,     /* in memory, at the CFA plus `number` */
    ASNAP_RULE_CFA_PLUS,   /* the CFA plus `number` */
    ASNAP_RULE_REGISTER,   /* in register `number` */
    ASNAP_RULE_AT,         /* in memory, at what the expression gives */
    ASNAP_RULE_EXPRESSION, /* what the expression gives */
};

struct asnap_rule {
    enum asnap_rule_kind kind;
    uint32_t expression_bytes;
    union {
        int64_t number;
        const uint8_t *expression;
    };
};

struct asnap_cfi_state {
    struct asnap_rule cfa; /* ASNAP_RULE_EXPRESSION, or CFA_PLUS: `cfa_register` plus number */
    uint32_t cfa_register;
    bool return_address_signed; /* aarch64: by DW_CFA_AARCH64_negate_ra_state */
    struct asnap_rule registers[ASNAP_REGISTERS];
};

enum { ASNAP_CFI_REMEMBERED = 4 };

/* The rules, and the room that working them out takes. */
struct asnap_cfi {
    struct asnap_cfi_state now;
    struct asnap_cfi_state initial;
    struct asnap_cfi_state remembered[ASNAP_CFI_REMEMBERED];
    uint32_t remembered_count;
    uint32_t return_register;
    bool signal_frame;
};

/* Works out the rules for `pc`, which the entry describes, into cfi->now. False: the
 * instructions are damaged or beyond what is known here. */
bool asnap_cfi_run(struct asnap_cfi *cfi, const struct asnap_fde *fde, uint64_t pc);

/* Registers of one frame; bit i of `known` says that values[i] is. */
struct asnap_registers {
    uint64_t known;
    uint64_t values[ASNAP_REGISTERS];
};

/* How memory of the stack is read: false where it cannot be. */
typedef bool asnap_read_word(void *context, uint64_t address, uint64_t *word);

/* The value of a DWARF expression (DWARF 5, 2.5) over the registers; `start` is put on its
 * stack first where it is not NULL. False: it needs what is not known. */
bool asnap_cfi_evaluate(struct asnap_bytes expression, const struct asnap_registers *registers,
                        const uint64_t *start, asnap_read_word *read, void *context,
                        uint64_t *value);

/* From a frame's registers to its caller's, by the rules in cfi->now. `return_word` is the
 * return address as it was stored. False: there is no caller, or it cannot be known. */
bool asnap_cfi_apply(const struct asnap_cfi *cfi, const struct asnap_registers *registers,
                     asnap_read_word *read, void *context, struct asnap_registers *caller,
                     uint64_t *return_word);

#endif
