#include "data_end.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* Fewer may be the end of the last page of something. */
enum { ZEROS_LEAST = 8192, PIECE = 65536 };

/* How many bytes remain of `count` without the zeros at their end. */
static size_t without_zeros(const unsigned char *bytes, size_t count)
{
    static const unsigned char zeros[4096];
    while (count >= sizeof(zeros) &&
           memcmp(bytes + count - sizeof(zeros), zeros, sizeof(zeros)) == 0)
        count -= sizeof(zeros);
    while (count > 0 && bytes[count - 1] == 0)
        count--;
    return count;
}

static bool read_whole(int file, unsigned char *bytes, size_t count, uint64_t offset)
{
    size_t done = 0;
    while (done < count) {
        ssize_t got = pread(file, bytes + done, count - done, (off_t)(offset + done));
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

uint64_t asnap_data_end(int file, uint64_t size)
{
    unsigned char bytes[PIECE];
    uint64_t end = size;
    while (end > 0 && size - end < ASNAP_ZEROS_MOST) {
        size_t count = end < PIECE ? (size_t)end : PIECE;
        if (!read_whole(file, bytes, count, end - count))
            break;
        size_t left = without_zeros(bytes, count);
        end -= count - left;
        if (left != 0)
            break;
    }
    return size - end < ZEROS_LEAST ? size : end;
}
