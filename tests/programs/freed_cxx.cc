/* Blocks that operators delete free, each at a line of its own. */
#include <cstddef>
#include <new>

struct alignas(64) Wide {
    char bytes[64];
};

int *volatile one;
int *volatile some;
Wide *volatile wide;
Wide *volatile several;

extern "C" __attribute__((noinline)) void stop_here()
{
    __asm__ volatile("");
}

int main()
{
    one = new int(1);      /* tag: one */
    some = new int[10];    /* tag: some */
    wide = new Wide;       /* tag: wide */
    several = new Wide[3]; /* tag: several */
    delete one;            /* tag: one freed */
    delete[] some;         /* tag: some freed */
    delete wide;           /* tag: wide freed */
    delete[] several;      /* tag: several freed */
    stop_here();
    return 0;
}
