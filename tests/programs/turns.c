/* Two libraries of the same layout, loaded and unloaded in turn, so that the second gets
 * the addresses of the first. Each leaves blocks behind that outlive it: 211 bytes from the
 * one, 223 from the other. `shared` counts how often the addresses were the same. */
#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TURNS 200

static void *kept[TURNS][2];
volatile size_t shared;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

/* Loads a library from beside this program, has a block of it, and unloads it. */
static void *turn(const char *directory, const char *name, void **where)
{
    char path[PATH_MAX];
    if (strlen(directory) + strlen(name) >= sizeof(path))
        _exit(1);
    strcpy(path, directory);
    strcat(path, name);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        _exit(2);
    void *(*make)(void) = (void *(*)(void))dlsym(library, "turn_make");
    if (make == NULL)
        _exit(3);
    void *block = make();
    *where = (void *)make;
    if (dlclose(library) != 0)
        _exit(4);
    return block;
}

int main(void)
{
    char directory[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", directory, sizeof(directory) - 1);
    if (length <= 0)
        _exit(1);
    directory[length] = '\0';
    strrchr(directory, '/')[1] = '\0';
    for (size_t i = 0; i < TURNS; i++) {
        void *one;
        void *other;
        kept[i][0] = turn(directory, "libturn_one.so", &one);
        kept[i][1] = turn(directory, "libturn_other.so", &other);
        shared += one == other;
    }
    stop_here();
    _exit(0);
}
