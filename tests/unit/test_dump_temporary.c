/* Who can read a dump, and what becomes of files that were not finished. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "atomic_file.h"
#include "test_model_dump.h"

typedef struct asnap_error *write_dump(const struct asnap_snapshot *snapshot, const char *path,
                                       const struct asnap_attribute *attributes,
                                       size_t attribute_count);

static struct asnap_error *export_folded(const struct asnap_snapshot *snapshot, const char *path,
                                         const struct asnap_attribute *attributes,
                                         size_t attribute_count)
{
    (void)attributes;
    (void)attribute_count;
    return asnap_export(snapshot, ASNAP_EXPORT_FOLDED, NULL, path);
}

static write_dump *const writers[] = {asnap_snapshot_dump, asnap_snapshot_dump_tracemalloc,
                                      export_folded};
enum { KINDS_OF_FILE = sizeof(writers) / sizeof(writers[0]) };

/* The path of a file in the directory of the dumps, as it is. */
static void place(const char *name, char path[512])
{
    char anything[256];
    snprintf(anything, sizeof(anything), "%s", dump_path("anything"));
    *strrchr(anything, '/') = '\0';
    snprintf(path, 512, "%s/%.200s", anything, name);
}

static unsigned mode_of(const char *path)
{
    struct stat status;
    CU_ASSERT_EQUAL_FATAL(lstat(path, &status), 0);
    return status.st_mode & 07777;
}

ASNAP_TEST(dump_temporary, only_the_owner_reads_a_dump)
{
    static const struct {
        mode_t umask;
        unsigned mode;
    } cases[] = {{0, 0600}, {022, 0600}, {077, 0600}, {0277, 0400}};
    struct asnap_snapshot *snapshot = dump_snapshot();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t w = 0; w < KINDS_OF_FILE; w++) {
            const char *path = dump_path("private");
            mode_t before = umask(cases[i].umask);
            struct asnap_error *error = writers[w](snapshot, path, NULL, 0);
            umask(before);
            ASNAP_ASSERT_OK(error);
            CU_ASSERT_EQUAL(mode_of(path), cases[i].mode);
        }
    }
    asnap_snapshot_destroy(snapshot);
}

/* While it is written, too. */
ASNAP_TEST(dump_temporary, only_the_owner_reads_a_file_that_is_being_written)
{
    struct asnap_atomic_file file;
    mode_t before = umask(0);
    struct asnap_error *error = asnap_atomic_file_open(&file, dump_path("private"));
    umask(before);
    ASNAP_ASSERT_OK(error);
    char path[512];
    place(file.temporary, path);
    CU_ASSERT_EQUAL(mode_of(path), 0600);
    ASNAP_ASSERT_ERROR(asnap_atomic_file_close(&file, asnap_error_no_memory()),
                       ASNAP_ERROR_NO_MEMORY);
}

