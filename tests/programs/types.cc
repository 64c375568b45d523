/* C++ objects of known classes, arrays of such, and what only looks like them. */
#include <cstdint>
#include <cstdlib>
#include <cstring>

struct Shape {
    virtual ~Shape()
    {
    }
    virtual int sides() const
    {
        return 0;
    }
    uint64_t name = 0;
};

struct Square : Shape {
    int sides() const override
    {
        return 4;
    }
    uint64_t width = 0;
};

struct Plain {
    uint64_t words[3];
    ~Plain()
    {
        words[0] = 1;
    }
};

struct alignas(16) Wide {
    virtual ~Wide()
    {
    }
    uint64_t word = 0;
};

namespace drawing
{
template <class T> struct Holder : virtual Shape {
    T held{};
};
} // namespace drawing

/* A program's own table of functions, as in C. */
static int none()
{
    return 0;
}
struct Operations {
    uint64_t top, type;
    int (*functions[2])();
};
static const Operations operations = {0, 0, {none, none}};

static void *volatile kept[64];
static int kept_count;

template <class T> static T *keep(T *block)
{
    kept[kept_count++] = block;
    return block;
}

extern "C" __attribute__((noinline)) void phase()
{
    __asm__ volatile("");
}

extern "C" __attribute__((noinline)) void stop_here(int trap)
{
    if (trap)
        __builtin_trap();
}

int main(int argc, char **)
{
    for (int i = 0; i < 3; i++)
        keep(new Shape);
    keep(new Square);
    keep(new Square[5]);
    keep(new Plain[4]);
    keep(new Wide[2]);
    keep(new drawing::Holder<int>);
    *(const void **)keep(calloc(1, 40)) = operations.functions;
    *(uint64_t *)keep(calloc(1, 41)) = 0x4141414141414141;
    keep(calloc(1, 5));
    phase();
    keep(new Square);
    stop_here(argc > 1);
    return 0;
}
