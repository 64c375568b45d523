/* Allocations by the lines of a library that is loaded at run time (libplugin.c),
 * and of one that is unloaded again (libgone.c). Both lie beside this program.
 * The loader allocates for itself: more than the marks is live. */
#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *kept[8];

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

/* Writes to `path` the path of `name` in the directory of this program. */
static void beside(const char *name, char path[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (length <= 0)
        _exit(1);
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    if (slash == NULL || slash + 1 + strlen(name) >= path + PATH_MAX)
        _exit(1);
    strcpy(slash + 1, name);
}

static void *load(const char *name, const char *function, void **library)
{
    char path[PATH_MAX];
    beside(name, path);
    *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (*library == NULL)
        _exit(2);
    void *symbol = dlsym(*library, function);
    if (symbol == NULL)
        _exit(3);
    return symbol;
}

int main(void)
{
    void *plugin;
    void *gone;
    void *(*make)(size_t) = (void *(*)(size_t))load("libplugin.so", "plugin_make", &plugin);
    kept[0] = make(111);
    make = (void *(*)(size_t))load("libgone.so", "gone_make", &gone);
    kept[1] = make(222);
    kept[2] = make(222);
    if (dlclose(gone) != 0)
        _exit(4);
    make = (void *(*)(size_t))dlsym(plugin, "plugin_make");
    kept[3] = make(111);
    kept[4] = make(111);
    kept[5] = malloc(333); /* heap: own size=333 count=1 */
    stop_here();
    _exit(0);
}
