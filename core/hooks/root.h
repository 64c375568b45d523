/* The root of the table, which a debugger finds by this name. */
#ifndef ASNAP_HOOKS_ROOT_H
#define ASNAP_HOOKS_ROOT_H

#include "allocsnap_table.h"

/* Zero until control.c has made it ready. */
extern struct asnap_table_root allocsnap_root;

#endif
