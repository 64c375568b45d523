/* The memory of a program that runs CPython, with words overwritten: the first byte says which
 * version, then come pieces of three bytes: which word (two bytes), and what it becomes. What is
 * read is a snapshot or an error, in bounded time, and of a snapshot every number holds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "python_image.h"
#include "target.h"

size_t fuzz_accepted;

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_cpython: %s\n", what);
    abort();
}

/* A word in place of another: numbers at the edges, small changes, and addresses of what is there.
 */
static uint64_t changed(const struct python_image *image, uint64_t word, uint8_t how)
{
    uint64_t rest = how >> 3;
    switch (how & 7) {
    case 0:
        return rest;
    case 1:
        return word + rest;
    case 2:
        return word ^ UINT64_C(1) << (rest * 2);
    case 3:
        return PYTHON_HEAP + rest * 16;
    case 4:
        return UINT64_MAX - rest;
    case 5:
        return PYTHON_END - rest;
    case 6:
        return UINT64_C(1) << (rest * 2);
    default:
        return python_image_word(image, PYTHON_HEAP + rest * 64);
    }
}

static void check(const struct asnap_snapshot *snapshot)
{
    const struct asnap_trace *traces;
    uint64_t size = 0;
    struct asnap_error *error = asnap_snapshot_traces(snapshot, &traces);
    require(error == NULL, "the traces are not told");
    /* The smallest entry has 40 bytes. */
    require(asnap_snapshot_count(snapshot) <= (PYTHON_END - PYTHON_CODE) / 8, "too many traces");
    for (size_t i = 0; i < asnap_snapshot_count(snapshot); i++) {
        require(traces[i].traceback_id < asnap_snapshot_traceback_count(snapshot),
                "a trace without a traceback");
        size += traces[i].size;
    }
    require(size == asnap_snapshot_size(snapshot), "sizes do not sum up");
    for (size_t i = 0; i < asnap_snapshot_traceback_count(snapshot); i++) {
        const struct asnap_traceback *back = &asnap_snapshot_tracebacks(snapshot)[i];
        require(back->frame_count >= 1 && back->frame_count <= 65535, "a traceback without frames");
        require(back->total_nframe >= back->frame_count, "fewer frames than there are");
    }
    for (uint32_t i = 0; i < asnap_snapshot_frame_count(snapshot); i++)
        require(asnap_snapshot_frame(snapshot, i).filename != NULL, "a frame without a file");
}

/* The address of one of the words that hold something: of the heap, or around the state. */
static uint64_t place(const struct python_image *image, uint64_t number)
{
    uint64_t heap = (image->used - PYTHON_HEAP) / 8;
    uint64_t data = 48;
    number %= heap + data;
    return number < heap ? PYTHON_HEAP + number * 8 : image->state - 8 * 8 + (number - heap) * 8;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct python_image image;
    struct asnap_cpython found;
    struct asnap_snapshot *snapshot = NULL;
    python_image_make(&image, (size == 0 ? 0 : bytes[0]) % PYTHON_KINDS);
    if (size != 0 && (bytes[0] & 0x80) != 0)
        image.symbols.traces = image.symbols.domains = image.symbols.runtime = 0;
    for (size_t i = 1; i + 3 <= size; i += 3) {
        uint64_t address = place(&image, (uint64_t)bytes[i] | (uint64_t)bytes[i + 1] << 8);
        uint64_t word = python_image_word(&image, address);
        python_image_put(&image, address, changed(&image, word, bytes[i + 2]));
    }
    struct asnap_error *error =
        asnap_cpython_find(&image.memory, &image.symbols, image.regions, 3, NULL, &found);
    if (error == NULL)
        error = asnap_cpython_snapshot(&image.memory, &found, image.regions, 3, NULL, 0, NULL,
                                       &snapshot);
    if (error == NULL) {
        check(snapshot);
        asnap_snapshot_destroy(snapshot);
        fuzz_accepted++;
        return 0;
    }
    require(asnap_error_message(error)[0] != '\0', "an error without a message");
    asnap_error_destroy(error);
    return 0;
}
