/* Before libdwarf in its users' list of libraries: a libdwarf that some debug information was
 * too much for. BAD_DWARF says how it goes: "abort"; "exit"; "hang", after opening the FIFO that
 * BAD_DWARF_FIFO names, if it is there. Otherwise nothing is wrong. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int dwarf_siblingof_b(void *debug, void *entry, int is_info, void **sibling, void **error);

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
    __typeof__(dwarf_siblingof_b) *real = (__typeof__(real))dlsym(RTLD_NEXT, "dwarf_siblingof_b");
    return real(debug, entry, is_info, sibling, error);
}
