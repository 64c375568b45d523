/* Full paths of source files. */
#ifndef ASNAP_SYMBOLS_SOURCE_PATH_H
#define ASNAP_SYMBOLS_SOURCE_PATH_H

#include "allocsnap.h"

/* Joins what a line table says of a file: the compilation directory, the include
 * directory and the name; each may be NULL or "", and one that is absolute makes
 * those before it void. Folds ".", ".." and "//" by the text alone, without a look
 * at the file system. Free the result with free(). */
struct asnap_error *asnap_source_path(const char *compilation_directory, const char *directory,
                                      const char *name, char **path);

#endif
