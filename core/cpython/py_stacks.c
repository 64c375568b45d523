/* Tracebacks: a head, and frames of 12 bytes, which are packed (an address and a line). */
#include <stdlib.h>

#include "grow.h"
#include "intern.h"
#include "py_traces.h"

enum {
    VERSION_3_9 = 0x03090000,
    HEAD = 12,  /* the hash, and how many frames */
    FRAME = 12, /* the file name's address, and the line */
    FRAMES_MOST = 65535,
};

static const char step[] = "reading tracebacks";

struct reading {
    struct asnap_py_stacks *made;
    const struct asnap_cpython *cpython;
    size_t frame_capacity;
    size_t name_capacity;
    struct asnap_intern index; /* of the names */
    uint64_t wanted_name;
};

static bool same_name(const void *context, uint32_t place)
{
    const struct reading *reading = context;
    return reading->made->names[place] == reading->wanted_name;
}

static struct asnap_error *number_name(struct reading *reading, uint64_t address, uint32_t *place)
{
    struct asnap_py_stacks *made = reading->made;
    uint32_t hash = asnap_hash_end(asnap_hash_mix(0, address));
    reading->wanted_name = address;
    *place = asnap_intern_find(&reading->index, hash, same_name, reading);
    if (*place != ASNAP_NONE)
        return NULL;
    uint64_t *names =
        asnap_grow(made->names, &reading->name_capacity, made->name_count + 1, sizeof(*names));
    if (names == NULL)
        return asnap_error_no_memory();
    made->names = names;
    struct asnap_error *error = asnap_intern_reserve(&reading->index);
    if (error != NULL)
        return error;
    *place = (uint32_t)made->name_count++;
    names[*place] = address;
    asnap_intern_add(&reading->index, hash, *place);
    return NULL;
}

/* How many frames a traceback has, and the stack had: of 3.8 one number of 32 bits, and where that
 * is the limit it is not known how many there were. */
static struct asnap_error *take_head(void *context, const struct asnap_wanted *wanted,
                                     const uint8_t *bytes, const struct asnap_py_window *window)
{
    (void)window;
    struct reading *reading = context;
    const struct asnap_cpython *cpython = reading->cpython;
    struct asnap_py_stack *stack = &reading->made->stacks[wanted->place];
    if (bytes == NULL)
        return NULL;
    uint32_t count = asnap_py_u16(bytes + 8);
    uint32_t total = asnap_py_u16(bytes + 10);
    if (cpython->version < VERSION_3_9) {
        count = asnap_py_u32(bytes + 8);
        total = count < cpython->frame_limit ? count : ASNAP_TOTAL_UNKNOWN;
    }
    if (count < 1 || count > cpython->frame_limit || count > FRAMES_MOST || total < count)
        return NULL;
    stack->count = count;
    stack->total = total;
    return NULL;
}

static struct asnap_error *take_frames(void *context, const struct asnap_wanted *wanted,
                                       const uint8_t *bytes, const struct asnap_py_window *window)
{
    (void)window;
    struct reading *reading = context;
    struct asnap_py_stacks *made = reading->made;
    struct asnap_py_stack *stack = &made->stacks[wanted->place];
    struct asnap_error *error = NULL;
    if (bytes == NULL) {
        stack->count = 0;
        return NULL;
    }
    struct asnap_py_frame *frames = asnap_grow(made->frames, &reading->frame_capacity,
                                               made->frame_count + stack->count, sizeof(*frames));
    if (frames == NULL)
        return asnap_error_no_memory();
    made->frames = frames;
    stack->first = made->frame_count;
    for (uint32_t i = 0; i < stack->count && error == NULL; i++) {
        const uint8_t *frame = bytes + (size_t)i * FRAME;
        struct asnap_py_frame *to = &frames[made->frame_count + i];
        to->line = asnap_py_u32(frame + 8);
        error = number_name(reading, asnap_py_u64(frame), &to->name);
    }
    made->frame_count += stack->count;
    return error;
}

static struct asnap_error *read_all(const struct asnap_py_memory *py, struct reading *reading,
                                    const uint64_t *tracebacks, size_t count,
                                    struct asnap_wanted *wanted)
{
    for (size_t i = 0; i < count; i++)
        wanted[i] =
            (struct asnap_wanted){.address = tracebacks[i], .size = HEAD, .place = (uint32_t)i};
    struct asnap_error *error = asnap_py_gather(py, wanted, count, step, take_head, reading);
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t frames = reading->made->stacks[i].count;
        if (frames != 0)
            wanted[known++] = (struct asnap_wanted){
                .address = tracebacks[i] + HEAD, .size = frames * FRAME, .place = (uint32_t)i};
    }
    return error != NULL ? error : asnap_py_gather(py, wanted, known, step, take_frames, reading);
}

struct asnap_error *asnap_py_stacks_read(const struct asnap_py_memory *py,
                                         const struct asnap_cpython *cpython,
                                         const uint64_t *tracebacks, size_t count,
                                         struct asnap_py_stacks *made)
{
    struct reading reading = {.made = made, .cpython = cpython};
    struct asnap_wanted *wanted = calloc(count + 1, sizeof(*wanted));
    struct asnap_error *error = NULL;
    *made = (struct asnap_py_stacks){.stacks = calloc(count + 1, sizeof(*made->stacks))};
    if (wanted == NULL || made->stacks == NULL)
        error = asnap_error_no_memory();
    if (error == NULL)
        error = read_all(py, &reading, tracebacks, count, wanted);
    for (size_t i = 0; i < count && error == NULL; i++)
        made->unreadable += made->stacks[i].count == 0;
    asnap_intern_deinit(&reading.index);
    free(wanted);
    return error;
}

void asnap_py_stacks_deinit(struct asnap_py_stacks *made)
{
    free(made->stacks);
    free(made->frames);
    free(made->names);
}
