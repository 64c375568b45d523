/* A plugin that names no C++ library: it takes what the program has loaded for all to see. For
 * loader_lock.c. */
#include <cstddef>
#include <cstdint>
#include <new>

static volatile std::size_t huge = PTRDIFF_MAX;
static int handled;

static void handler()
{
    handled++;
    std::set_new_handler(nullptr);
}

/* Whether an operator new that fails calls the new-handler and then throws. */
extern "C" bool bare_fails_well()
{
    std::set_new_handler(handler);
    try {
        ::operator delete(::operator new(huge));
    } catch (const std::bad_alloc &) {
        return handled == 1 && operator new(huge, std::nothrow) == nullptr;
    }
    return false;
}
