/* Is gone before anyone could look, with an empty heap.
 * heap-total: exact */
#include <unistd.h>

int main(void)
{
    _exit(0);
}
