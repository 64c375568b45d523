/* Calls of malloc that a debugger makes, not the program: gdb has the program allocate what a
 * string in an expression is to lie in (strcmp(name, "x"); every string in Rust), each time that
 * the expression is evaluated, and never frees it. Such blocks are not the program's. */
#ifndef ASNAP_HOOKS_DEBUGGER_CALL_H
#define ASNAP_HOOKS_DEBUGGER_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "walker.h"

/* How far above the stack pointer gdb's call returns to: its breakpoint is the first thing that
 * it puts on the stack, before it aligns it. */
enum { ASNAP_DEBUGGER_CALL_BYTES = 64 };

/* Where the program starts; 0: unknown. */
extern uint64_t asnap_program_entry;

/* Learns where the program starts; before the first question. */
void asnap_debugger_call_init(void);

/* Whether a call returns to where only a debugger's breakpoint can be: on the stack just above
 * the call (gdb on x86-64), or at the program's entry point (gdb elsewhere, LLDB), before which
 * no call stands. */
static inline bool asnap_is_debugger_call(const struct asnap_caller *caller)
{
    return __builtin_expect(caller->pc - caller->sp < ASNAP_DEBUGGER_CALL_BYTES ||
                                caller->pc == asnap_program_entry,
                            0);
}

#endif
