/* Opening files by names from outside: of a program, a core, a debug file. */
#ifndef ASNAP_BASE_OPEN_FILE_H
#define ASNAP_BASE_OPEN_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* Opens the regular file at `path` for reading, close-on-exec. Anything else is not opened, not
 * even for a moment: opening a pipe can wait, opening a device can do something. What was
 * looked at is what is opened, whatever happens to the name meanwhile. Returns 0, or what
 * asnap_open_reason takes; then `fd` and `status` mean nothing. */
int asnap_open_regular(const char *path, int *fd, struct stat *status);

/* Why asnap_open_regular has failed, for a message. */
const char *asnap_open_reason(int result);

/* The errno of it, 0 where it was none. */
int asnap_open_errno(int result);

/* Where the first bytes at or after `at` are that are no hole: [*at, *end). *at is UINT64_MAX where
 * there are none. Where the file system does not say, all is taken for data, up to INT64_MAX. */
void asnap_file_next_data(int fd, uint64_t *at, uint64_t *end);

/* How many of `size` bytes from offset `start` on are really in the file: holes, which take
 * no room on the disk, are not. All of them where the file system does not say. */
uint64_t asnap_file_data_bytes(int fd, uint64_t start, uint64_t size);

/* Whether so many of these bytes are holes that the file's size is made up. What debuggers,
 * kernels and this library write and read has at most a few pages of zeros. */
bool asnap_file_is_hollow(int fd, uint64_t start, uint64_t size);

#endif
