#include "step_child.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

void step_child_stop(void)
{
    static bool is_traced;
    if (!is_traced)
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    is_traced = true;
    raise(SIGSTOP);
}

long step_child(void (*be_the_child)(void), bool (*agrees)(pid_t child))
{
    pid_t child = fork();
    if (child == 0) {
        be_the_child();
        _exit(0);
    }
    int status = 0;
    long steps = 0;
    bool good = waitpid(child, &status, 0) == child && WIFSTOPPED(status);
    CU_ASSERT_FATAL(good);
    while (good && ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0 &&
           waitpid(child, &status, 0) == child && WIFSTOPPED(status) &&
           WSTOPSIG(status) == SIGTRAP) {
        steps++;
        good = agrees(child);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return good ? steps : -1;
}

static int read_child(void *context, uint64_t address, void *buffer, size_t size)
{
    struct iovec here = {buffer, size};
    struct iovec there = {(void *)(uintptr_t)address, size};
    ssize_t got = process_vm_readv(*(pid_t *)context, &here, 1, &there, 1, 0);
    return got == (ssize_t)size ? ASNAP_READ_OK : ASNAP_READ_FAILED;
}

struct asnap_memory step_child_memory(pid_t *child)
{
    return (struct asnap_memory){.read = read_child, .context = child};
}

void *step_child_share(size_t size)
{
    void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_FATAL(shared != MAP_FAILED);
    return shared;
}
