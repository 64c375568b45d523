/* A library with a scope of its own: loaded by dlopen, with RTLD_DEEPBIND ("deep"), or into a
 * namespace of its own ("other"). It makes ten blocks; loaded by dlopen it also frees three of the
 * program's. The program then asks for such blocks again. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MADE = 10, LENT = 3 };

static void *made[MADE];
static void *lent[LENT];
static void *again[LENT];

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void *load(const char *way, const char *path)
{
    if (strcmp(way, "other") == 0)
        return dlmopen(LM_ID_NEWLM, path, RTLD_NOW);
    return dlopen(path, RTLD_NOW | (strcmp(way, "deep") == 0 ? RTLD_DEEPBIND : 0));
}

int main(int count, char **arguments)
{
    void *library = count > 2 ? load(arguments[1], arguments[2]) : NULL;
    if (library == NULL)
        _exit(1);
    void *(*make)(size_t size) = (void *(*)(size_t))dlsym(library, "make");
    void (*take_back)(void *block) = (void (*)(void *))dlsym(library, "take_back");
    for (int i = 0; i < MADE; i++)
        made[i] = make(457);
    for (int i = 0; i < LENT; i++)
        lent[i] = malloc(653);
    for (int i = 0; i < LENT && strcmp(arguments[1], "other") != 0; i++)
        take_back(lent[i]);
    /* In reverse: what was freed last is given out first. */
    again[0] = malloc(653);
    again[1] = malloc(653);
    stop_here();
    _exit(0);
}
