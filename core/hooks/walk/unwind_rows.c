#include "unwind_rows.h"

#include <stddef.h>
#include <string.h>

#include "allocsnap_table.h"
#include "pages.h"
#include "readable.h"
#include "registered_frames.h"
#include "signal_frame.h"

enum { ROWS = 1 << 14 };

/* A row under its place in the code. The two words are written and read without a lock:
 * `check` fits only the row that was written with it. */
struct remembered {
    uint64_t check;
    uint64_t row;
};

static struct remembered *rows;
uint32_t asnap_rows_epoch;

/* The product fills the word: an epoch comes again after 2^32 others only. */
static uint64_t check_of(uint64_t pc, uint64_t row, uint64_t epoch)
{
    return pc ^ row ^ epoch * UINT64_C(0x9e3779b97f4a7c15);
}

static struct remembered *place_of(uint64_t pc)
{
    return &rows[(pc * UINT64_C(0x9e3779b97f4a7c15)) >> 50];
}

bool asnap_rows_init(void)
{
    if (rows == NULL)
        rows = asnap_pages_map(ROWS * sizeof(*rows));
    return rows != NULL;
}

void asnap_rows_forget(void)
{
    asnap_modules_forget();
    __atomic_fetch_add(&asnap_rows_epoch, 1, __ATOMIC_RELEASE);
}

static bool find_registered(uint64_t pc, unsigned avoid, struct asnap_fde *fde)
{
    return (avoid & ASNAP_AVOID_LIBGCC) == 0 && asnap_registered_find(pc, fde);
}

/* The offset as a row has it, where it is a whole number of words and fits. */
static bool to_words(int64_t bytes, int64_t half, uint64_t *words)
{
    *words = (uint64_t)(bytes / 8 + half);
    return bytes % 8 == 0 && bytes / 8 >= -half && bytes / 8 < half;
}

/* The offset of an expression DW_OP_breg(frame pointer), alone or before DW_OP_deref. */
static bool is_frame_pointer_plus(const struct asnap_rule *rule, bool dereferenced, int64_t *offset)
{
    enum { BREG0 = 0x70, DEREF = 0x06 };
    struct asnap_bytes bytes = {rule->expression, rule->expression + rule->expression_bytes};
    uint64_t opcode;
    uint64_t last = DEREF;
    return asnap_bytes_unsigned(&bytes, 1, &opcode) && opcode == BREG0 + ASNAP_REGISTER_FP &&
           asnap_bytes_sleb(&bytes, offset) &&
           (!dereferenced || asnap_bytes_unsigned(&bytes, 1, &last)) && last == DEREF &&
           bytes.at == bytes.end;
}

static bool compress_cfa(const struct asnap_cfi_state *state, struct asnap_row *row)
{
    int64_t bytes = state->cfa.number;
    uint64_t words;
    if (state->cfa.kind == ASNAP_RULE_EXPRESSION) {
        if (!is_frame_pointer_plus(&state->cfa, true, &bytes))
            return false;
        row->kind = ASNAP_ROW_INDIRECT;
    } else {
        if (state->cfa_register != ASNAP_REGISTER_SP && state->cfa_register != ASNAP_REGISTER_FP)
            return false;
        row->kind = ASNAP_ROW_REGULAR;
        row->cfa_from_fp = state->cfa_register == ASNAP_REGISTER_FP;
    }
    if (!to_words(bytes, ASNAP_ROW_CFA_HALF, &words))
        return false;
    row->cfa_words = words & (2 * ASNAP_ROW_CFA_HALF - 1);
    return true;
}

/* In `bytes`, where the frame pointer was saved. */
static bool compress_frame_pointer(const struct asnap_cfi_state *state, struct asnap_row *row,
                                   int64_t *bytes)
{
    const struct asnap_rule *rule = &state->registers[ASNAP_REGISTER_FP];
    uint64_t words;
    if (rule->kind == ASNAP_RULE_SAME)
        return true;
    *bytes = rule->number;
    if (rule->kind == ASNAP_RULE_AT
            ? row->kind != ASNAP_ROW_INDIRECT || !is_frame_pointer_plus(rule, false, bytes)
            : row->kind != ASNAP_ROW_REGULAR || rule->kind != ASNAP_RULE_AT_CFA)
        return false;
    if (!to_words(*bytes, ASNAP_ROW_FP_HALF, &words))
        return false;
    row->fp_saved = 1;
    row->fp_words = words & (2 * ASNAP_ROW_FP_HALF - 1);
    return true;
}

static bool compress_plainly(const struct asnap_cfi *cfi, struct asnap_row *row)
{
    const struct asnap_cfi_state *state = &cfi->now;
    const struct asnap_rule *address = &state->registers[cfi->return_register];
    int64_t fp_bytes = 0;
    uint64_t words;
    if (state->registers[ASNAP_REGISTER_SP].kind != ASNAP_RULE_SAME ||
        address->kind != ASNAP_RULE_AT_CFA || !compress_cfa(state, row) ||
        !compress_frame_pointer(state, row, &fp_bytes))
        return false;
    int64_t base = row->kind == ASNAP_ROW_REGULAR && row->fp_saved ? fp_bytes : 0;
    if (!to_words(address->number - base, ASNAP_ROW_RETURN_HALF, &words))
        return false;
    row->return_words = words & (2 * ASNAP_ROW_RETURN_HALF - 1);
    return true;
}

