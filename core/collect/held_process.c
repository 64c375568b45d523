/* A process of this host that is kept from running by ptrace(2): each of its threads is seized and
 * interrupted, which leaves no signal behind, and goes on where this process ends, however it does.
 * Or threads that the caller has stopped, of which only the registers are read.
 */
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "error.h"
#include "grow.h"
#include "thread_list.h"

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#else
#define MACHINE EM_AARCH64
#endif

/* A thread stops at once, unless it waits in the kernel in a way that signals do not end. */
enum { SECONDS_MOST = 10, PAUSE_NANOSECONDS = 200000, ASK_EVERY = 64 };

struct asnap_held_process {
    pid_t pid;
    struct asnap_thread_list list;
    pid_t *held; /* the threads that are seized, in the order of `list` */
    size_t held_count;
    size_t capacity;
};

/* What became of a thread. */
enum state { STOPPED, GONE };

/* Whether a thread has ended, and is only there to be waited for. */
static bool has_ended(pid_t pid, pid_t thread)
{
    char path[64];
    char line[512];
    snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, thread);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return true;
    bool is_there = fgets(line, sizeof(line), file) != NULL;
    fclose(file);
    /* The name is in brackets, and may hold some. */
    const char *after = is_there ? strrchr(line, ')') : NULL;
    return after != NULL && (strncmp(after, ") Z", 3) == 0 || strncmp(after, ") X", 3) == 0);
}

static struct asnap_error *refused(pid_t pid, const char *what, int number)
{
    struct asnap_error *error = asnap_error_create(ASNAP_ERROR_IO, "process %d cannot be %s: %s",
                                                   pid, what, strerror(number));
    char path[32];
    snprintf(path, sizeof(path), "/proc/%d", pid);
    return asnap_error_of_file(error, path, number);
}

static struct asnap_error *wait_a_little(pid_t pid, pid_t thread, time_t deadline, unsigned *turn,
                                         const struct asnap_progress *progress)
{
    struct timespec now;
    const struct timespec pause = {.tv_nsec = PAUSE_NANOSECONDS};
    bool is_asked = (*turn)++ % ASK_EVERY == ASK_EVERY - 1;
    if (is_asked && progress != NULL && !progress->report(progress->context, "", 0, 0))
        return asnap_error_interrupted("stopping the process");
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec > deadline) {
        return asnap_error_create(
            ASNAP_ERROR_IO,
            "process %d cannot be stopped: its thread %d waits in the kernel, for a disk or for a "
            "child of vfork (state D of ps): try again when it goes on",
            pid, thread);
    }
    clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    return NULL;
}

/* Waits until a thread that was interrupted has stopped. A signal that it gets meanwhile is handed
 * on at once, so that none is lost where this process is killed. */
static struct asnap_error *await(pid_t pid, pid_t thread, const struct asnap_progress *progress,
                                 enum state *state)
{
    struct timespec now;
    unsigned turn = 0;
    clock_gettime(CLOCK_MONOTONIC, &now);
    time_t deadline = now.tv_sec + SECONDS_MOST;
    for (;;) {
        int status;
        pid_t got = waitpid(thread, &status, __WALL | WNOHANG);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || (got > 0 && (WIFEXITED(status) || WIFSIGNALED(status)))) {
            *state = GONE;
            return NULL;
        }
        if (got > 0 && WIFSTOPPED(status) && status >> 16 == PTRACE_EVENT_STOP) {
            *state = STOPPED;
            return NULL;
        }
        if (got > 0 && WIFSTOPPED(status)) {
            ptrace(PTRACE_CONT, thread, NULL, (void *)(uintptr_t)WSTOPSIG(status)); // NOLINT
            continue;
        }
        struct asnap_error *error = wait_a_little(pid, thread, deadline, &turn, progress);
        if (error != NULL)
            return error;
    }
}

static struct asnap_error *read_registers(struct asnap_thread_list *list, pid_t thread,
                                          uint8_t *bytes)
{
    struct iovec piece = {bytes, ASNAP_VECTORS_MAX};
    if (ptrace(PTRACE_GETREGSET, thread, (void *)NT_PRSTATUS, &piece) != 0)
        return NULL;
    struct asnap_error *error = asnap_thread_list_general(list, MACHINE, bytes, piece.iov_len);
    if (error != NULL)
        return error;
#if defined(__aarch64__)
    piece = (struct iovec){bytes, ASNAP_VECTORS_MAX};
    uint64_t storage;
    if (ptrace(PTRACE_GETREGSET, thread, (void *)NT_ARM_TLS, &piece) == 0 &&
        piece.iov_len >= sizeof(storage)) {
        memcpy(&storage, bytes, sizeof(storage));
        asnap_thread_list_storage(list, storage);
    }
#else
    piece = (struct iovec){bytes, ASNAP_VECTORS_MAX};
    if (ptrace(PTRACE_GETREGSET, thread, (void *)NT_X86_XSTATE, &piece) == 0)
        return asnap_thread_list_vectors(list, MACHINE, bytes, piece.iov_len);
#endif
    piece = (struct iovec){bytes, ASNAP_VECTORS_MAX};
    if (ptrace(PTRACE_GETREGSET, thread, (void *)NT_PRFPREG, &piece) == 0)
        return asnap_thread_list_vectors(list, MACHINE, bytes, piece.iov_len);
    return NULL;
}

