/* Functions of malloc's family that the program, or a library before the hooks, defines: they have
 * the program's calls in place of the hooks'. Such a one may still do what it is for by a function
 * of the hooks, so that nothing is missed. That is noticed when the hooks are called: they are
 * called from it, or the code of it goes on to them, which it may have left to its own caller, or
 * have been made a part of. */
#ifndef ASNAP_HOOKS_PRECEDING_H
#define ASNAP_HOOKS_PRECEDING_H

#include <stdbool.h>
#include <stdint.h>

#include "linker.h"
#include "root.h"

/* Looks for a definition of `name` before the hooks' own, and notes it in the root as `function`,
 * a bit of asnap_table_functions. */
bool asnap_preceding_find(struct asnap_libraries *libraries, const char *name, uint32_t function);

/* Notes that the definition of this function has passed a call on. */
void asnap_preceding_passed(uint32_t function);

/* Which of asnap_table_functions are defined before the hooks, and have not been seen to pass
 * calls on. */
static inline uint32_t asnap_preceding_doubtful(void)
{
    return allocsnap_root.preceded & ~allocsnap_root.passed_on;
}

/* Notes it of the function with this code, where it is one of `functions`: a hook has been called
 * from there. What takes blocks back may be called so by one that makes them elsewhere. */
void asnap_preceding_called_from(uint64_t pc, uint32_t functions);

/* Notes it of those functions with code that goes on to the hooks. */
void asnap_preceding_read_code(void);

#endif
