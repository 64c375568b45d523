/* Stacks of many shapes, each with allocations at its end: for comparing the hooks' walks
 * with another unwinder's. programs.mk builds it in many ways. */
#include <alloca.h>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <vector>

#define NOINLINE __attribute__((noinline))

static thread_local void *volatile sink;
static volatile std::size_t one = 1;
static unsigned rounds = 1;
static unsigned deep_frames = 3000;

NOINLINE static void allocate(std::size_t bytes)
{
    sink = std::malloc(bytes);
    std::free(sink);
    sink = std::realloc(nullptr, bytes + 1);
    std::free(sink);
    sink = std::calloc(one, bytes);
    std::free(sink);
    delete[] new char[bytes + 2];
}

/* Frames of different sizes and makes. */

NOINLINE static void touch(volatile char *bytes, std::size_t count)
{
    bytes[0] = bytes[count - 1] = 1;
}

NOINLINE static int in_big_frame(unsigned depth)
{
    volatile char locals[300 * 1024];
    touch(locals, sizeof(locals));
    allocate(depth + 1);
    return depth == 0 ? locals[0] : in_big_frame(depth - 1) + locals[1];
}

NOINLINE static int in_huge_frame()
{
    volatile char locals[3 << 20];
    touch(locals, sizeof(locals));
    allocate(9);
    return locals[0];
}

NOINLINE static int with_alloca(unsigned depth)
{
    std::size_t bytes = 16 + depth * 37;
    volatile char *locals = static_cast<volatile char *>(alloca(bytes));
    touch(locals, bytes);
    allocate(depth + 1);
    int sum = depth == 0 ? 0 : with_alloca(depth - 1);
    return sum + locals[0];
}

NOINLINE static int in_aligned_frame(unsigned depth)
{
    alignas(64) volatile char locals[192];
    touch(locals, sizeof(locals));
    allocate(depth + 1);
    int sum = depth == 0 ? 0 : in_aligned_frame(depth - 1);
    return sum + locals[0] + static_cast<int>(reinterpret_cast<std::uintptr_t>(locals) & 63);
}

NOINLINE static int aligned_with_alloca(unsigned depth)
{
    alignas(128) volatile char locals[128];
    volatile char *more = static_cast<volatile char *>(alloca(depth * 24 + 8));
    touch(locals, sizeof(locals));
    touch(more, depth * 24 + 8);
    allocate(depth + 1);
    int sum = depth == 0 ? 0 : aligned_with_alloca(depth - 1);
    return sum + locals[0] + more[0];
}

NOINLINE static long many_arguments(long a, long b, long c, long d, long e, long f, long g, long h,
                                    long i, double j, const std::string &k)
{
    allocate(static_cast<std::size_t>(a + 1));
    long sum = a == 0 ? 0 : many_arguments(a - 1, i, h, g, f, e, d, c, b, j * 2, k + "x");
    return sum + b + c + d + e + f + g + h + i + static_cast<long>(j) + static_cast<long>(k.size());
}

NOINLINE static unsigned even(unsigned number);
NOINLINE static unsigned odd(unsigned number)
{
    if (number % 16 == 0)
        allocate(number % 64 + 1);
    return number == 0 ? 0 : even(number - 1);
}

NOINLINE static unsigned even(unsigned number)
{
    if (number % 16 == 0)
        allocate(number % 64 + 1);
    return number == 0 ? 1 : odd(number - 1);
}

/* Recursion that stays, with an allocation at the end and some on the way back. */
NOINLINE static unsigned deep(unsigned depth, unsigned every)
{
    volatile unsigned kept = depth;
    if (depth == 0) {
        allocate(10);
        return 0;
    }
    unsigned below = deep(depth - 1, every);
    if (depth % every == 0)
        allocate(depth % 100 + 1);
    return below + kept;
}

/* Exceptions. */

struct noisy {
    unsigned number;
    explicit noisy(unsigned given) : number(given)
    {
        allocate(given + 1);
    }
    ~noisy()
    {
        allocate(number + 2);
        try {
            if (number % 4 == 1)
                throw std::runtime_error("within a destructor, caught in it");
        } catch (const std::exception &error) {
            std::string text = error.what();
            allocate(text.size());
        }
    }
};

