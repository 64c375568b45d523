/* One step up the stack with all registers. */
#include "cfi.h"

#include <stddef.h>

struct step {
    const struct asnap_registers *registers;
    asnap_read_word *read;
    void *context;
    uint64_t cfa;
};

static bool is_known(const struct asnap_registers *registers, uint64_t number)
{
    return number < ASNAP_REGISTERS && (registers->known >> number & 1) != 0;
}

static bool evaluate(const struct step *step, const struct asnap_rule *rule, const uint64_t *start,
                     uint64_t *value)
{
    struct asnap_bytes expression = {rule->expression, rule->expression + rule->expression_bytes};
    return asnap_cfi_evaluate(expression, step->registers, start, step->read, step->context, value);
}

static bool find_cfa(struct step *step, const struct asnap_cfi_state *state)
{
    if (state->cfa.kind == ASNAP_RULE_EXPRESSION)
        return evaluate(step, &state->cfa, NULL, &step->cfa);
    if (!is_known(step->registers, state->cfa_register))
        return false;
    step->cfa = step->registers->values[state->cfa_register] + (uint64_t)state->cfa.number;
    return true;
}

/* Expressions of registers begin with the CFA on their stack (DWARF 5, 6.4.1). */
static bool find(const struct step *step, const struct asnap_rule *rule, uint64_t number,
                 uint64_t *value)
{
    uint64_t address;
    switch (rule->kind) {
    case ASNAP_RULE_SAME:
        *value = is_known(step->registers, number) ? step->registers->values[number] : 0;
        return is_known(step->registers, number);
    case ASNAP_RULE_AT_CFA:
        return step->read(step->context, step->cfa + (uint64_t)rule->number, value);
    case ASNAP_RULE_CFA_PLUS:
        *value = step->cfa + (uint64_t)rule->number;
        return true;
    case ASNAP_RULE_REGISTER:
        if (!is_known(step->registers, (uint64_t)rule->number))
            return false;
        *value = step->registers->values[rule->number];
        return true;
    case ASNAP_RULE_AT:
        return evaluate(step, rule, &step->cfa, &address) &&
               step->read(step->context, address, value);
    case ASNAP_RULE_EXPRESSION:
        return evaluate(step, rule, &step->cfa, value);
    case ASNAP_RULE_UNDEFINED:
    default:
        return false;
    }
}

bool asnap_cfi_apply(const struct asnap_cfi *cfi, const struct asnap_registers *registers,
                     asnap_read_word *read, void *context, struct asnap_registers *caller,
                     uint64_t *return_word)
{
    struct step step = {.registers = registers, .read = read, .context = context};
    if (!find_cfa(&step, &cfi->now))
        return false;
    caller->known = 0;
    for (uint64_t i = 0; i < ASNAP_REGISTERS; i++) {
        const struct asnap_rule *rule = &cfi->now.registers[i];
        if (i == ASNAP_REGISTER_SP && rule->kind == ASNAP_RULE_SAME)
            caller->values[i] = step.cfa;
        else if (!find(&step, rule, i, &caller->values[i]))
            continue;
        caller->known |= UINT64_C(1) << i;
    }
    if (!is_known(caller, cfi->return_register))
        return false;
    *return_word = caller->values[cfi->return_register];
    return true;
}
