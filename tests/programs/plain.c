/* The plain C functions. Nothing but the marked lines has memory at stop_here.
 * heap-total: exact */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *kept[8];
static void *many[10];

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

int main(void)
{
    kept[0] = malloc(100);         /* heap: small size=100 count=1 */
    kept[1] = calloc(10, 20);      /* heap: zeroed size=200 count=1 */
    kept[2] = strdup("allocsnap"); /* heap: copy size=10 count=1 via=strdup */
    kept[3] = malloc(0);           /* heap: empty size=0 count=1 */
    kept[4] = malloc(32UL << 20);  /* heap: big size=33554432 count=1 */
    kept[5] = malloc(1000);        /* heap: freed size=0 count=0 */
    free(kept[5]);
    kept[5] = NULL;
    free(NULL);
    for (size_t i = 0; i < 10; i++)
        many[i] = malloc(24); /* heap: loop size=5*24 count=5 */
    for (size_t i = 0; i < 10; i += 2) {
        free(many[i]);
        many[i] = NULL;
    }
    kept[6] = malloc(7), kept[7] = malloc(9); /* heap: two size=16 count=2 */
    stop_here();
    _exit(0);
}
