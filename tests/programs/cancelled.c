/* Threads with a cancellation that waits, which is acted upon at a cancellation point only: the
 * allocation functions are none (POSIX.1-2017, 2.9.5.2). Each thread allocates in a library that
 * nothing has allocated in yet, in one more way than the one before, frees in a cleanup handler and
 * in a destructor of its own data, and is cancelled where it asks for it. A thread that hangs is
 * ended by SIGALRM. */
#include <dlfcn.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *library;
    const char *function;
} makers[] = {
    {"libfirst.so", "first_make"},
    {"libsecond.so", "second_make"},
    {"libturn_one.so", "turn_make"},
    {"libturn_other.so", "turn_make"},
};

#define MAKERS (sizeof(makers) / sizeof(makers[0]))

struct work {
    void *(*make)(size_t size);
    size_t number;
    atomic_bool asked;
    bool passed;
    bool cleaned;
};

static pthread_key_t key;

static void *make_otherwise(size_t number, size_t size)
{
    switch (number) {
    case 0:
        return calloc(1, size);
    case 1:
        return realloc(malloc(1), size);
    case 2:
        return memalign(64, size);
    default:
        return valloc(size);
    }
}

static void clean(void *argument)
{
    struct work *work = argument;
    free(malloc(33));
    work->cleaned = true;
}

static void *run(void *argument)
{
    struct work *work = argument;
    while (!atomic_load(&work->asked))
        continue;
    void *block = work->make(100);
    free(make_otherwise(work->number, 5000));
    free(block);
    pthread_setspecific(key, malloc(44));
    pthread_cleanup_push(clean, work);
    work->passed = true;
    pthread_testcancel();
    work->passed = false;
    pthread_cleanup_pop(0);
    return NULL;
}

static void *load(const char *directory, size_t number)
{
    char path[PATH_MAX + 64];
    strcpy(path, directory);
    strcat(path, makers[number].library);
    void *library = dlopen(path, RTLD_NOW);
    return library == NULL ? NULL : dlsym(library, makers[number].function);
}

int main(void)
{
    char directory[PATH_MAX];
    struct work work[MAKERS] = {{.number = 0}};
    alarm(60);
    ssize_t length = readlink("/proc/self/exe", directory, sizeof(directory) - 1);
    if (length <= 0 || pthread_key_create(&key, free) != 0)
        return 1;
    directory[length] = '\0';
    strrchr(directory, '/')[1] = '\0';
    for (size_t i = 0; i < MAKERS; i++) {
        void *result;
        pthread_t thread;
        work[i].number = i;
        work[i].make = (void *(*)(size_t))load(directory, i);
        if (work[i].make == NULL || pthread_create(&thread, NULL, run, &work[i]) != 0 ||
            pthread_cancel(thread) != 0)
            return 2;
        atomic_store(&work[i].asked, true);
        if (pthread_join(thread, &result) != 0 || result != PTHREAD_CANCELED || !work[i].passed ||
            !work[i].cleaned)
            return 3;
        free(work[i].make(200));
    }
    return 0;
}
