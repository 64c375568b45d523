/* Started without the hooks, which are loaded into it while it runs. It checks what its blocks
 * hold, and says OK at its end. Its first argument says what it does:
 *
 *   steps N [LIBRARY]  N blocks, before(); known blocks, of a library that it loads too, after()
 *   churn N            N threads allocate and free, until standard input ends
 *   wait N             N threads wait, until standard input ends
 *   alone              allocates and frees in its only thread, for ever
 *   handler [1]        stands in a signal handler that has interrupted free
 *   loader LIBRARY [1] stands in the constructor of a library; 1: another thread waits
 *   sealed             may only read, write and end (seccomp) */
#include <dlfcn.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { EARLY_MAX = 10000, EARLY_BYTES = 48, AFTER = 10, SLOTS = 256 };

/* Words of data that the dynamic linker fills in. */
static void *(*const by_pointer)(size_t) = malloc;
static void (*const free_by_pointer)(void *) = free;

static unsigned char *early[EARLY_MAX];
static void *blocks[5 * AFTER];

void before(void);
void after(void);

void before(void)
{
    __asm__ volatile("");
}

void after(void)
{
    __asm__ volatile("");
}

static void check(int is_true, const char *what)
{
    if (is_true)
        return;
    puts(what);
    abort();
}

static void fill(unsigned char *block, int value, size_t bytes)
{
    check(block != NULL, "no memory");
    memset(block, value, bytes);
}

static int holds(const unsigned char *block, int value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (block[i] != (unsigned char)value)
            return 0;
    return 1;
}

static void *library_block(const char *path)
{
    void *library = path == NULL ? NULL : dlopen(path, RTLD_NOW | RTLD_DEEPBIND);
    void *(*get)(void) = NULL;
    if (library == NULL)
        return NULL;
    *(void **)&get = dlsym(library, "get");
    return get();
}

static void allocate_known(void)
{
    for (int i = 0; i < AFTER; i++) {
        blocks[5 * i] = malloc(100);               /* tag: malloc */
        blocks[5 * i + 1] = by_pointer(30);        /* tag: pointer */
        blocks[5 * i + 2] = calloc(2, 20);         /* tag: calloc */
        blocks[5 * i + 3] = aligned_alloc(64, 64); /* tag: aligned */
        blocks[5 * i + 4] = strdup("attached");
    }
}

static int steps(int count, const char *path)
{
    for (int i = 0; i < count; i++)
        fill(early[i] = malloc(EARLY_BYTES), i, EARLY_BYTES);
    before();
    allocate_known();
    void *of_library = library_block(path);
    early[0] = realloc(early[0], 1000); /* tag: realloc */
    for (int i = 1; i < count; i += 2) {
        check(holds(early[i], i, EARLY_BYTES), "a block from before is another");
        free(early[i]);
    }
    after();
    for (int i = 0; i < count; i += 2) {
        check(holds(early[i], i, EARLY_BYTES), "a block from before is another");
        free_by_pointer(early[i]);
    }
    for (int i = 0; i < 5 * AFTER; i++)
        free(blocks[i]);
    free(of_library);
    return 0;
}

/* ---- threads ---- */

static volatile int is_over;
static long rounds[64];

static void churn_once(unsigned char **slots, size_t *sizes, unsigned *state, long number)
{
    *state = *state * 1103515245 + 12345;
    int place = *state >> 8 & (SLOTS - 1);
    unsigned char *block = slots[place];
    check(block == NULL || holds(block, place + (int)number, sizes[place]), "a block is another");
    if (block != NULL && (*state >> 20 & 1) != 0) {
        free(block);
        slots[place] = NULL;
        return;
    }
    sizes[place] = 1 + (*state >> 4 & 0x3ff) * (*state % 17 == 0 ? 64 : 1);
    slots[place] = realloc(block, sizes[place]);
    fill(slots[place], place + (int)number, sizes[place]);
}

static void *churn(void *argument)
{
    long number = (long)argument;
    unsigned char *slots[SLOTS] = {0};
    size_t sizes[SLOTS];
    unsigned state = (unsigned)number + 1;
    while (!is_over || rounds[number] == 0) {
        churn_once(slots, sizes, &state, number);
        rounds[number]++;
    }
    for (int i = 0; i < SLOTS; i++)
        free(slots[i]);
    return NULL;
}

static void *wait_for_end(void *pipe_end)
{
    char byte;
    check(read(*(int *)pipe_end, &byte, 1) == 0, "something to read");
    return NULL;
}

static int with_threads(int count, void *(*function)(void *))
{
    static pthread_t threads[4096];
    static int ends[2];
    pthread_attr_t small;
    char byte;
    check(pipe(ends) == 0 && pthread_attr_init(&small) == 0 &&
              pthread_attr_setstacksize(&small, 65536) == 0,
          "no pipe");
    for (long i = 0; i < count; i++)
        check(pthread_create(&threads[i], &small, function,
                             function == churn ? (void *)i : (void *)&ends[0]) == 0,
              "no thread");
    puts("ready");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    is_over = 1;
    close(ends[1]);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    return 0;
}

static void churn_alone(void)
{
    static unsigned char *slots[SLOTS];
    static size_t sizes[SLOTS];
    unsigned state = 1;
    puts("ready");
    fflush(stdout);
    for (;;)
        churn_once(slots, sizes, &state, 0);
}

/* ---- standing where nothing can be loaded ---- */

static void stand(int number)
{
    char byte;
    (void)number;
    check(write(STDOUT_FILENO, "ready\n", 6) == 6, "nowhere to write");
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    check(write(STDOUT_FILENO, "OK\n", 3) == 3, "nowhere to write");
    _exit(0);
}

static void seal(void)
{
    char byte;
    check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0, "no seccomp");
    check(write(STDOUT_FILENO, "ready\n", 6) == 6, "nowhere to write");
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    check(write(STDOUT_FILENO, "OK\n", 3) == 3, "nowhere to write");
    syscall(SYS_exit, 0);
}

static void add_waiting_thread(void)
{
    static pthread_t thread;
    static int ends[2];
    check(pipe(ends) == 0 && pthread_create(&thread, NULL, wait_for_end, &ends[0]) == 0,
          "no thread");
}

/* The size of a block is before it, where nothing can be read here. */
static void stand_in_free(void)
{
    char *pages = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    signal(SIGSEGV, stand);
    free(pages + 4096);
}

int main(int count, char **arguments)
{
    const char *mode = count > 1 ? arguments[1] : "";
    const char *argument = count > 2 ? arguments[2] : "0";
    if (strcmp(arguments[count - 1], "1") == 0)
        add_waiting_thread();
    if (strcmp(mode, "steps") == 0)
        steps(atoi(argument), count > 3 ? arguments[3] : NULL);
    else if (strcmp(mode, "churn") == 0)
        with_threads(atoi(argument), churn);
    else if (strcmp(mode, "wait") == 0)
        with_threads(atoi(argument), wait_for_end);
    else if (strcmp(mode, "alone") == 0)
        churn_alone();
    else if (strcmp(mode, "sealed") == 0)
        seal();
    else if (strcmp(mode, "handler") == 0)
        stand_in_free();
    else if (strcmp(mode, "loader") == 0)
        check(dlopen(argument, RTLD_NOW) != NULL, "no library");
    puts("OK");
    return 0;
}
