/* A program whose operator new puts a header before each block, while operator new[] is
 * the C++ library's: each block is there once, as malloc gave it. */
#include <cstddef>
#include <cstdlib>
#include <new>
#include <unistd.h>

static void *kept[4];

extern "C" __attribute__((noinline)) void stop_here()
{
    __asm__ volatile("");
}

void *operator new(std::size_t size)
{
    char *block =
        static_cast<char *>(std::malloc(size + 32)); /* heap: new size=8+32+100+32 count=2 */
    if (block == nullptr)
        throw std::bad_alloc();
    return block + 32;
}

void operator delete(void *block) noexcept
{
    std::free(static_cast<char *>(block) - 32);
}

void operator delete(void *block, std::size_t) noexcept
{
    std::free(static_cast<char *>(block) - 32);
}

int main()
{
    kept[0] = new long;
    kept[1] = new char[100];
    delete[] new char[50];
    delete new int;
    stop_here();
    _exit(0);
}
