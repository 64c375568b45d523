/* Demangling whose result may be as long as it likes: a short symbol can stand for gigabytes. */
#ifndef ASNAP_SYMBOLS_BOUNDED_DEMANGLE_H
#define ASNAP_SYMBOLS_BOUNDED_DEMANGLE_H

#include "allocsnap.h"

/* A demangler of libiberty, which calls back with one piece after the other; it keeps nothing
 * that was allocated meanwhile. 0: it does not know the symbol. */
typedef int asnap_demangler(const char *mangled, int options,
                            void (*callback)(const char *piece, size_t length, void *context),
                            void *context);

/* No name is longer, in bytes, nor longer than its symbol by more than names are: many short
 * symbols would still make gigabytes. */
#define ASNAP_NAME_BYTES_MAX ((size_t)64 * 1024)
#define ASNAP_NAME_BYTES_ALWAYS ((size_t)1024)
#define ASNAP_NAME_RATIO_MAX ((size_t)16)

/* `name` becomes what the symbol stands for (free it), or NULL where the demangler does not
 * know it, or the name is too long. */
struct asnap_error *asnap_demangle_bounded(asnap_demangler *demangler, int options,
                                           const char *symbol, char **name);

#endif
