/* operator new that fails: without a handler, and with a new-handler that frees and allocates
 * inside a failing operator new, then steps down so that std::bad_alloc is thrown. */
#include <cstddef>
#include <cstdint>
#include <new>
#include <unistd.h>

static char *reserve;
static char *kept[8];
static int calls;
static volatile std::size_t huge = PTRDIFF_MAX;

extern "C" __attribute__((noinline)) void stop_here()
{
    __asm__ volatile("");
}

static void handler()
{
    delete[] reserve;
    reserve = nullptr;
    kept[calls] = new char[30]; /* heap: handler size=3*30 count=3 */
    calls++;
    if (calls == 3)
        std::set_new_handler(nullptr);
}

static void fail_without_handler()
{
    if (operator new(huge, std::nothrow) != nullptr)
        _exit(1);
    for (int i = 0; i < 100; i++) {
        try {
            kept[7] = static_cast<char *>(operator new(huge)); /* heap: failed size=0 count=0 */
            _exit(1);
        } catch (const std::bad_alloc &) {
        }
    }
}

int main()
{
    fail_without_handler();
    reserve = new char[5000]; /* heap: reserve size=0 count=0 */
    kept[6] = new char[20];   /* heap: before size=20 count=1 */
    std::set_new_handler(handler);
    try {
        kept[7] = static_cast<char *>(operator new(huge)); /* heap: given_up size=0 count=0 */
    } catch (const std::bad_alloc &) {
        kept[7] = new char[40]; /* heap: after size=40 count=1 */
    }
    if (calls != 3)
        _exit(1);
    stop_here();
    _exit(0);
}
