#include "debug_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "elf_contents.h"
#include "error.h"
#include "problem.h"

#define CHECKING "checking debug files"

/* How often the user is asked whether to go on. */
#define ASK_BYTES ((uint64_t)16 << 20)

/* What a debug file must be like. */
struct wanted {
    const struct asnap_elf *elf;
    struct asnap_build_id id; /* size 0: go by the checksum */
    uint32_t checksum;
    bool is_supplement;
    const struct asnap_progress *progress; /* NULL: progress is not asked for */
};

bool asnap_next_directory(const char **list, int *length)
{
    while (**list == ':')
        (*list)++;
    if (**list == '\0')
        return false;
    size_t size = strcspn(*list, ":");
    *length = size > INT32_MAX ? INT32_MAX : (int)size;
    return true;
}

/* Whether the file has the wanted checksum. It is read whole for that, unless it is made of
 * holes, and then it has not. */
static struct asnap_error *check_checksum(const struct wanted *wanted,
                                          const struct asnap_elf *debug, bool *is_right)
{
    unsigned char buffer[65536];
    uLong checksum = crc32(0, NULL, 0);
    if (!asnap_elf_is_there(debug, 0, debug->file_bytes))
        return NULL;
    for (uint64_t at = 0; at < debug->file_bytes;) {
        const struct asnap_progress *progress = wanted->progress;
        if (progress != NULL && at % ASK_BYTES < sizeof(buffer) &&
            !progress->report(progress->context, CHECKING, at, debug->file_bytes))
            return asnap_error_interrupted(CHECKING);
        ssize_t got = pread(debug->fd, buffer, sizeof(buffer), (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return NULL;
        checksum = crc32(checksum, buffer, (uInt)got);
        at += (uint64_t)got;
    }
    *is_right = checksum == wanted->checksum;
    return NULL;
}

/* `is_right` is false before. */
static struct asnap_error *matches(const struct wanted *wanted, const struct asnap_elf *debug,
                                   bool *is_right)
{
    if (wanted->id.size == 0)
        return check_checksum(wanted, debug, is_right);
    *is_right = asnap_elf_is_build(debug, &wanted->id) ||
                (wanted->is_supplement && asnap_elf_is_supplement(debug, &wanted->id));
    return NULL;
}

/* Opens the file at `path`, which it frees, if it is the right one. What is wrong
 * with it goes to `problem`, which keeps what it has. */
static struct asnap_error *try_file(const struct wanted *wanted, char *path,
                                    struct asnap_elf **debug, struct asnap_error **problem)
{
    struct asnap_elf *found = NULL;
    bool is_right = false;
    struct asnap_error *error = asnap_elf_open_found(path, wanted->is_supplement, &found);
    if (error == NULL && found != NULL)
        error = matches(wanted, found, &is_right);
    if (error == NULL && found != NULL && !is_right)
        error = asnap_error_create(
            ASNAP_ERROR_DAMAGED, "%s: is not the debug file of %s (%s differs): not used", path,
            wanted->elf->path, wanted->id.size == 0 ? "checksum" : "build ID");
    if (error != NULL) {
        asnap_elf_close(found);
        found = NULL;
    }
    free(path);
    *debug = found;
    return asnap_problem_keep(error, problem);
}

static struct asnap_error *find_by_build_id(const struct wanted *wanted, const char *directories,
                                            struct asnap_elf **debug, struct asnap_error **problem)
{
    char digits[2 * ASNAP_BUILD_ID_MAX + 1];
    for (size_t i = 0; i < wanted->id.size; i++)
        snprintf(digits + 2 * i, 3, "%02x", wanted->id.bytes[i]);
    int length;
    for (const char *list = directories; asnap_next_directory(&list, &length); list += length) {
        char *path;
        if (asprintf(&path, "%.*s/.build-id/%.2s/%s.debug", length, list, digits, digits + 2) < 0)
            return asnap_error_no_memory();
        struct asnap_error *error = try_file(wanted, path, debug, problem);
        if (error != NULL || *debug != NULL)
            return error;
    }
    return NULL;
}

static struct asnap_error *find_by_link(const struct wanted *wanted, const char *name,
                                        const char *directories, struct asnap_elf **debug,
                                        struct asnap_error **problem)
{
    const char *binary = wanted->elf->path;
    const char *slash = strrchr(binary, '/');
    if (slash == NULL || slash - binary > INT32_MAX)
        return NULL;
    int home = (int)(slash - binary);
    const char *beside[] = {"", "/.debug"};
    for (size_t i = 0; i < 2; i++) {
        char *path;
        if (asprintf(&path, "%.*s%s/%s", home, binary, beside[i], name) < 0)
            return asnap_error_no_memory();
        struct asnap_error *error = try_file(wanted, path, debug, problem);
        if (error != NULL || *debug != NULL)
            return error;
    }
    int length;
    for (const char *list = directories; asnap_next_directory(&list, &length); list += length) {
        char *path;
        if (asprintf(&path, "%.*s%.*s/%s", length, list, home, binary, name) < 0)
            return asnap_error_no_memory();
        struct asnap_error *error = try_file(wanted, path, debug, problem);
        if (error != NULL || *debug != NULL)
            return error;
    }
    return NULL;
}

struct asnap_error *asnap_debug_file_find(const struct asnap_elf *elf,
                                          const char *debug_directories,
                                          const struct asnap_progress *progress,
                                          struct asnap_elf **debug)
{
    struct wanted wanted = {.elf = elf, .progress = progress};
    struct asnap_elf *found = NULL;
    struct asnap_error *problem = NULL;
    struct asnap_error *error = NULL;
    asnap_elf_build_id(elf, &wanted.id);
    if (wanted.id.size > 1)
        error = find_by_build_id(&wanted, debug_directories, &found, &problem);
    const char *name;
    wanted.id.size = 0;
    if (error == NULL && found == NULL && asnap_elf_debuglink(elf, &name, &wanted.checksum))
        error = find_by_link(&wanted, name, debug_directories, &found, &problem);
    if (error == NULL && found == NULL && problem != NULL)
        return problem;
    asnap_error_destroy(problem);
    if (error == NULL)
        *debug = found;
    return error;
}

/* Tries the path in .gnu_debugaltlink, which may be relative to that file. */
static struct asnap_error *find_by_path(const struct wanted *wanted, const char *path,
                                        struct asnap_elf **found, struct asnap_error **problem)
{
    const char *from = wanted->elf->path;
    const char *slash = strrchr(from, '/');
    int home = path[0] == '/' || slash == NULL ? 0 : (int)(slash + 1 - from);
    char *joined;
    if (asprintf(&joined, "%.*s%s", home, from, path) < 0)
        return asnap_error_no_memory();
    return try_file(wanted, joined, found, problem);
}

struct asnap_error *asnap_debug_file_find_supplement(const struct asnap_elf *elf,
                                                     const char *debug_directories,
                                                     struct asnap_elf **supplement)
{
    struct wanted wanted = {.elf = elf, .is_supplement = true};
    const char *path;
    if (!asnap_elf_supplement_link(elf, &path, &wanted.id)) {
        *supplement = NULL;
        return NULL;
    }
    struct asnap_elf *found = NULL;
    struct asnap_error *problem = NULL;
    struct asnap_error *error = find_by_path(&wanted, path, &found, &problem);
    if (error == NULL && found == NULL && wanted.id.size > 1)
        error = find_by_build_id(&wanted, debug_directories, &found, &problem);
    asnap_error_destroy(problem);
    if (error == NULL && found == NULL)
        error = asnap_error_create(ASNAP_ERROR_IO,
                                   "%s: the file that it shares with others (%.200s) is missing: "
                                   "some functions are not named; install it",
                                   elf->path, path);
    if (error == NULL)
        *supplement = found;
    return error;
}
