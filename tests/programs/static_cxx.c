/* A C program with a C++ plugin (libstaticcxx.cc) that shares no C++ library with
 * anyone: memory that is short is the plugin's to deal with. The loader allocates for
 * itself: more than the marks is live. */
#include <dlfcn.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *kept[2];

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

int main(void)
{
    static const char name[] = "libstaticcxx.so";
    char path[PATH_MAX + sizeof(name)];
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (length <= 0)
        _exit(1);
    path[length] = '\0';
    strcpy(strrchr(path, '/') + 1, name);
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (plugin == NULL)
        _exit(2);
    bool (*fails_well)(void) = (bool (*)(void))dlsym(plugin, "plugin_fails_well");
    void *(*make)(void) = (void *(*)(void))dlsym(plugin, "plugin_make");
    if (fails_well == NULL || make == NULL || !fails_well())
        _exit(3);
    kept[0] = make();
    kept[1] = malloc(222); /* heap: own size=222 count=1 */
    stop_here();
    _exit(0);
}
