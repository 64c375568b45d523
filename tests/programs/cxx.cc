/* The C++ ways to memory. Marks with `via` are blocks that the standard library
 * asks for on behalf of the marked line. The run-time library keeps memory of its
 * own: more than the marks is live. */
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

struct plain {
    char bytes[48];
};

struct counted {
    char bytes[24];
    ~counted()
    {
        bytes[0] = 0;
    }
};

struct alignas(128) wide {
    char bytes[256];
};

struct refusing {
    char bytes[40];
    refusing()
    {
        throw std::runtime_error("refused");
    }
};

static void *kept[16];

extern "C" __attribute__((noinline)) void stop_here()
{
    __asm__ volatile("");
}

static void direct()
{
    kept[0] = new plain;                   /* heap: object size=48 count=1 */
    kept[1] = new char[100];               /* heap: array size=100 count=1 */
    kept[2] = new counted[10];             /* heap: with_cookie size=8+240 count=1 */
    kept[3] = new wide;                    /* heap: aligned size=256 count=1 */
    kept[4] = new wide[3];                 /* heap: aligned_array size=3*256 count=1 */
    kept[5] = new (std::nothrow) char[77]; /* heap: nothrow size=77 count=1 */
    kept[6] = new (std::align_val_t(64), std::nothrow) char[90]; /* heap: both size=90 count=1 */
    kept[7] = operator new(55);                                  /* heap: raw size=55 count=1 */
    delete new plain;                                            /* heap: deleted size=0 count=0 */
    delete[] new counted[4];        /* heap: deleted_array size=0 count=0 */
    delete new wide;                /* heap: deleted_aligned size=0 count=0 */
    void *sized = operator new(66); /* heap: sized size=0 count=0 */
    operator delete(sized, static_cast<std::size_t>(66));
}

static void refused()
{
    for (int i = 0; i < 100; i++) {
        try {
            kept[8] = new refusing; /* heap: thrown_away size=0 count=0 */
            _exit(1);
        } catch (const std::runtime_error &) {
        }
    }
}

int main()
{
    direct();
    refused();
    std::vector<int> grown;
    for (int i = 0; i < 1000; i++)
        grown.push_back(i); /* heap: grown size=1024*4 count=1 via=vector */
    std::vector<int> reserved;
    reserved.reserve(500);                   /* heap: reserved size=500*4 count=1 via=vector */
    std::string text(100, 'x');              /* heap: text size=101 count=1 via=string */
    std::string tiny("tiny");                /* heap: tiny size=0 count=0 */
    auto shared = std::make_shared<plain>(); /* heap: shared size=16+48 count=1 via=make_shared */
    auto unique = std::make_unique<plain>(); /* heap: unique size=48 count=1 via=make_unique */
    auto *strings = new std::vector<std::string>; /* heap: strings size=24 count=1 */
    strings->resize(20, text); /* heap: copies size=20*32+20*101 count=21 via=vector */
    stop_here();
    _exit(0);
}
