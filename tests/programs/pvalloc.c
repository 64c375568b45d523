/* pvalloc, which rounds up to whole pages: a block's size is what was asked for.
 * heap-total: exact */
#include <malloc.h>
#include <unistd.h>

static void *kept[2];

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

int main(void)
{
    kept[0] = pvalloc(300);  /* heap: pages size=300 count=1 */
    kept[1] = pvalloc(5000); /* heap: more_pages size=5000 count=1 */
    stop_here();
    _exit(kept[0] == NULL || kept[1] == NULL);
}
