/* A program with an operator new of its own, for all and for one class: the
 * blocks belong to the lines that call malloc. Its operator new[] is the C++
 * library's, whose blocks belong to its callers. */
#include <cstddef>
#include <cstdlib>
#include <new>
#include <unistd.h>
#include <vector>

static void *kept[8];

extern "C" __attribute__((noinline)) void stop_here()
{
    __asm__ volatile("");
}

void *operator new(std::size_t size)
{
    void *block = std::malloc(size); /* heap: global size=8+800 count=2 */
    if (block == nullptr)
        throw std::bad_alloc();
    return block;
}

void operator delete(void *block) noexcept
{
    std::free(block);
}

void operator delete(void *block, std::size_t) noexcept
{
    std::free(block);
}

struct pooled {
    char bytes[64];

    static void *operator new(std::size_t size)
    {
        void *block = std::calloc(1, size); /* heap: class size=2*64 count=2 */
        if (block == nullptr)
            throw std::bad_alloc();
        return block;
    }

    static void operator delete(void *block)
    {
        std::free(block);
    }
};

struct alignas(64) wide {
    char bytes[64];
};

int main()
{
    kept[0] = new pooled;
    kept[1] = new pooled;
    delete new pooled;
    kept[2] = new long;
    kept[3] = new char[400]; /* heap: array size=400 count=1 */
    kept[4] = new wide;      /* heap: not_overloaded size=64 count=1 */
    std::vector<long> numbers(100);
    delete new int;
    stop_here();
    _exit(0);
}