ASNAP_TEST(dump_temporary, another_users_file_gives_no_permissions)
{
    struct asnap_snapshot *snapshot = dump_snapshot();
    const char *path = dump_path("others");
    dump_write(path, "old", 3);
    CU_ASSERT_EQUAL_FATAL(chmod(path, 0666), 0);
    /* Only root can make a file another's; else it is its own, and keeps what it has. */
    bool is_others = chown(path, 12345, (gid_t)-1) == 0;
    ASNAP_ASSERT_OK(asnap_snapshot_dump(snapshot, path, NULL, 0));
    CU_ASSERT_EQUAL(mode_of(path), is_others ? 0600 : 0666);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(dump_temporary, a_link_to_nothing_stays)
{
    struct asnap_snapshot *snapshot = dump_snapshot();
    char link[512];
    snprintf(link, sizeof(link), "%s", dump_path("link"));
    CU_ASSERT_EQUAL_FATAL(symlink("nowhere", link), 0);
    size_t before = dump_file_count();
    for (size_t w = 0; w < KINDS_OF_FILE; w++) {
        struct asnap_error *error = writers[w](snapshot, link, NULL, 0);
        CU_ASSERT_FATAL(error != NULL);
        CU_ASSERT_EQUAL(asnap_error_code(error), ASNAP_ERROR_IO);
        CU_ASSERT_PTR_NOT_NULL(
            strstr(asnap_error_message(error), "a symbolic link to a file that is not there"));
        asnap_error_destroy(error);
    }
    char target[16] = "";
    CU_ASSERT_EQUAL(readlink(link, target, sizeof(target) - 1), 7);
    CU_ASSERT_STRING_EQUAL(target, "nowhere");
    CU_ASSERT_EQUAL(dump_file_count(), before);
    unlink(link);
    asnap_snapshot_destroy(snapshot);
}

/* ---- what killed writers have left ---- */

static bool exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

static void make(const char *name)
{
    char path[512];
    place(name, path);
    dump_write(path, "left", 4);
}

static bool is_there(const char *name)
{
    char path[512];
    place(name, path);
    return exists(path);
}

static void drop(const char *name)
{
    char path[512];
    place(name, path);
    unlink(path);
    rmdir(path);
}

static void write_one(void)
{
    struct asnap_snapshot *snapshot = dump_snapshot();
    ASNAP_ASSERT_OK(asnap_snapshot_dump(snapshot, dump_path("next"), NULL, 0));
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(dump_temporary, the_next_writer_removes_what_a_killed_one_left)
{
    char path[512];
    snprintf(path, sizeof(path), "%s", dump_path("killed"));
    size_t before = dump_file_count();
    pid_t child = fork();
    CU_ASSERT_FATAL(child >= 0);
    if (child == 0) {
        struct asnap_atomic_file file;
        if (asnap_atomic_file_open(&file, path) == NULL &&
            asnap_atomic_file_write(&file, "half", 4, 0) == NULL)
            raise(SIGKILL);
        _exit(1);
    }
    int status;
    CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
    CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CU_ASSERT_EQUAL(dump_file_count(), before + 1);
    CU_ASSERT(!exists(path));
    write_one();
    CU_ASSERT_EQUAL(dump_file_count(), before + 1);
    CU_ASSERT(is_there("next"));
    CU_ASSERT(!exists(path));
    drop("next");
}

ASNAP_TEST(dump_temporary, files_of_others_stay)
{
    static const char *const names[] = {".allocsnap-12-3.tmp.x", ".allocsnap--3.tmp",
                                        ".allocsnap-12.tmp",     ".allocsnap-12-.tmp",
                                        "allocsnap-12-3.tmp",    ".allocsnap-1x-3.tmp",
                                        ".allocsnap-12-3.tm",    ".allocsnap-12-3-4.tmp"};
    static const char pipe_name[] = ".allocsnap-12-0.tmp";
    static const char directory_name[] = ".allocsnap-12-1.tmp";
    static const char link_name[] = ".allocsnap-12-2.tmp";
    static const char others_name[] = ".allocsnap-12-4.tmp";
    static const char twice_name[] = ".allocsnap-12-5.tmp";
    char path[512];
    char target[512];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        make(names[i]);
    place(pipe_name, path);
    CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
    place(directory_name, path);
    CU_ASSERT_EQUAL_FATAL(mkdir(path, 0700), 0);
    make("kept");
    place("kept", target);
    place(link_name, path);
    CU_ASSERT_EQUAL_FATAL(symlink(target, path), 0);
    place(twice_name, path);
    CU_ASSERT_EQUAL_FATAL(link(target, path), 0);
    make(others_name);
    place(others_name, path);
    bool is_others = chown(path, 12345, (gid_t)-1) == 0;
    write_one();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        CU_ASSERT(is_there(names[i]));
        drop(names[i]);
    }
    CU_ASSERT(is_there(pipe_name) && is_there(directory_name) && is_there(link_name));
    CU_ASSERT(is_there("kept") && is_there(twice_name));
    CU_ASSERT_EQUAL(is_there(others_name), is_others);
    drop(pipe_name);
    drop(directory_name);
    drop(link_name);
    drop(twice_name);
    drop(others_name);
    drop("kept");
}

ASNAP_TEST(dump_temporary, a_file_that_is_being_written_stays)
{
    struct asnap_atomic_file file;
    char path[512];
    snprintf(path, sizeof(path), "%s", dump_path("slow"));
    ASNAP_ASSERT_OK(asnap_atomic_file_open(&file, path));
    ASNAP_ASSERT_OK(asnap_atomic_file_write(&file, "whole", 5, 0));
    write_one();
    CU_ASSERT(is_there(file.temporary));
    ASNAP_ASSERT_OK(asnap_atomic_file_close(&file, NULL));
    size_t size;
    unsigned char *bytes = dump_bytes(path, &size);
    CU_ASSERT(size == 5 && memcmp(bytes, "whole", 5) == 0);
    free(bytes);
}

/* Many writers and their cleaners at once: nobody takes what another is writing. */
ASNAP_TEST(dump_temporary, writers_beside_one_another)
{
    enum { WRITERS = 4, FILES = 500 };
    pid_t children[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        char path[512];
        char name[32];
        snprintf(name, sizeof(name), "writer-%d", i);
        snprintf(path, sizeof(path), "%s", dump_path(name));
        children[i] = fork();
        CU_ASSERT_FATAL(children[i] >= 0);
        if (children[i] != 0)
            continue;
        for (int k = 0; k < FILES; k++) {
            struct asnap_atomic_file file;
            struct asnap_error *error = asnap_atomic_file_open(&file, path);
            if (error != NULL || asnap_atomic_file_write(&file, "x", 1, 0) != NULL ||
                asnap_atomic_file_close(&file, NULL) != NULL)
                _exit(1);
        }
        _exit(0);
    }
    for (int i = 0; i < WRITERS; i++) {
        int status;
        CU_ASSERT_EQUAL_FATAL(waitpid(children[i], &status, 0), children[i]);
        CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}
