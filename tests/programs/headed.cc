/* Blocks of operators that keep a word before each (libheaded.cc). */
int *volatile one;

extern "C" __attribute__((noinline)) void stop_here()
{
    __asm__ volatile("");
}

int main()
{
    for (int i = 0; i < 10; i++) {
        one = new int(i);
        delete one; /* tag: deleted */
    }
    stop_here();
    return 0;
}
