/* Temporary files: their names, and those that killed writers have left. */
#ifndef ASNAP_BASE_LEFTOVERS_H
#define ASNAP_BASE_LEFTOVERS_H

#include <stdbool.h>

/* Marks a temporary file, open as `fd`, as one that is being written, until it is closed. False
 * where another writer removes it in this moment: a new one must be made. */
bool asnap_temporary_claim(int fd);

/* Removes the temporary files in a directory, open as `directory`, that this user has made and
 * that are not being written. What cannot be removed, or read, stays. */
void asnap_leftovers_remove(int directory);

#endif
