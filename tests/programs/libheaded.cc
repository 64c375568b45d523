/* Operators new and delete that keep a word before each block: what they hand out lies within what
 * malloc has given them. */
#include <cstdlib>
#include <new>

enum { HEADER = 16 };

void *operator new(std::size_t size)
{
    char *block = static_cast<char *>(std::malloc(size + HEADER));
    if (block == nullptr)
        throw std::bad_alloc();
    return block + HEADER;
}

void operator delete(void *block) noexcept
{
    if (block != nullptr)
        std::free(static_cast<char *>(block) - HEADER);
}

void operator delete(void *block, std::size_t) noexcept
{
    operator delete(block);
}
