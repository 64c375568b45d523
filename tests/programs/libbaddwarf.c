/* Before libdwarf in its users' list of libraries: a libdwarf that some debug information was
 * too much for. BAD_DWARF says how it goes: "abort"; "exit"; "hang", after opening the FIFO that
 * BAD_DWARF_FIFO names, if it is there; "eat" memory, up to a TiB of it, and exit where there is no
 * more; "spin" for as long as a process may, if that is under two minutes. Otherwise nothing is
 * wrong. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

int dwarf_siblingof_b(void *debug, void *entry, int is_info, void **sibling, void **error);

static void eat(void)
{
    const size_t piece = (size_t)64 << 20;
    for (size_t eaten = 0; eaten >> 40 == 0; eaten += piece) {
        if (mmap(NULL, piece, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
            _exit(0);
    }
}

/* Ends as it would in the end. */
static void spin(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_CPU, &limit) == 0 && limit.rlim_cur < 120)
        raise(SIGXCPU);
}

int dwarf_siblingof_b(void *debug, void *entry, int is_info, void **sibling, void **error)
{
    const char *how = getenv("BAD_DWARF");
    if (how != NULL && strcmp(how, "abort") == 0)
        abort();
    if (how != NULL && strcmp(how, "exit") == 0)
        _exit(0);
    if (how != NULL && strcmp(how, "hang") == 0) {
        int fifo = open(getenv("BAD_DWARF_FIFO"), O_WRONLY | O_CLOEXEC);
        while (fifo >= 0)
            pause();
    }
    if (how != NULL && strcmp(how, "eat") == 0)
        eat();
    if (how != NULL && strcmp(how, "spin") == 0)
        spin();
    __typeof__(dwarf_siblingof_b) *real = (__typeof__(real))dlsym(RTLD_NEXT, "dwarf_siblingof_b");
    return real(debug, entry, is_info, sibling, error);
}
