/* A C program whose threads allocate while another one holds a lock of the dynamic linker and
 * waits for them. It ends by SIGALRM where that never ends. What it does:
 *
 *     local, global   loads libwaiting.so, which does so when it is loaded
 *     iterate         does so in a callback of dl_iterate_phdr
 *     bare            an operator new that fails, called by libbare.so, which names no C++ library
 *     race            such calls, while a thread loads and unloads libraries
 */
#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RACES 300

static char directory[PATH_MAX];
static void *waiting;
static atomic_bool enough;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

/* A library from beside this program. */
static void *load(const char *name, int how)
{
    char path[PATH_MAX + 64];
    strcpy(path, directory);
    strcat(path, name);
    void *library = dlopen(path, RTLD_NOW | how);
    if (library == NULL)
        _exit(2);
    return library;
}

static bool call(void *library, const char *name)
{
    bool (*function)(void) = (bool (*)(void))dlsym(library, name);
    if (function == NULL)
        _exit(3);
    return function();
}

static int visit(struct dl_phdr_info *object, size_t size, void *argument)
{
    bool (*work)(void) = (bool (*)(void))dlsym(waiting, "waiting_work");
    (void)object;
    (void)size;
    *(bool *)argument = work();
    return 1;
}

static bool iterate(void)
{
    bool done = false;
    void (*forget)(void) = (void (*)(void))dlsym(waiting, "waiting_forget");
    forget();
    dl_iterate_phdr(visit, &done);
    return done;
}

static void *turn(void *argument)
{
    while (!atomic_load(&enough)) {
        dlclose(load("libturn_one.so", RTLD_LOCAL));
        dlclose(load("libturn_other.so", RTLD_LOCAL));
        dlclose(load("libfirst.so", RTLD_GLOBAL));
    }
    return argument;
}

static bool race(void)
{
    pthread_t thread;
    bool done = pthread_create(&thread, NULL, turn, NULL) == 0;
    for (int i = 0; i < RACES; i++)
        done = call(waiting, "waiting_fails_well") && done;
    atomic_store(&enough, true);
    return pthread_join(thread, NULL) == 0 && done;
}

static bool run(const char *what)
{
    if (strcmp(what, "bare") == 0)
        return dlopen("libstdc++.so.6", RTLD_NOW | RTLD_GLOBAL) != NULL &&
               call(load("libbare.so", RTLD_LOCAL), "bare_fails_well");
    waiting = load("libwaiting.so", strcmp(what, "global") == 0 ? RTLD_GLOBAL : RTLD_LOCAL);
    if (!call(waiting, "waiting_done"))
        return false;
    if (strcmp(what, "iterate") == 0)
        return iterate();
    return strcmp(what, "race") != 0 || race();
}

int main(int argc, char **argv)
{
    alarm(60);
    ssize_t length = readlink("/proc/self/exe", directory, sizeof(directory) - 1);
    if (length <= 0 || argc != 2)
        return 1;
    directory[length] = '\0';
    strrchr(directory, '/')[1] = '\0';
    if (!run(argv[1]))
        return 4;
    stop_here();
    return 0;
}
