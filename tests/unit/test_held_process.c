/* A process that is kept from running: its threads, its registers, and that it runs on. */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#define THREADS 4
#define WORD UINT64_C(0x0123456789abcdef)

/* What the child and the test both see. */
struct shared {
    atomic_int ready;
    atomic_ulong rounds;
};

static struct shared *shared;

/* Goes round for ever, with WORD in a register. */
static void *go_round(void *argument)
{
    (void)argument;
    shared->ready++;
    for (;;) {
        uint64_t word = WORD;
        __asm__ volatile("" : "+r"(word));
        shared->rounds++;
        __asm__ volatile("" : : "r"(word));
    }
    return NULL;
}

static void run_child(void)
{
    pthread_t thread;
    for (int i = 1; i < THREADS; i++)
        pthread_create(&thread, NULL, go_round, NULL);
    go_round(NULL);
}

static pid_t start_child(void)
{
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_FATAL(shared != MAP_FAILED);
    pid_t pid = fork();
    CU_ASSERT_FATAL(pid >= 0);
    if (pid == 0)
        run_child();
    while (shared->ready != THREADS)
        sched_yield();
    return pid;
}

static void end_child(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    munmap(shared, sizeof(*shared));
}

static char state_of(pid_t pid)
{
    char path[32];
    char line[256];
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_PTR_NOT_NULL(fgets(line, sizeof(line), file));
    fclose(file);
    return strrchr(line, ')')[2];
}

static void expect_threads(const struct asnap_held_process *held, pid_t pid)
{
    size_t count;
    size_t register_count;
    size_t words = 0;
    const struct asnap_thread *threads = asnap_held_process_threads(held, &count);
    const struct asnap_register *registers = asnap_held_process_registers(held, &register_count);
    CU_ASSERT_EQUAL_FATAL(count, THREADS);
    CU_ASSERT_EQUAL(threads[0].number, (uint64_t)pid);
    for (size_t i = 0; i < count; i++) {
        CU_ASSERT(threads[i].stack_pointer != 0 && threads[i].thread_pointer != 0);
        for (size_t j = 0; j < i; j++)
            CU_ASSERT(threads[i].number != threads[j].number);
    }
    for (size_t i = 0; i < register_count; i++) {
        CU_ASSERT(registers[i].thread < count && registers[i].value >= 32);
        words += registers[i].value == WORD;
    }
    CU_ASSERT(words >= 1);
}

ASNAP_TEST(held_process, stands_still_and_runs_on)
{
    pid_t pid = start_child();
    for (int i = 0; i < 20; i++) {
        struct asnap_held_process *held = NULL;
        ASNAP_ASSERT_OK(asnap_held_process_create(pid, NULL, &held));
        unsigned long before = shared->rounds;
        CU_ASSERT_EQUAL(state_of(pid), 't');
        expect_threads(held, pid);
        CU_ASSERT_EQUAL(shared->rounds, before);
        asnap_held_process_destroy(held);
        while (shared->rounds == before)
            sched_yield();
    }
    end_child(pid);
}

ASNAP_TEST(held_process, stopped_before)
{
    pid_t pid = start_child();
    struct asnap_held_process *held = NULL;
    int status;
    kill(pid, SIGSTOP);
    CU_ASSERT_EQUAL(waitpid(pid, &status, WUNTRACED), pid);
    ASNAP_ASSERT_OK(asnap_held_process_create(pid, NULL, &held));
    expect_threads(held, pid);
    asnap_held_process_destroy(held);
    while (state_of(pid) != 'T')
        sched_yield();
    end_child(pid);
}

static struct asnap_error *hold_and_release(void *context)
{
    const pid_t *pid = context;
    struct asnap_held_process *held = NULL;
    struct asnap_error *error = asnap_held_process_create(*pid, NULL, &held);
    asnap_held_process_destroy(held);
    return error;
}

