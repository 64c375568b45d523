/* Runs a fuzz target without libFuzzer, the same way each time:
 *
 *     fuzz_NAME RUNS FILE...
 *
 * Each file is an input, and so are RUNS changed copies of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

#define SIZE_MOST ((size_t)1 << 16)

struct input {
    uint8_t *bytes;
    size_t size;
};

static uint64_t random_state = 1;

static size_t random_below(size_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return limit == 0 ? 0 : (size_t)(random_state >> 33) % limit;
}

static void die(const char *what)
{
    fprintf(stderr, "fuzz driver: %s\n", what);
    exit(1);
}

static struct input read_input(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        die(path);
    struct input input = {.bytes = malloc(SIZE_MOST)};
    if (input.bytes == NULL)
        die("no memory");
    input.size = fread(input.bytes, 1, SIZE_MOST, file);
    fclose(file);
    return input;
}

/* Writes a number that is at an edge, or near one that is there. */
static void change_number(struct input *input)
{
    static const uint64_t edges[] = {0,          1,       2,         0x7f,       0xff,
                                     0xffff,     0x10000, INT32_MAX, UINT32_MAX, INT64_MAX,
                                     UINT64_MAX, 16,      64,        255};
    size_t width = (size_t)1 << random_below(4);
    if (input->size < width)
        return;
    /* Fields lie at multiples of their size. */
    size_t at = random_below(input->size / width) * width;
    uint64_t number = 0;
    memcpy(&number, input->bytes + at, width);
    if (random_below(2) == 0)
        number = edges[random_below(sizeof(edges) / sizeof(edges[0]))];
    else
        number += random_below(5) - 2;
    memcpy(input->bytes + at, &number, width);
}

static void copy_piece(struct input *input, const struct input *from)
{
    if (from->size == 0 || input->size == 0)
        return;
    size_t size = 1 + random_below(from->size < 64 ? from->size : 64);
    size_t source = random_below(from->size - size + 1);
    size_t at = random_below(input->size);
    if (size > input->size - at)
        size = input->size - at;
    memmove(input->bytes + at, from->bytes + source, size);
}

static void change(struct input *input, const struct input *other)
{
    switch (random_below(8)) {
    case 0:
        if (input->size > 0)
            input->bytes[random_below(input->size)] ^= (uint8_t)(1u << random_below(8));
        break;
    case 1:
        if (input->size > 0)
            input->bytes[random_below(input->size)] = (uint8_t)random_below(256);
        break;
    case 2:
        input->size = random_below(input->size + 1);
        break;
    case 3:
        copy_piece(input, other);
        break;
    case 4:
        copy_piece(input, input);
        break;
    default:
        change_number(input);
    }
}

int main(int argc, char **argv)
{
    if (argc < 3)
        die("say how many runs, and which files");
    size_t runs = strtoul(argv[1], NULL, 10);
    size_t count = (size_t)argc - 2;
    struct input *inputs = calloc(count, sizeof(*inputs));
    struct input changed = {.bytes = malloc(SIZE_MOST)};
    if (inputs == NULL || changed.bytes == NULL)
        die("no memory");
    for (size_t i = 0; i < count; i++) {
        inputs[i] = read_input(argv[i + 2]);
        LLVMFuzzerTestOneInput(inputs[i].bytes, inputs[i].size);
    }
    printf("%zu files, %zu accepted\n", count, fuzz_accepted);
    for (size_t i = 0; i < runs; i++) {
        const struct input *original = &inputs[random_below(count)];
        memcpy(changed.bytes, original->bytes, original->size);
        changed.size = original->size;
        for (size_t changes = 1 + random_below(4); changes > 0; changes--)
            change(&changed, &inputs[random_below(count)]);
        LLVMFuzzerTestOneInput(changed.bytes, changed.size);
    }
    printf("%zu runs, %zu accepted\n", runs, fuzz_accepted);
    for (size_t i = 0; i < count; i++)
        free(inputs[i].bytes);
    free(inputs);
    free(changed.bytes);
    return 0;
}
