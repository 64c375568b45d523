/* How to get from one frame to its caller's, for one place in the code: worked out once,
 * then remembered for all threads. */
#ifndef ASNAP_HOOKS_UNWIND_ROWS_H
#define ASNAP_HOOKS_UNWIND_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "cfi.h"
#include "loaded_modules.h"

enum asnap_row_kind {
    ASNAP_ROW_REGULAR = 1, /* the CFA is the stack or frame pointer plus a number */
    ASNAP_ROW_INDIRECT,    /* the CFA is the word at the frame pointer plus a number */
    ASNAP_ROW_SIGNAL,      /* the caller was interrupted: all its registers are in memory */
    ASNAP_ROW_COMPLEX,     /* to be had with all registers only */
    ASNAP_ROW_DOUBTFUL,    /* REGULAR, but no call returns there: it was interrupted there, or
                              the walk has left the stack */
    ASNAP_ROW_END,         /* there is no caller, or nothing is known of it */
};

/* Offsets are in words of 8 bytes, plus half of what their bits can hold. */
struct asnap_row {
    uint64_t kind : 3;
    uint64_t cfa_from_fp : 1; /* else from the stack pointer */
    uint64_t fp_saved : 1;    /* else the frame pointer is unchanged */
    uint64_t module : 16;     /* the code's, among the table's modules */
    uint64_t cfa_words : 18;
    uint64_t fp_words : 15;     /* to the saved frame pointer, from the CFA; INDIRECT: from the
                                   frame pointer */
    uint64_t return_words : 10; /* to the return address, from the saved frame pointer where
                                   there is one, else, and INDIRECT, from the CFA */
};

_Static_assert(sizeof(struct asnap_row) == 8, "a row is one word");

enum { ASNAP_ROW_CFA_HALF = 1 << 17, ASNAP_ROW_FP_HALF = 1 << 14, ASNAP_ROW_RETURN_HALF = 1 << 9 };

/* The offset that `words` of a row stand for, in bytes. */
static inline uint64_t asnap_row_bytes(uint64_t words, uint64_t half)
{
    return (words - half) * 8;
}

enum asnap_row_search {
    ASNAP_ROW_FOUND,
    ASNAP_ROW_FLEETING, /* found, but may be another when this code is met again */
};

/* Makes the memory for the rows. False: there is none. */
bool asnap_rows_init(void);

/* Whether the row of the code at `pc` was worked out before; then in `row`. */
bool asnap_row_is_known(uint64_t pc, struct asnap_row *row);

/* The row of the code at `pc`. `cfi` is room to work in, `avoid` holds asnap_avoid flags. */
enum asnap_row_search asnap_row_find(uint64_t pc, unsigned avoid, struct asnap_cfi *cfi,
                                     struct asnap_row *row);

/* The same in full: runs the call frame instructions into `cfi`. False: there are
 * none that can be followed. */
bool asnap_row_rules(uint64_t pc, unsigned avoid, struct asnap_cfi *cfi, uint32_t *module);

/* Forgets all rows; after a file was unloaded. */
void asnap_rows_forget(void);

/* Changes whenever rows are forgotten. */
extern uint32_t asnap_rows_epoch;

#endif
