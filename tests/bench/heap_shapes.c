/* A heap to search for leaks: a list, a tree and a hash table, of blocks whose sizes vary and whose
 * addresses come in no order, and one block in a hundred that is lost.
 *
 *     heap_shapes BLOCKS
 *
 * Comes to stop_here once all is there. Then has the leak check of LeakSanitizer or memcheck done,
 * whichever it runs with, and prints the processor time that it took: "check SECONDS". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_DO_LEAK_CHECK
#endif

int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

struct item {
    struct item *next;
    struct item *left;
    struct item *right;
    struct item *other; /* another item: any */
};

/* Volatile, since nothing ever reads them but who looks for pointers. */
static struct item *volatile list;
static struct item *volatile tree;
static struct item **volatile table;

__attribute__((noinline)) void stop_here(void);
__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("" ::: "memory");
}

static size_t random_below(size_t limit)
{
    static unsigned long state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % limit;
}

/* From 32 bytes to 240, 128 on average. */
static struct item *make_item(void)
{
    size_t size = sizeof(struct item) + 16 * random_below(14);
    unsigned char *bytes = malloc(size);
    if (bytes == NULL)
        exit(1);
    memset(bytes, 0, sizeof(struct item));
    memset(bytes + sizeof(struct item), (int)random_below(256), size - sizeof(struct item));
    return (struct item *)bytes;
}

static __attribute__((noinline)) void make_list(struct item **items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        items[i]->next = list;
        list = items[i];
    }
}

/* Balanced, with the parents before their children. */
static __attribute__((noinline)) void make_tree(struct item **items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        items[i]->left = 2 * i + 1 < count ? items[2 * i + 1] : NULL;
        items[i]->right = 2 * i + 2 < count ? items[2 * i + 2] : NULL;
        items[i]->other = items[random_below(count)];
    }
    tree = count == 0 ? NULL : items[0];
}

static __attribute__((noinline)) void make_table(struct item **items, size_t count)
{
    table = calloc(count + 1, sizeof(*table));
    if (table == NULL)
        exit(1);
    for (size_t i = 0; i < count; i++) {
        struct item **bucket = &table[random_below(count)];
        items[i]->next = *bucket;
        *bucket = items[i];
    }
}

static void make_all(size_t count)
{
    struct item **items = malloc((count + 1) * sizeof(*items));
    if (items == NULL)
        exit(1);
    for (size_t i = 0; i < count; i++)
        items[i] = make_item();
    for (size_t i = count; i > 1; i--) {
        size_t other = random_below(i);
        struct item *swapped = items[i - 1];
        items[i - 1] = items[other];
        items[other] = swapped;
    }
    size_t lost = count / 100;
    size_t third = (count - lost) / 3;
    make_list(items + lost, third);
    make_tree(items + lost + third, third);
    make_table(items + lost + 2 * third, count - lost - 2 * third);
    memset(items, 0, (count + 1) * sizeof(*items));
    free(items);
}

/* The processor time of this process, and of those that LeakSanitizer has made and waited for. */
static double seconds(void)
{
    double sum = 0;
    const int whose[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
    for (size_t i = 0; i < 2; i++) {
        struct rusage usage;
        getrusage(whose[i], &usage);
        sum += (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
    }
    return sum;
}

int main(int argc, char **argv)
{
    make_all(argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000);
    stop_here();
    double start = seconds();
    if (__lsan_do_recoverable_leak_check != NULL)
        __lsan_do_recoverable_leak_check();
    else if (RUNNING_ON_VALGRIND)
        VALGRIND_DO_LEAK_CHECK;
    printf("check %.3f\n", seconds() - start);
    fflush(stdout);
    /* LeakSanitizer would look once more. */
    _Exit(0);
}
