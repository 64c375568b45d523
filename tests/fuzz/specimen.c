/* A small library whose debug information has inlined calls, nested scopes, a cold part and
 * ranges: what the fuzzer of debug files starts from. */

extern volatile int specimen_input;
volatile int specimen_input = 3;

static inline __attribute__((always_inline)) int innermost(int value)
{
    return value > 3 ? specimen_input + value : value;
}

static inline __attribute__((always_inline)) int middle(int count)
{
    int total = 0;
    for (int i = 0; i < count; i++) {
        int part = innermost(i);
        if (part % 3 == 0) {
            int more = specimen_input;
            total += innermost(more);
        }
        total += part;
    }
    return total;
}

__attribute__((noinline, cold)) static int complain(int what)
{
    specimen_input = what;
    return what;
}

int specimen(int count);

int specimen(int count)
{
    int first = middle(count);
    if (first < 0)
        return complain(first);
    return first + middle(count / 2) + innermost(first);
}
