/* Allocations by the lines of a library that is unloaded (libfirst.c), and by those of
 * another one that then lies at the same addresses (libsecond.c). Both lie beside this
 * program. With an argument, that one is loaded in place of the second: the path of a
 * library with its function. */
#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *kept[4];

/* The addresses of the functions of both libraries. */
void *first_function;
void *second_function;

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

static void *load(const char *path, const char *function, void **library)
{
    *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (*library == NULL)
        _exit(2);
    void *symbol = dlsym(*library, function);
    if (symbol == NULL)
        _exit(3);
    return symbol;
}

int main(int argc, char **argv)
{
    char path[PATH_MAX];
    void *library;
    beside("libfirst.so", path);
    first_function = load(path, "first_make", &library);
    kept[0] = ((void *(*)(size_t))first_function)(111);
    kept[1] = ((void *(*)(size_t))first_function)(111);
    if (dlclose(library) != 0)
        _exit(4);
    beside("libsecond.so", path);
    second_function = load(argc > 1 ? argv[1] : path, "second_make", &library);
    kept[2] = ((void *(*)(size_t))second_function)(222);
    kept[3] = malloc(333); /* heap: own size=333 count=1 */
    stop_here();
    _exit(0);
}
