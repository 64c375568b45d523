/* At fixed addresses, with the address of malloc as a number in its code: then the dynamic
 * linker says that malloc is where the program has its way to it. */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

static void *kept;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

int main(void)
{
    uintptr_t address;
    __asm__("movl $malloc, %k0" : "=r"(address));
    void *(*function)(size_t) = (void *(*)(size_t))address;
    kept = function(70); /* tag: block */
    if (kept == NULL)
        _exit(1);
    stop_here();
    _exit(0);
}
