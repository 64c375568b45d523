#include "leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool asnap_temporary_claim(int fd)
{
    struct stat status;
    /* Locked: another writer has found it unclaimed, and is about to remove it. A file system
     * without locks fails in another way. */
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return false;
    return fstat(fd, &status) != 0 || status.st_nlink > 0;
}

static const char *skip_digits(const char *text)
{
    return text + strspn(text, "0123456789");
}

/* Whether a name is one of ours: ".allocsnap-PID-N.tmp". */
static bool is_temporary(const char *name)
{
    static const char start[] = ".allocsnap-";
    if (strncmp(name, start, sizeof(start) - 1) != 0)
        return false;
    const char *pid = name + sizeof(start) - 1;
    const char *pid_end = skip_digits(pid);
    if (pid_end == pid || *pid_end != '-')
        return false;
    const char *end = skip_digits(pid_end + 1);
    return end != pid_end + 1 && strcmp(end, ".tmp") == 0;
}

static bool is_own(const struct stat *status)
{
    return S_ISREG(status->st_mode) && status->st_uid == geteuid() && status->st_nlink == 1;
}

/* The lock of a writer ends with it, however that happens, and holds on other hosts too. */
static void remove_one(int directory, const char *name)
{
    struct stat named;
    struct stat opened;
    if (fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) != 0 || !is_own(&named))
        return;
    int fd = openat(directory, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &opened) == 0 && is_own(&opened) && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
        fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
        named.st_dev == opened.st_dev && named.st_ino == opened.st_ino)
        unlinkat(directory, name, 0);
    close(fd);
}

void asnap_leftovers_remove(int directory)
{
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    if (entries == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        if (is_temporary(entry->d_name))
            remove_one(directory, entry->d_name);
    }
    closedir(entries);
}
