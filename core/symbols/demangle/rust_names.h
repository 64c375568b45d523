/* Readable names of Rust functions. */
#ifndef ASNAP_SYMBOLS_RUST_NAMES_H
#define ASNAP_SYMBOLS_RUST_NAMES_H

#include "allocsnap.h"

/* The readable form of a Rust symbol, of the older or the newer (v0, RFC 2603) form, without
 * its hash: to be freed. NULL where it is no Rust symbol. */
struct asnap_error *asnap_rust_name(const char *symbol, char **name);

#endif
