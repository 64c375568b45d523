/* Forks again and again while threads hold locks that the fork waits for, and allocate with them
 * held: that of a library with handlers (liblocky.c), that of the list of streams, that of the list
 * of handlers, that of the dynamic linker. What hangs ends by SIGALRM.
 *
 *     fork_handlers FORKS */
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each makes all later forks longer. */
#define HANDLERS 200

void locky_work(void);

static atomic_bool enough;

static void *work_locked(void *argument)
{
    while (!atomic_load(&enough)) {
        locky_work();
        sched_yield();
    }
    return argument;
}

/* A stream's text grows with the stream's lock held, and a stream is closed with the list's. */
static void *work_on_streams(void *argument)
{
    while (!atomic_load(&enough)) {
        char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);
        for (int i = 0; i < 50; i++)
            fprintf(stream, "%d lines of text that is read again\n", i);
        fflush(NULL);
        fclose(stream);
        char *line = NULL;
        size_t room = 0;
        stream = fmemopen(text, size, "r");
        while (getline(&line, &room, stream) > 0)
            continue;
        fclose(stream);
        free(line);
        free(text);
        sched_yield();
    }
    return argument;
}

static void do_nothing(void)
{
}

static void *register_handlers(void *argument)
{
    for (int i = 0; i < HANDLERS; i++) {
        pthread_atfork(do_nothing, do_nothing, do_nothing);
        locky_work();
    }
    return argument;
}

static void *load(void *argument)
{
    while (!atomic_load(&enough)) {
        void *library = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
        if (library != NULL)
            dlclose(library);
    }
    return argument;
}

static void be_child(void)
{
    alarm(60);
    locky_work();
    void *block = realloc(calloc(10, 10), 1000);
    locky_work();
    free(block);
    _exit(7);
}

int main(int argc, char **argv)
{
    static void *(*const works[])(void *) = {
        work_locked, work_locked, work_on_streams, register_handlers, load,
    };
    enum { WORKS = sizeof(works) / sizeof(works[0]) };
    pthread_t threads[WORKS];
    int forks = argc == 2 ? atoi(argv[1]) : 0;
    alarm(100);
    for (int i = 0; i < WORKS; i++)
        if (pthread_create(&threads[i], NULL, works[i], NULL) != 0)
            return 1;
    for (int i = 0; i < forks; i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0)
            be_child();
        if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
            WEXITSTATUS(status) != 7)
            return 2;
    }
    atomic_store(&enough, true);
    for (int i = 0; i < WORKS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
