/* A library that linked.c loads, as small as can be, or with -DLARGE of many pages. */
#include <stddef.h>

typedef void *allocate_function(size_t size);

void *linked_kept[1024][2];

#ifdef LARGE
const char linked_constants[40000] = "constants";
char linked_data[40000] = "data";

void linked_filler(void)
{
    __asm__ volatile(".skip 40000, 0x90");
}
#endif

__attribute__((noinline)) void *linked_first(allocate_function *allocate, size_t number)
{
    void *block = allocate(10000 + number); /* tag: first */
    return block;
}

__attribute__((noinline)) void *linked_second(allocate_function *allocate, size_t number)
{
    void *block = allocate(20000 + number); /* tag: second */
    return block;
}

void linked_alloc(allocate_function *allocate, size_t number)
{
    linked_kept[number][0] = linked_first(allocate, number);  /* tag: call first */
    linked_kept[number][1] = linked_second(allocate, number); /* tag: call second */
}
