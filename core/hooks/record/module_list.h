/* The files with code that stacks have gone through, as the root lists them. */
#ifndef ASNAP_HOOKS_MODULE_LIST_H
#define ASNAP_HOOKS_MODULE_LIST_H

#include "allocsnap_table.h"

/* The number of the module with this start, end, path and build ID; where there is none,
 * it is added (`path` is copied; `module->path` and `path_bytes` are ignored). 0: there is
 * no place or no memory for it, its start is not below its end, or its path is longer than
 * ASNAP_TABLE_PATH_BYTES. A number is good for ever. */
uint32_t asnap_module_list_add(const struct asnap_table_module *module, const char *path);

/* In a child (process.h), as asnap_records_mend. */
void asnap_module_list_mend(const uint32_t *only);

#endif
