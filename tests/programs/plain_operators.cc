/* C++ that needs no C++ library: operators of its own, and no exceptions. Their malloc is
 * recorded, with the operator as the most recent frame (the mark in=operator), which memcheck
 * replaces by its own (in=caller).
 * heap-total: exact */
#include <stdlib.h>
#include <unistd.h>

void *operator new(size_t size)
{
    return malloc(size); /* heap: operator size=10*48 count=10 in=operator */
}

void operator delete(void *block) noexcept
{
    free(block);
}

void operator delete(void *block, size_t) noexcept
{
    free(block);
}

struct node {
    node *next;
    char bytes[40];
};

static node *list;

extern "C" __attribute__((noinline)) void stop_here()
{
    __asm__ volatile("");
}

template <typename T> static T *make()
{
    return new T(); /* heap: made size=10*48 count=10 in=caller */
}

int main()
{
    for (int i = 0; i < 10; i++) {
        node *made = make<node>();
        made->next = list;
        list = made;
    }
    delete new node; /* heap: deleted size=0 count=0 */
    stop_here();
    _exit(0);
}
