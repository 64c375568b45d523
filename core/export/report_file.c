#include "report_file.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "open_file.h"

/* Reads what there is of `size` bytes, and sets how many that are; returns 0, or errno. */
static int read_all(int fd, char *text, size_t *size)
{
    size_t done = 0;
    while (done < *size) {
        ssize_t got = read(fd, text + done, *size - done);
        if (got < 0 && errno != EINTR)
            return errno;
        if (got == 0)
            break;
        done += got > 0 ? (size_t)got : 0;
    }
    *size = done;
    return 0;
}

struct asnap_error *asnap_report_file_read(const char *path, size_t limit,
                                           struct asnap_report_file *file)
{
    struct stat status;
    int fd;
    *file = (struct asnap_report_file){.why = asnap_open_regular(path, &fd, &status)};
    if (file->why != 0)
        return NULL;
    if (status.st_size < 0 || (uint64_t)status.st_size > limit) {
        file->why = EFBIG;
        close(fd);
        return NULL;
    }
    file->size = (size_t)status.st_size;
    file->text = malloc(file->size + 1);
    if (file->text != NULL)
        file->why = read_all(fd, file->text, &file->size);
    close(fd);
    if (file->text == NULL)
        return asnap_error_no_memory();
    file->text[file->size] = '\0';
    if (file->why != 0) {
        free(file->text);
        file->text = NULL;
    }
    return NULL;
}