NOINLINE static unsigned thrower(unsigned depth)
{
    noisy guard(depth);
    if (depth == 0)
        throw std::runtime_error("a message that is too long for a short string");
    unsigned result = thrower(depth - 1);
    return result + guard.number;
}

NOINLINE static void catcher(unsigned depth)
{
    try {
        thrower(depth);
    } catch (const std::logic_error &) {
        std::abort();
    } catch (const std::exception &error) {
        allocate(std::strlen(error.what()));
        try {
            noisy guard(depth);
            if (depth % 2 == 0)
                throw;
            throw std::string("another one, in the block that catches the first");
        } catch (const std::runtime_error &) {
            allocate(20);
        } catch (std::string &text) {
            text += text;
            allocate(21);
        }
    }
}

/* Jumps. */

static std::jmp_buf back;

NOINLINE static void jumper(unsigned depth)
{
    volatile char pad[24];
    touch(pad, sizeof(pad));
    allocate(depth + 1);
    if (depth == 0)
        std::longjmp(back, 1);
    jumper(depth - 1);
    allocate(pad[0]);
}

NOINLINE static void jumps()
{
    for (volatile unsigned depth = 1; depth < 40; depth = depth + 7) {
        if (setjmp(back) == 0)
            jumper(depth);
        allocate(depth);
    }
}

/* Callbacks out of libraries. */

static int compare(const void *left, const void *right)
{
    allocate(3);
    int a = *static_cast<const int *>(left);
    int b = *static_cast<const int *>(right);
    return (a > b) - (a < b);
}

NOINLINE static void callbacks()
{
    int numbers[64];
    for (int i = 0; i < 64; i++)
        numbers[i] = (i * 37) % 64;
    std::qsort(numbers, 64, sizeof(numbers[0]), compare);
    int wanted = 17;
    if (std::bsearch(&wanted, numbers, 64, sizeof(numbers[0]), compare) == nullptr)
        std::abort();
    std::function<unsigned(unsigned)> nested = [&](unsigned depth) -> unsigned {
        std::vector<std::string> texts(depth + 1, std::string(40, 'x'));
        return depth == 0 ? 0 : nested(depth - 1) + static_cast<unsigned>(texts.size());
    };
    nested(20);
}

/* Threads and their ends. */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;

struct local {
    ~local()
    {
        allocate(31);
    }
    void touch()
    {
        allocate(30);
    }
};
static thread_local struct local per_thread;

static void first_time()
{
    allocate(12);
    pthread_key_create(&key, [](void *) { allocate(13); });
}

NOINLINE static void all_shapes();

static void *run(void *)
{
    pthread_once(&once, first_time);
    pthread_setspecific(key, &key);
    per_thread.touch();
    all_shapes();
    return nullptr;
}

NOINLINE static void all_shapes()
{
    in_big_frame(3);
    in_huge_frame();
    with_alloca(20);
    in_aligned_frame(10);
    aligned_with_alloca(10);
    many_arguments(12, 1, 2, 3, 4, 5, 6, 7, 8, 1.5, "text");
    even(99);
    deep(200, 3);
    for (unsigned i = 0; i < 6; i++)
        catcher(i * 2);
    callbacks();
}

struct early_and_late {
    early_and_late()
    {
        allocate(50);
    }
    ~early_and_late()
    {
        allocate(51);
    }
};
static struct early_and_late early_and_late;

int main(int count, char **arguments)
{
    if (count > 1)
        rounds = static_cast<unsigned>(std::atoi(arguments[1]));
    if (count > 2)
        deep_frames = static_cast<unsigned>(std::atoi(arguments[2]));
    std::atexit([]() { allocate(52); });
    for (unsigned round = 0; round < rounds; round++) {
        all_shapes();
        jumps();
        deep(deep_frames, deep_frames / 8 + 1);
        pthread_t threads[2];
        for (auto &thread : threads)
            if (pthread_create(&thread, nullptr, run, nullptr) != 0)
                return 1;
        for (auto &thread : threads)
            pthread_join(thread, nullptr);
    }
    return 0;
}
