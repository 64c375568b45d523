/* Is gone before anyone could look, with an empty heap.
 * heap-total: exact */
int main(void)
{
    return 0;
}
