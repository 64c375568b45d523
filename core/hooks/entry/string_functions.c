/* The functions of <string.h> that the hooks use and that compilers call by themselves. With
 * definitions of their own, which nothing else sees, the hooks never come to those of another
 * library, such as a sanitizer's, which may not be ready yet or allocate. They are used for
 * little, and seldom: what every call of the program goes through copies by words. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* Loops that do what these functions do must not become calls of them. */
#if defined(__clang__)
#define DEFINITION __attribute__((used, noinline, no_builtin))
#else
#define DEFINITION __attribute__((used, noinline, optimize("no-tree-loop-distribute-patterns")))
#endif

DEFINITION void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
#if defined(__x86_64__)
    void *at = to;
    __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(bytes) : : "memory");
#else
    typedef uint64_t __attribute__((may_alias, aligned(1))) word;
    char *at = to;
    const char *next = from;
    for (; bytes >= sizeof(word); bytes -= sizeof(word)) {
        *(word *)at = *(const word *)next;
        at += sizeof(word);
        next += sizeof(word);
    }
    for (; bytes > 0; bytes--)
        *at++ = *next++;
#endif
    return to;
}

DEFINITION void *memmove(void *to, const void *from, size_t bytes)
{
    char *target = to;
    const char *source = from;
    if ((uintptr_t)target - (uintptr_t)source < bytes)
        for (; bytes > 0; bytes--)
            target[bytes - 1] = source[bytes - 1];
    else
        for (size_t i = 0; i < bytes; i++)
            target[i] = source[i];
    return to;
}

DEFINITION void *memset(void *to, int value, size_t bytes)
{
#if defined(__x86_64__)
    void *at = to;
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(value) : "memory");
#else
    typedef uint64_t __attribute__((may_alias, aligned(1))) word;
    char *at = to;
    for (; bytes >= sizeof(word); bytes -= sizeof(word)) {
        *(word *)at = (unsigned char)value * UINT64_C(0x0101010101010101);
        at += sizeof(word);
    }
    for (; bytes > 0; bytes--)
        *at++ = (char)value;
#endif
    return to;
}

DEFINITION int memcmp(const void *one, const void *other, size_t bytes)
{
    const unsigned char *a = one;
    const unsigned char *b = other;
    for (size_t i = 0; i < bytes; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

/* clang calls it where only equality is asked for. */
DEFINITION int bcmp(const void *one, const void *other, size_t bytes)
{
    return memcmp(one, other, bytes);
}

DEFINITION void *memchr(const void *bytes, int value, size_t count)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < count; i++)
        if (at[i] == (unsigned char)value)
            return (void *)(uintptr_t)&at[i];
    return NULL;
}

DEFINITION size_t strnlen(const char *text, size_t most)
{
    size_t length = 0;
    while (length < most && text[length] != '\0')
        length++;
    return length;
}

DEFINITION size_t strlen(const char *text)
{
    return strnlen(text, PTRDIFF_MAX);
}

DEFINITION int strncmp(const char *one, const char *other, size_t most)
{
    size_t bytes = strnlen(one, most);
    return memcmp(one, other, bytes < most ? bytes + 1 : bytes);
}

DEFINITION int strcmp(const char *one, const char *other)
{
    return memcmp(one, other, strlen(one) + 1);
}

DEFINITION char *strchr(const char *text, int wanted)
{
    return memchr(text, wanted, strlen(text) + 1);
}

/* How many bytes at the beginning are in `set`, or are not. */
static size_t span(const char *text, const char *set, int in)
{
    size_t length = 0;
    size_t set_bytes = strlen(set);
    while (text[length] != '\0' && (memchr(set, text[length], set_bytes) != NULL) == in)
        length++;
    return length;
}

DEFINITION size_t strspn(const char *text, const char *set)
{
    return span(text, set, 1);
}

DEFINITION size_t strcspn(const char *text, const char *set)
{
    return span(text, set, 0);
}
