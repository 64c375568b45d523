/* Names of functions, as they are demangled: their shorter forms. */
#ifndef ASNAP_BASE_FUNCTION_NAME_H
#define ASNAP_BASE_FUNCTION_NAME_H

/* Writes the name of a C++ or Rust function without template arguments, parameters and return
 * type to `output`, which has room for the whole. A name that it cannot make out stays whole. */
void asnap_function_shorten(const char *name, char *output);

/* The name by which programs call a function of the C library, of one that is its name in there:
 * "strdup" of "__strdup", "fopen" of "_IO_new_fopen". The end of `name`. */
const char *asnap_function_of_library(const char *name);

#endif
