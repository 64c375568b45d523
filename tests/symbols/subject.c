/* What the accuracy test looks at, in C: calls in calls, inlined ones, blocks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct list {
    struct list *next;
    int value;
};

static inline __attribute__((always_inline)) int innermost(const char *text, int value)
{
    return value > 3 ? atoi(text) + value : value;
}

static inline __attribute__((always_inline)) int middle(const char *text, int count)
{
    int total = 0;
    for (int i = 0; i < count; i++) {
        int part = innermost(text, i);
        if (part % 3 == 0) {
            char copy[16];
            snprintf(copy, sizeof(copy), "%d", part);
            total += innermost(copy, part);
        }
        total += part;
    }
    return total;
}

__attribute__((noinline)) static int outer(const char *text, int count)
{
    int first = middle(text, count);
    return first + middle("7", count / 2) + innermost(text, first);
}

__attribute__((noinline, cold)) static void complain(const char *what)
{
    fprintf(stderr, "%s\n", what);
}

__attribute__((noinline)) static int sum(const struct list *list)
{
    if (list == NULL) {
        complain("no list");
        return -1;
    }
    int total = 0;
    for (; list != NULL; list = list->next)
        total += list->value;
    return total;
}

static int compare(const void *left, const void *right)
{
    return *(const int *)left - *(const int *)right;
}

int main(int argc, char **argv)
{
    int numbers[32];
    for (int i = 0; i < 32; i++)
        numbers[i] = (i * 37) % 32;
    qsort(numbers, 32, sizeof(numbers[0]), compare);
    struct list *list = NULL;
    for (int i = 0; i < argc * 4; i++) {
        struct list *node = malloc(sizeof(*node));
        if (node == NULL)
            abort();
        *node = (struct list){list, numbers[i % 32]};
        list = node;
    }
    int total = sum(list) + outer(argv[0], argc);
    while (list != NULL) {
        struct list *next = list->next;
        free(list);
        list = next;
    }
    printf("%d %zu\n", total, strlen(argv[0]));
    return 0;
}