ASNAP_TEST(held_process, no_memory)
{
    pid_t pid = start_child();
    CU_ASSERT(asnap_unit_sweep(hold_and_release, &pid) >= 3);
    end_child(pid);
}

static bool give_up(void *context, const char *step, uint64_t done, uint64_t total)
{
    (void)step, (void)done, (void)total;
    ++*(int *)context;
    return false;
}

/* A thread that waits for a child of vfork does not stop before that ends. */
ASNAP_TEST(held_process, interrupted)
{
    int pipes[2];
    char byte;
    CU_ASSERT_EQUAL_FATAL(pipe(pipes), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (vfork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            (void)!write(pipes[1], "x", 1);
            pause();
            _exit(0);
        }
        _exit(0);
    }
    CU_ASSERT_EQUAL(read(pipes[0], &byte, 1), 1);
    while (state_of(pid) != 'D')
        sched_yield();
    int asked = 0;
    struct asnap_progress progress = {give_up, &asked};
    struct asnap_held_process *held = NULL;
    ASNAP_ASSERT_ERROR(asnap_held_process_create(pid, &progress, &held), ASNAP_ERROR_INTERRUPTED);
    CU_ASSERT_EQUAL(asked, 1);
    CU_ASSERT_PTR_NULL(held);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(pipes[0]);
    close(pipes[1]);
}

/* Threads that the test has stopped itself, and that stay so. */
ASNAP_TEST(held_process, stopped_by_the_caller)
{
    pid_t pid = start_child();
    int32_t threads[THREADS];
    size_t count = 0;
    char path[32];
    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    CU_ASSERT_PTR_NOT_NULL_FATAL(tasks);
    for (const struct dirent *entry; (entry = readdir(tasks)) != NULL && count < THREADS;) {
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
        if (thread <= 0)
            continue;
        CU_ASSERT_EQUAL(ptrace(PTRACE_SEIZE, thread, NULL, NULL), 0);
        CU_ASSERT_EQUAL(ptrace(PTRACE_INTERRUPT, thread, NULL, NULL), 0);
        CU_ASSERT_EQUAL(waitpid(thread, NULL, __WALL), thread);
        threads[count++] = thread;
    }
    closedir(tasks);
    struct asnap_held_process *held = NULL;
    ASNAP_ASSERT_OK(asnap_held_process_of_stopped(pid, threads, count, &held));
    expect_threads(held, pid);
    asnap_held_process_destroy(held);
    CU_ASSERT_EQUAL(state_of(pid), 't');
    held = NULL;
    ASNAP_ASSERT_ERROR(asnap_held_process_of_stopped(pid, threads, 0, &held),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(asnap_held_process_of_stopped(pid, NULL, count, &held),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_EQUAL(ptrace(PTRACE_DETACH, threads[i], NULL, NULL), 0);
    end_child(pid);
}

ASNAP_TEST(held_process, none)
{
    struct asnap_held_process *held = NULL;
    ASNAP_ASSERT_ERROR(asnap_held_process_create(0, NULL, &held), ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(asnap_held_process_create(1, NULL, NULL), ASNAP_ERROR_INVALID_ARGUMENT);
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    siginfo_t info;
    CU_ASSERT_EQUAL(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    struct asnap_error *error = asnap_held_process_create(pid, NULL, &held);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CU_ASSERT_EQUAL(asnap_error_errno(error), ESRCH);
    ASNAP_ASSERT_ERROR(error, ASNAP_ERROR_IO);
    waitpid(pid, NULL, 0);
    error = asnap_held_process_create(pid, NULL, &held);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CU_ASSERT_EQUAL(asnap_error_errno(error), ENOENT);
    ASNAP_ASSERT_ERROR(error, ASNAP_ERROR_IO);
    /* No process traces itself. */
    error = asnap_held_process_create(getpid(), NULL, &held);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CU_ASSERT_EQUAL(asnap_error_errno(error), EPERM);
    ASNAP_ASSERT_ERROR(error, ASNAP_ERROR_IO);
    asnap_held_process_destroy(NULL);
}
