/* A program that defines operator new or delete: as OWN_... say, by these functions. Three blocks
 * are made by each of the operators, and one of them is freed. */
#include <cstddef>
#include <cstdlib>
#include <new>
#include <unistd.h>

extern "C" void *__libc_malloc(std::size_t size);
extern "C" void __libc_free(void *block);

#ifdef OWN_NEW
void *operator new(std::size_t size)
{
    return OWN_NEW(size);
}

void *operator new[](std::size_t size)
{
    return OWN_NEW(size);
}
#endif

#ifdef OWN_DELETE
void operator delete(void *block) noexcept
{
    OWN_DELETE(block);
}

void operator delete(void *block, std::size_t) noexcept
{
    OWN_DELETE(block);
}

void operator delete[](void *block) noexcept
{
    OWN_DELETE(block);
}
#endif

static char *kept[2][3];

extern "C" __attribute__((noinline)) void stop_here()
{
    __asm__ volatile("");
}

int main()
{
    for (int i = 0; i < 3; i++) {
        kept[0][i] = static_cast<char *>(operator new(101));
        kept[1][i] = static_cast<char *>(operator new[](201));
    }
    operator delete(kept[0][0]);
    operator delete[](kept[1][0]);
    kept[0][0] = kept[1][0] = nullptr;
    stop_here();
    _exit(0);
}
