/* Files are opened once, by what they are, and their holes are not counted. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "open_file.h"
#include "test_model_dump.h"

static bool is_refused(const char *path, const char *reason)
{
    int fd = -1;
    struct stat status;
    int result = asnap_open_regular(path, &fd, &status);
    CU_ASSERT_EQUAL(fd, -1);
    return result != 0 && strcmp(asnap_open_reason(result), reason) == 0;
}

ASNAP_TEST(open_file, regular_files_only)
{
    const char *path = dump_path("regular");
    dump_write(path, "abc", 3);
    int fd = -1;
    struct stat status;
    char bytes[4] = "";
    CU_ASSERT_EQUAL_FATAL(asnap_open_regular(path, &fd, &status), 0);
    CU_ASSERT(read(fd, bytes, sizeof(bytes)) == 3 && strcmp(bytes, "abc") == 0);
    CU_ASSERT_EQUAL(status.st_size, 3);
    CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CU_ASSERT_EQUAL(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    close(fd);

    const char *link = dump_path("link");
    CU_ASSERT_EQUAL_FATAL(symlink("regular", link), 0);
    CU_ASSERT_EQUAL_FATAL(asnap_open_regular(link, &fd, &status), 0);
    close(fd);
    unlink(link);
    CU_ASSERT_EQUAL_FATAL(symlink("nowhere", link), 0);
    CU_ASSERT(is_refused(link, strerror(ENOENT)));
    unlink(link);

    const char *pipe = dump_path("pipe");
    CU_ASSERT_EQUAL_FATAL(mkfifo(pipe, 0600), 0);
    CU_ASSERT(is_refused(pipe, "not a regular file"));
    unlink(pipe);
    CU_ASSERT(is_refused("/dev/zero", "not a regular file"));
    CU_ASSERT(is_refused("/", "not a regular file"));
    CU_ASSERT(is_refused("/nonexistent", strerror(ENOENT)));
}

/* ---- a name that changes what it stands for ---- */

enum { SWAPS = 20000 };

struct swapping {
    const char *name;
    const char *pipe;
    const char *regular;
    bool ends;
    size_t readers; /* that the pipe has had */
};

/* Lets the name stand for the pipe and for the regular file in turn, and looks whether somebody
 * reads the pipe. */
static void *swap(void *context)
{
    struct swapping *swapping = context;
    for (size_t i = 0; !__atomic_load_n(&swapping->ends, __ATOMIC_RELAXED); i++) {
        unlink(swapping->name);
        if (link(i % 2 == 0 ? swapping->pipe : swapping->regular, swapping->name) != 0)
            break;
        int writer = open(swapping->pipe, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        swapping->readers += writer >= 0;
        if (writer >= 0)
            close(writer);
    }
    return NULL;
}

ASNAP_TEST(open_file, no_pipe_takes_the_place_of_a_file)
{
    char name[512];
    char pipe[512];
    char regular[512];
    snprintf(name, sizeof(name), "%s", dump_path("swapped"));
    snprintf(pipe, sizeof(pipe), "%s", dump_path("pipe"));
    snprintf(regular, sizeof(regular), "%s", dump_path("regular"));
    CU_ASSERT_EQUAL_FATAL(mkfifo(pipe, 0600), 0);
    dump_write(regular, "abc", 3);
    struct swapping swapping = {.name = name, .pipe = pipe, .regular = regular};
    pthread_t thread;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, swap, &swapping), 0);
    size_t opened = 0;
    size_t refused = 0;
    bool are_regular = true;
    for (size_t i = 0; i < SWAPS || opened == 0 || refused == 0; i++) {
        int fd = -1;
        struct stat status;
        int result = asnap_open_regular(name, &fd, &status);
        refused += result != 0 && result != ENOENT;
        if (result != 0)
            continue;
        opened++;
        are_regular = are_regular && fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
        close(fd);
    }
    __atomic_store_n(&swapping.ends, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    CU_ASSERT(are_regular);
    CU_ASSERT_EQUAL(swapping.readers, 0);
    unlink(name);
    unlink(pipe);
}

/* ---- holes ---- */

#define MIB ((uint64_t)1 << 20)

ASNAP_TEST(open_file, holes_are_not_counted)
{
    int fd = memfd_create("holes", MFD_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL_FATAL(ftruncate(fd, 64 << 20), 0);
    CU_ASSERT_EQUAL(asnap_file_data_bytes(fd, 0, 64 * MIB), 0);
    static char bytes[4096];
    CU_ASSERT_FATAL(pwrite(fd, bytes, sizeof(bytes), 0) == sizeof(bytes));
    CU_ASSERT_FATAL(pwrite(fd, bytes, sizeof(bytes), 32 << 20) == sizeof(bytes));
    CU_ASSERT_EQUAL(asnap_file_data_bytes(fd, 0, 64 * MIB), 8192);
    CU_ASSERT_EQUAL(asnap_file_data_bytes(fd, 100, 64 * MIB - 100), 8092);
    CU_ASSERT_EQUAL(asnap_file_data_bytes(fd, 0, 32 * MIB + 50), 4146);
    CU_ASSERT_EQUAL(asnap_file_data_bytes(fd, 8192, MIB), 0);
    CU_ASSERT_EQUAL(asnap_file_data_bytes(fd, 0, 0), 0);
    CU_ASSERT(asnap_file_is_hollow(fd, 0, 64 * MIB));
    /* Little is no matter. */
    CU_ASSERT(!asnap_file_is_hollow(fd, 0, MIB));
    close(fd);
}

ASNAP_TEST(open_file, whole_files_are_not_hollow)
{
    int fd = memfd_create("whole", MFD_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0);
    static char bytes[1 << 16];
    for (size_t i = 0; i < 64; i++)
        CU_ASSERT_FATAL(pwrite(fd, bytes, sizeof(bytes), (off_t)(i * sizeof(bytes))) ==
                        sizeof(bytes));
    CU_ASSERT_EQUAL(asnap_file_data_bytes(fd, 0, 4 * MIB), 4 * MIB);
    CU_ASSERT(!asnap_file_is_hollow(fd, 0, 4 * MIB));
    /* A pipe knows of no holes. */
    int ends[2];
    CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
    CU_ASSERT_EQUAL(asnap_file_data_bytes(ends[0], 0, 5 * MIB), 5 * MIB);
    close(ends[0]);
    close(ends[1]);
    close(fd);
}
