/* A library that is loaded at run time, with a global variable and thread-local storage that hold
 * what the program gives it. */
void *held_global;
static __thread void *held_thread_local;

void hold_thread_local(void *pointer)
{
    held_thread_local = pointer;
}

void *thread_local_is(void)
{
    return held_thread_local;
}