static bool is_held(const struct asnap_held_process *process, pid_t thread)
{
    for (size_t i = 0; i < process->held_count; i++) {
        if (process->held[i] == thread)
            return true;
    }
    return false;
}

/* Stops a thread; nothing where it has ended meanwhile. */
static struct asnap_error *hold(struct asnap_held_process *process, pid_t thread,
                                const struct asnap_progress *progress, uint8_t *bytes)
{
    pid_t *held =
        asnap_grow(process->held, &process->capacity, process->held_count + 1, sizeof(*held));
    if (held == NULL)
        return asnap_error_no_memory();
    process->held = held;
    if (ptrace(PTRACE_SEIZE, thread, NULL, NULL) != 0) {
        int number = errno;
        if (number == ESRCH || has_ended(process->pid, thread))
            return NULL;
        return refused(process->pid, "stopped", number);
    }
    held[process->held_count++] = thread;
    enum state state = GONE;
    ptrace(PTRACE_INTERRUPT, thread, NULL, NULL);
    struct asnap_error *error = await(process->pid, thread, progress, &state);
    if (error == NULL && state == GONE) {
        process->held_count--;
        return NULL;
    }
    if (error == NULL)
        error = asnap_thread_list_add(&process->list, (uint64_t)thread);
    if (error == NULL)
        error = read_registers(&process->list, thread, bytes);
    return error;
}

/* Stops the threads that the kernel lists and that are not held yet; *found becomes whether there
 * were any. */
static struct asnap_error *hold_listed(struct asnap_held_process *process, DIR *tasks,
                                       const struct asnap_progress *progress, uint8_t *bytes,
                                       bool *found)
{
    struct asnap_error *error = NULL;
    *found = false;
    rewinddir(tasks);
    for (const struct dirent *entry; error == NULL && (entry = readdir(tasks)) != NULL;) {
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
        if (thread <= 0 || is_held(process, thread))
            continue;
        size_t before = process->held_count;
        error = hold(process, thread, progress, bytes);
        *found = *found || process->held_count > before;
    }
    return error;
}

/* A thread that runs can start another one: only where all that are listed are held already, there
 * are no more. */
static struct asnap_error *hold_all(struct asnap_held_process *process,
                                    const struct asnap_progress *progress)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/%d/task", process->pid);
    DIR *tasks = opendir(path);
    if (tasks == NULL)
        return refused(process->pid, "stopped", errno);
    struct asnap_error *error = NULL;
    uint8_t *bytes = malloc(ASNAP_VECTORS_MAX);
    if (bytes == NULL)
        error = asnap_error_no_memory();
    for (bool found = true; error == NULL && found;)
        error = hold_listed(process, tasks, progress, bytes, &found);
    free(bytes);
    closedir(tasks);
    if (error == NULL && process->held_count == 0)
        error = refused(process->pid, "stopped", ESRCH);
    return error;
}

struct asnap_error *asnap_held_process_create(int32_t pid, const struct asnap_progress *progress,
                                              struct asnap_held_process **process)
{
    if (pid <= 0 || process == NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_held_process_create: no process, or NULL argument");
    struct asnap_held_process *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    made->pid = pid;
    struct asnap_error *error = hold_all(made, progress);
    if (error != NULL) {
        asnap_held_process_destroy(made);
        return error;
    }
    *process = made;
    return NULL;
}

static struct asnap_error *add_stopped(struct asnap_held_process *process, const int32_t *threads,
                                       size_t count)
{
    uint8_t *bytes = malloc(ASNAP_VECTORS_MAX);
    struct asnap_error *error = bytes == NULL ? asnap_error_no_memory() : NULL;
    for (size_t i = 0; error == NULL && i < count; i++) {
        error = asnap_thread_list_add(&process->list, (uint64_t)threads[i]);
        if (error == NULL)
            error = read_registers(&process->list, threads[i], bytes);
    }
    free(bytes);
    return error;
}

struct asnap_error *asnap_held_process_of_stopped(int32_t pid, const int32_t *threads, size_t count,
                                                  struct asnap_held_process **process)
{
    if (pid <= 0 || threads == NULL || count == 0 || process == NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_held_process_of_stopped: no threads, or NULL argument");
    struct asnap_held_process *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    made->pid = pid;
    struct asnap_error *error = add_stopped(made, threads, count);
    if (error != NULL) {
        asnap_held_process_destroy(made);
        return error;
    }
    *process = made;
    return NULL;
}

const struct asnap_thread *asnap_held_process_threads(const struct asnap_held_process *process,
                                                      size_t *count)
{
    *count = process->list.count;
    return process->list.threads;
}

const struct asnap_register *asnap_held_process_registers(const struct asnap_held_process *process,
                                                          size_t *count)
{
    *count = process->list.register_count;
    return process->list.registers;
}

void asnap_held_process_destroy(struct asnap_held_process *process)
{
    if (process == NULL)
        return;
    for (size_t i = 0; i < process->held_count; i++)
        ptrace(PTRACE_DETACH, process->held[i], NULL, NULL);
    asnap_thread_list_deinit(&process->list);
    free(process->held);
    free(process);
}
