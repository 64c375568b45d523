// A program with unwinders of its own linked into it, libgcc's and libunwind, that uses both:
// exceptions that are thrown through allocating frames, and stacks that it walks itself.
#include <cstdlib>
#include <unistd.h>

#define UNW_LOCAL_ONLY
#include <libunwind.h>

static void *kept[64];
static void *thrown[10];

extern "C" __attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

struct release {
    void *block;
    ~release()
    {
        free(block);
    }
};

__attribute__((noinline)) static int walk()
{
    void *addresses[32];
    return unw_backtrace(addresses, 32);
}

__attribute__((noinline)) static void descend(int level)
{
    release mine{malloc(100)}; /* tag: unwound */
    if (level == 0)
        throw malloc(77); /* tag: thrown */
    descend(level - 1);
}

int main()
{
    int frames = 0;
    for (int i = 0; i < 10; i++) {
        try {
            descend(i);
        } catch (void *block) {
            thrown[i] = block;
        }
        frames += walk();
        kept[i] = malloc(60); /* tag: main */
    }
    if (frames < 20)
        _exit(1);
    stop_here();
    _exit(0);
}
