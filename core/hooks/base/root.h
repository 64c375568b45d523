/* The root of the table, which a debugger finds by this name. */
#ifndef ASNAP_HOOKS_ROOT_H
#define ASNAP_HOOKS_ROOT_H

#include "allocsnap_table.h"

/* Part of what every call of the program goes through: made part of its callers, since
 * saving and restoring registers at each step costs as much as the steps do. */
#define ASNAP_HOT inline __attribute__((always_inline))

/* Zero until control.c has made it ready. A debugger finds it as `allocsnap_table`: hooks of
 * table version 2 export theirs by this name here and use the first that the linker finds by
 * it, which must not be that of others. */
extern struct asnap_table_root allocsnap_root;

#endif
