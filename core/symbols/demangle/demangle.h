/* Readable names of C++ and Rust functions. */
#ifndef ASNAP_SYMBOLS_DEMANGLE_H
#define ASNAP_SYMBOLS_DEMANGLE_H

#include "allocsnap.h"

/* The readable form of a symbol's name, by the Itanium C++ ABI, section 5.1
 * "External Names", or of a Rust one; a symbol version ("@VERSION") is left out. A name of another
 * kind comes back as it is. Free the result with free(). */
struct asnap_error *asnap_demangle(const char *symbol, char **name);

#endif
