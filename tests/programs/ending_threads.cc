/* Threads that allocate while they end, in as many ways as there are: one after the other, all
 * ways again and again. What they leave is freed. The first stop_here is after ROUNDS_BEFORE
 * rounds of all ways, the second after ROUNDS_MORE further ones; both are arguments, else 1. */
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

extern "C" int __cxa_thread_atexit(void (*function)(void *), void *object, void *library);
extern "C" void *__dso_handle;

static pthread_key_t again_key;
static pthread_key_t late_key;
static pthread_barrier_t meeting;
static pid_t detached_thread;
static void *left[8];
static unsigned left_count;

extern "C" __attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void leave(void *block)
{
    left[left_count++] = block;
}

/* Sets itself again until libc gives up. */
static void destroy_again(void *block)
{
    free(block);
    block = malloc(32); /* heap: again size=0 count=0 */
    left[left_count] = block;
    pthread_setspecific(again_key, block);
}

/* The value counts the rounds; only the last one allocates. */
static void destroy_late(void *value)
{
    uintptr_t round = (uintptr_t)value;
    if (round < PTHREAD_DESTRUCTOR_ITERATIONS)
        pthread_setspecific(late_key, (void *)(round + 1));
    else
        leave(malloc(48)); /* heap: late size=0 count=0 */
}

static void at_exit(void *block)
{
    free(block);
    free(malloc(64)); /* heap: at_exit size=0 count=0 */
}

struct local {
    char *text = new char[80]; /* heap: local size=0 count=0 */
    ~local()
    {
        delete[] text;
        __cxa_thread_atexit(at_exit, malloc(96), &__dso_handle);
    }
};

static thread_local local object;

static void *set_again(void *)
{
    pthread_setspecific(again_key, malloc(16)); /* heap: set size=0 count=0 */
    return nullptr;
}

static void *set_late(void *)
{
    pthread_setspecific(late_key, (void *)1);
    return nullptr;
}

static void *leave_late(void *)
{
    pthread_setspecific(late_key, (void *)1);
    pthread_exit(nullptr);
}

static void *use_local(void *)
{
    object.text[0] = 'x';
    return set_again(nullptr);
}

static void clean_up(void *)
{
    free(malloc(112)); /* heap: clean_up size=0 count=0 */
}

static void *wait_to_be_cancelled(void *)
{
    pthread_cleanup_push(clean_up, nullptr);
    set_again(nullptr);
    pthread_barrier_wait(&meeting);
    for (;;)
        pause();
    pthread_cleanup_pop(0);
    return nullptr;
}

/* What libc keeps of a thread for strerror it frees after all destructors. */
static void *ask_libc(void *)
{
    strerror(12345);
    return set_late(nullptr);
}

static void *end_by_system_call(void *)
{
    free(malloc(128)); /* heap: system_call size=0 count=0 */
    syscall(SYS_exit, 0);
    return nullptr;
}

static void *end_detached(void *)
{
    detached_thread = (pid_t)syscall(SYS_gettid);
    pthread_barrier_wait(&meeting);
    return set_again(nullptr);
}

static pthread_t start(void *(*function)(void *))
{
    pthread_t thread;
    if (pthread_create(&thread, nullptr, function, nullptr) != 0)
        _exit(1);
    return thread;
}

static void tidy(void)
{
    /* The last that destroy_again has left is behind what is counted. */
    for (unsigned i = 0; i <= left_count; i++)
        free(left[i]);
    memset(left, 0, sizeof(left));
    left_count = 0;
}

static void run(void *(*function)(void *))
{
    pthread_t thread = start(function);
    if (function == wait_to_be_cancelled) {
        pthread_barrier_wait(&meeting);
        pthread_cancel(thread);
    }
    if (pthread_join(thread, nullptr) != 0)
        _exit(2);
    tidy();
}

static void run_detached(void)
{
    pthread_detach(start(end_detached));
    pthread_barrier_wait(&meeting);
    while (syscall(SYS_tgkill, getpid(), detached_thread, 0) == 0)
        continue;
    tidy();
}

static void run_all(long rounds)
{
    static void *(*const ways[])(void *) = {
        set_again, set_late,           leave_late, use_local, wait_to_be_cancelled,
        ask_libc,  end_by_system_call,
    };
    for (long i = 0; i < rounds; i++) {
        for (void *(*way)(void *) : ways)
            run(way);
        run_detached();
    }
}

int main(int count, char **arguments)
{
    pthread_key_create(&again_key, destroy_again);
    pthread_key_create(&late_key, destroy_late);
    pthread_barrier_init(&meeting, nullptr, 2);
    run_all(count > 1 ? atol(arguments[1]) : 1);
    stop_here();
    run_all(count > 2 ? atol(arguments[2]) : 1);
    stop_here();
    _exit(0);
}
