/* The hooks look symbols up, and some are not there: neither dlerror nor errno may
 * tell. The loader allocates for itself: more than the marks is live. */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *kept[4];

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

int main(void)
{
    errno = 77;
    kept[0] = malloc(100); /* heap: first size=100 count=1 */
    if (errno != 77 || dlerror() != NULL)
        _exit(1);
    if (dlopen("/nowhere/libnone.so", RTLD_NOW) != NULL)
        _exit(2);
    /* operator new where no C++ library is loaded */
    void *(*make)(size_t) = (void *(*)(size_t))dlsym(RTLD_DEFAULT, "_Znwm");
    errno = 78;
    kept[1] = make == NULL ? malloc(200) : make(200); /* heap: operator size=200 count=1 */
    if (errno != 78 || (make != NULL && dlerror() != NULL))
        _exit(3);
    kept[2] = malloc(300); /* heap: last size=300 count=1 */
    stop_here();
    _exit(0);
}