/* The rules as a row, where they are of the usual kinds. */
static void compress(const struct asnap_cfi *cfi, struct asnap_row *row)
{
    if (cfi->now.registers[cfi->return_register].kind == ASNAP_RULE_UNDEFINED)
        row->kind = ASNAP_ROW_END;
    else if (cfi->signal_frame)
        row->kind = ASNAP_ROW_SIGNAL;
    else if (!compress_plainly(cfi, row))
        row->kind = ASNAP_ROW_COMPLEX;
}

/* Code without unwind information ends the walk, unless it is known by its bytes. A
 * handler returns to the very beginning of such code. */
static void judge_by_code(uint64_t pc, struct asnap_row *row)
{
    uint64_t code = pc + 1;
    bool known = asnap_readable_page(code) &&
                 asnap_readable_page(code + ASNAP_SIGNAL_RETURN_BYTES - 1) &&
                 asnap_signal_is_return((const uint8_t *)(uintptr_t)code);
    row->kind = known ? ASNAP_ROW_SIGNAL : ASNAP_ROW_END;
}

/* Whoever makes a stack by hand may put an address at its end that nothing returns to. */
static void doubt(uint64_t pc, const struct asnap_fde *fde, struct asnap_row *row)
{
    enum { CALL_BYTES = 8 };
    if (row->kind != ASNAP_ROW_REGULAR && row->kind != ASNAP_ROW_INDIRECT)
        return;
    uint64_t before = pc + 1 - fde->pc_begin;
    if (before > CALL_BYTES)
        before = CALL_BYTES;
    if (asnap_readable_page(pc) && asnap_readable_page(pc + 1 - before) &&
        !asnap_arch_follows_call((const uint8_t *)(uintptr_t)(pc + 1), before))
        row->kind = row->kind == ASNAP_ROW_REGULAR ? ASNAP_ROW_DOUBTFUL : ASNAP_ROW_COMPLEX;
}

static enum asnap_row_search work_out(uint64_t pc, unsigned avoid, struct asnap_cfi *cfi,
                                      struct asnap_row *row)
{
    struct asnap_loaded_module module;
    struct asnap_fde fde;
    memset(row, 0, sizeof(*row));
    enum asnap_module_search search = asnap_modules_find(pc, avoid, &module);
    if (search == ASNAP_MODULE_NONE) {
        if (find_registered(pc, avoid, &fde) && asnap_cfi_run(cfi, &fde, pc))
            compress(cfi, row);
        else
            judge_by_code(pc, row);
        return ASNAP_ROW_FLEETING;
    }
    row->module = module.number & UINT16_MAX;
    if (!asnap_fde_find(module.unwind_table, module.unwind_readable, pc, &fde))
        judge_by_code(pc, row);
    else if (asnap_cfi_run(cfi, &fde, pc))
        compress(cfi, row);
    else
        row->kind = ASNAP_ROW_END;
    doubt(pc, &fde, row);
    return search == ASNAP_MODULE_FOUND ? ASNAP_ROW_FOUND : ASNAP_ROW_FLEETING;
}

static inline bool is_known(uint64_t pc, uint64_t epoch, struct asnap_row *row)
{
    const struct remembered *place = place_of(pc);
    uint64_t word = __atomic_load_n(&place->row, __ATOMIC_RELAXED);
    uint64_t check = __atomic_load_n(&place->check, __ATOMIC_RELAXED);
    memcpy(row, &word, sizeof(*row));
    return check == check_of(pc, word, epoch) && word != 0;
}

bool asnap_row_is_known(uint64_t pc, struct asnap_row *row)
{
    return is_known(pc, __atomic_load_n(&asnap_rows_epoch, __ATOMIC_RELAXED), row);
}

enum asnap_row_search asnap_row_find(uint64_t pc, unsigned avoid, struct asnap_cfi *cfi,
                                     struct asnap_row *row)
{
    uint64_t epoch = __atomic_load_n(&asnap_rows_epoch, __ATOMIC_RELAXED);
    if (is_known(pc, epoch, row))
        return ASNAP_ROW_FOUND;
    enum asnap_row_search search = work_out(pc, avoid, cfi, row);
    if (search == ASNAP_ROW_FOUND) {
        struct remembered *place = place_of(pc);
        uint64_t word;
        memcpy(&word, row, sizeof(word));
        __atomic_store_n(&place->row, word, __ATOMIC_RELAXED);
        __atomic_store_n(&place->check, check_of(pc, word, epoch), __ATOMIC_RELAXED);
    }
    return search;
}

bool asnap_row_rules(uint64_t pc, unsigned avoid, struct asnap_cfi *cfi, uint32_t *module)
{
    struct asnap_loaded_module found;
    struct asnap_fde fde;
    *module = 0;
    enum asnap_module_search search = asnap_modules_find(pc, avoid, &found);
    bool described = search != ASNAP_MODULE_NONE
                         ? asnap_fde_find(found.unwind_table, found.unwind_readable, pc, &fde)
                         : find_registered(pc, avoid, &fde);
    if (search != ASNAP_MODULE_NONE)
        *module = found.number;
    return described && asnap_cfi_run(cfi, &fde, pc);
}
