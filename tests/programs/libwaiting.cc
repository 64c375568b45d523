/* A plugin that starts a thread when it is loaded, and waits until the thread has allocated in
 * every way: the dynamic linker's lock is held meanwhile. For loader_lock.c. */
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <pthread.h>

static void *kept[8];
static volatile std::size_t huge = PTRDIFF_MAX;
static int handled;
static bool works;

struct alignas(64) wide {
    char bytes[64];
};

static void handler()
{
    handled++;
    std::set_new_handler(nullptr);
}

/* Whether an operator new that fails calls the new-handler and then throws. */
static bool fails_well()
{
    handled = 0;
    std::set_new_handler(handler);
    try {
        ::operator delete(::operator new(huge));
    } catch (const std::bad_alloc &) {
        return handled == 1 && operator new[](huge, std::nothrow) == nullptr;
    }
    return false;
}

static void *work(void *)
{
    kept[0] = new int[25];                       /* tag: array */
    kept[1] = new long;                          /* tag: plain */
    kept[2] = new (std::nothrow) char[30];       /* tag: nothrow */
    kept[3] = new wide;                          /* tag: aligned */
    kept[4] = std::realloc(std::malloc(10), 40); /* tag: resized */
    kept[5] = std::calloc(5, 10);                /* tag: cleared */
    delete[] new int[25];
    delete new wide;
    std::free(std::malloc(60));
    works = fails_well();
    return nullptr;
}

extern "C" bool waiting_work()
{
    pthread_t thread;
    return pthread_create(&thread, nullptr, work, nullptr) == 0 &&
           pthread_join(thread, nullptr) == 0 && works;
}

extern "C" bool waiting_fails_well()
{
    return fails_well();
}

extern "C" void waiting_forget()
{
    std::free(kept[5]);
    std::free(kept[4]);
    delete static_cast<wide *>(kept[3]);
    delete[] static_cast<char *>(kept[2]);
    delete static_cast<long *>(kept[1]);
    delete[] static_cast<int *>(kept[0]);
}

static bool done = waiting_work();

extern "C" bool waiting_done()
{
    return done;
}
