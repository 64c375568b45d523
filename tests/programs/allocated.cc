/* Blocks of operator new whose types are known, and nothing in them tells: Clang notes the types
 * beside the calls. */
#include <cstdlib>
#include <cstring>
#include <new>

struct Point {
    long x, y;
};

namespace drawing
{
template <class T> struct Holder {
    T held[3];
};

struct Outer {
    struct Inner {
        char bytes[40];
    };
};

namespace
{
struct Hidden {
    char bytes[50];
};
} // namespace
} // namespace drawing

struct Destroyed {
    char bytes[24];
    ~Destroyed()
    {
        bytes[0] = 1;
    }
};

struct Shape {
    virtual ~Shape()
    {
    }
    long name = 0;
};

struct Square : Shape {
    long width = 0;
};

struct Pooled {
    char bytes[72];
    __attribute__((noinline)) static void *operator new(size_t size)
    {
        return ::operator new(size);
    }
};

typedef struct {
    char bytes[60];
} Nameless;

typedef Point Alias;
enum Colour : short { RED };

static void *volatile kept[64];
static int kept_count;

template <class T> static T *keep(T *block)
{
    kept[kept_count++] = (void *)block;
    return block;
}

extern "C" __attribute__((noinline)) void stop_here(int trap)
{
    if (trap)
        __builtin_trap();
}

__attribute__((noinline)) static Shape *made(bool is_square)
{
    return is_square ? new Square : new Shape;
}

int main(int argc, char **)
{
    struct Local {
        char bytes[33];
    };
    keep(new Point);
    keep(new Point[7]);
    keep(new const Point{1, 2});
    keep(new Alias{});
    keep(new Point *[9]);
    keep(new drawing::Holder<int>);
    keep(new drawing::Outer::Inner);
    keep(new drawing::Hidden);
    keep(new Destroyed[3]);
    keep(made(argc > 0));
    keep(made(argc > 100));
    keep(new Nameless);
    keep(new Local);
    keep(new int[4][5]);
    keep(new unsigned long long);
    keep(new (std::nothrow) Colour[3]);
    keep(new Pooled);
    keep(malloc(100));
    keep(::operator new(101));
    stop_here(argc > 1);
    return 0;
}
