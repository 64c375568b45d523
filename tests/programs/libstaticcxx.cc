/* A plugin with the C++ library within itself, for static_cxx.c. */
#include <cstddef>
#include <cstdint>
#include <new>

static volatile std::size_t huge = PTRDIFF_MAX;
static int calls;

static void handler()
{
    calls++;
    std::set_new_handler(nullptr);
}

/* Whether an operator new that fails calls the new-handler and then throws. */
extern "C" bool plugin_fails_well()
{
    std::set_new_handler(handler);
    try {
        ::operator delete(::operator new(huge));
    } catch (const std::bad_alloc &) {
        return calls == 1 && operator new(huge, std::nothrow) == nullptr;
    }
    return false;
}

extern "C" void *plugin_make()
{
    return ::operator new(111);
}
