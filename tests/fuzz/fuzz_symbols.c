/* Names addresses by any bytes as their program or library. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "allocsnap.h"
#include "symbolizer.h"
#include "target.h"

#define BASE UINT64_C(0x7f0000000000)
#define MAPPED UINT64_C(0x100000)

/* Code of the specimens lies here; one more address lies in no code. */
#define CODE UINT64_C(0x260)
#define ADDRESSES 100u
#define STEP 5u

size_t fuzz_accepted;

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_symbols: %s\n", what);
    abort();
}

static void require_ok(struct asnap_error *error)
{
    require(error == NULL, error == NULL ? "" : asnap_error_message(error));
}

/* Whether some frame has a line. Every address has frames, inlined but for the last. */
static bool look_at(const struct asnap_named_pc *names)
{
    bool has_line = false;
    for (size_t i = 0; i < ADDRESSES; i++) {
        require(names[i].frame_count > 0, "an address without a frame");
        for (size_t f = 0; f < names[i].frame_count; f++) {
            const struct asnap_frame *frame = &names[i].frames[f];
            require(frame->filename != NULL && strlen(frame->filename) > 0, "no file name");
            require(frame->function == NULL || strlen(frame->function) > 0, "an empty name");
            require(frame->inlined == (f + 1 < names[i].frame_count), "inlined, or not");
            has_line |= frame->lineno != 0;
        }
    }
    return has_line;
}

static void name_by(const char *path)
{
    const struct asnap_region region = {.start = BASE, .end = BASE + MAPPED, .path = path};
    uint64_t addresses[ADDRESSES];
    for (size_t i = 0; i < ADDRESSES; i++)
        addresses[i] = BASE + CODE + 1 + STEP * i;
    addresses[0] = BASE + 1;
    struct asnap_symbolizer *symbolizer;
    struct asnap_named_pc names[ADDRESSES];
    require_ok(asnap_symbolizer_create("", &symbolizer));
    require_ok(asnap_symbolizer_set_regions(symbolizer, NULL, &region, 1));
    require_ok(asnap_symbolizer_name(symbolizer, addresses, ADDRESSES, NULL, names));
    fuzz_accepted += look_at(names);
    for (size_t i = 0; i < asnap_symbolizer_note_count(symbolizer); i++)
        require(strchr(asnap_symbolizer_note(symbolizer, i), '\n') == NULL,
                "a note of several lines");
    asnap_symbolizer_destroy(symbolizer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static int file = -1;
    static char path[64];
    if (file < 0) {
        file = memfd_create("fuzz_symbols", MFD_CLOEXEC);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    }
    require(ftruncate(file, (off_t)size) == 0 && pwrite(file, bytes, size, 0) == (ssize_t)size,
            "no memory for a file");
    name_by(path);
    return 0;
}
