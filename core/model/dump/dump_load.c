/* From the sections of a dump file to a snapshot: everything that the rest of the
 * model relies on is checked here. */
#include <stdlib.h>
#include <string.h>

#include "dump_read.h"
#include "grow.h"
#include "snapshot.h"
#include "utf8.h"

#define MOST_FRAMES 65535u /* in a traceback */

/* A section of strings. */
struct strings {
    char *text;
    size_t size;
    size_t *offsets;
    size_t count;
};

static void strings_deinit(struct strings *strings)
{
    free(strings->text);
    free(strings->offsets);
}

static struct asnap_error *find_strings(struct strings *strings)
{
    size_t capacity = 0;
    strings->offsets = asnap_grow(NULL, &capacity, 1, sizeof(*strings->offsets));
    for (size_t at = 0; strings->offsets != NULL && at < strings->size; strings->count++) {
        size_t *offsets =
            asnap_grow(strings->offsets, &capacity, strings->count + 1, sizeof(*strings->offsets));
        if (offsets == NULL)
            return asnap_error_no_memory();
        strings->offsets = offsets;
        offsets[strings->count] = at;
        at += strlen(strings->text + at) + 1;
    }
    return strings->offsets == NULL ? asnap_error_no_memory() : NULL;
}

/* Reads strings, which the caller takes back whether or not it succeeds. */
static struct asnap_error *read_strings(const struct asnap_dump_reader *reader,
                                        enum asnap_dump_kind kind, struct strings *strings)
{
    void *text;
    *strings = (struct strings){0};
    struct asnap_error *error = asnap_dump_read(reader, kind, 1, &text, &strings->size);
    if (error != NULL)
        return error;
    strings->text = text;
    if (strings->size > 0 && strings->text[strings->size - 1] != '\0')
        return asnap_dump_damaged(reader, "a name does not end");
    return find_strings(strings);
}

/* Reads the names of a closed store, which are in order. */
static struct asnap_error *read_names(const struct asnap_dump_reader *reader,
                                      enum asnap_dump_kind kind, bool ordered,
                                      struct asnap_names *names)
{
    struct strings strings;
    struct asnap_error *error = read_strings(reader, kind, &strings);
    if (error == NULL && strings.count >= ASNAP_NONE)
        error = asnap_dump_damaged(reader, "it has too many names");
    for (size_t i = 1; error == NULL && ordered && i < strings.count; i++) {
        const char *last = strings.text + strings.offsets[i - 1];
        if (asnap_utf8_compare(last, strings.text + strings.offsets[i]) >= 0)
            error = asnap_dump_damaged(reader, "its names are out of order");
    }
    if (error != NULL) {
        strings_deinit(&strings);
        return error;
    }
    *names = (struct asnap_names){
        .text = strings.text,
        .text_size = strings.size,
        .text_capacity = strings.size,
        .offsets = strings.offsets,
        .offset_capacity = strings.count,
        .count = (uint32_t)strings.count,
    };
    return NULL;
}

/* Reads an array whose elements have numbers below ASNAP_NONE. */
static struct asnap_error *read_array(const struct asnap_dump_reader *reader,
                                      enum asnap_dump_kind kind, size_t element_size,
                                      void *array_place, size_t *count)
{
    void *elements;
    struct asnap_error *error = asnap_dump_read(reader, kind, element_size, &elements, count);
    if (error != NULL)
        return error;
    memcpy(array_place, &elements, sizeof(elements));
    return *count < ASNAP_NONE ? NULL : asnap_dump_damaged(reader, "a section is too large");
}

static struct asnap_error *read_locations(const struct asnap_dump_reader *reader,
                                          struct asnap_store *store)
{
    struct asnap_error *error = read_array(reader, ASNAP_DUMP_LOCATIONS, sizeof(*store->locations),
                                           &store->locations, &store->location_count);
    for (size_t i = 0; error == NULL && i < store->location_count; i++) {
        const struct asnap_location *location = &store->locations[i];
        if (location->file >= store->files.count ||
            (location->function != ASNAP_NONE && location->function >= store->functions.count))
            error = asnap_dump_damaged(reader, "a location has no name");
        else if (location->lineno != 0 && location->function != ASNAP_NONE)
            error = asnap_dump_damaged(reader, "a line is told apart by its function");
        else if (i > 0 && asnap_location_compare(location - 1, location) >= 0)
            error = asnap_dump_damaged(reader, "its locations are out of order");
    }
    return error;
}

static bool is_frame(const struct asnap_store *store, const struct asnap_dump_frame *frame)
{
    if (frame->location >= store->location_count || frame->inlined > 1)
        return false;
    if (frame->function != ASNAP_NONE && frame->function >= store->functions.count)
        return false;
    const struct asnap_location *location = &store->locations[frame->location];
    return location->lineno != 0 || location->function == frame->function;
}

/* Reads where the addresses of frames lie, and what is mapped there: each for all frames
 * or for none. */
static struct asnap_error *read_addresses(const struct asnap_dump_reader *reader,
                                          struct asnap_store *store)
{
    uint64_t *addresses = NULL;
    uint32_t *mappings = NULL;
    size_t address_count = 0;
    size_t mapping_count = 0;
    struct asnap_error *error =
        read_array(reader, ASNAP_DUMP_ADDRESSES, sizeof(*addresses), &addresses, &address_count);
    if (error == NULL)
        error = read_array(reader, ASNAP_DUMP_FRAME_MAPPINGS, sizeof(*mappings), &mappings,
                           &mapping_count);
    if (error == NULL && ((address_count != 0 && address_count != store->frame_count) ||
                          (mapping_count != 0 && mapping_count != store->frame_count)))
        error = asnap_dump_damaged(reader, "it has more frames or fewer than addresses");
    for (size_t i = 0; error == NULL && i < store->frame_count; i++) {
        struct asnap_stored_frame *frame = &store->frames[i];
        frame->address = address_count == 0 ? 0 : addresses[i];
        frame->mapping = mapping_count == 0 ? ASNAP_NONE : mappings[i];
        if (frame->mapping != ASNAP_NONE && frame->mapping >= store->mapping_count)
            error = asnap_dump_damaged(reader, "a frame is nowhere");
    }
    free(addresses);
    free(mappings);
    return error;
}

/* Reads what frames have their names from, where the file says it. */
static struct asnap_error *read_named_by(const struct asnap_dump_reader *reader,
                                         struct asnap_store *store)
{
    uint8_t *named_by = NULL;
    size_t count = 0;
    struct asnap_error *error =
        read_array(reader, ASNAP_DUMP_NAMED_BY, sizeof(*named_by), &named_by, &count);
    if (error == NULL && count != 0 && count != store->frame_count)
        error = asnap_dump_damaged(reader, "it has more frames or fewer than origins of names");
    for (size_t i = 0; error == NULL && i < store->frame_count; i++) {
        struct asnap_stored_frame *frame = &store->frames[i];
        frame->named_by = count == 0 ? asnap_store_named_by_default(store, frame) : named_by[i];
        if (frame->named_by == ASNAP_NAMED_UNTOLD || frame->named_by >= ASNAP_NAMED_KINDS)
            error = asnap_dump_damaged(reader, "a frame has its name from nowhere");
    }
    free(named_by);
    return error;
}

/* Reads the offsets of frames in their modules, where the file has them. */
static struct asnap_error *read_offsets(const struct asnap_dump_reader *reader,
                                        struct asnap_store *store)
{
    uint64_t *offsets = NULL;
    size_t count = 0;
    struct asnap_error *error =
        read_array(reader, ASNAP_DUMP_OFFSETS, sizeof(*offsets), &offsets, &count);
    if (error == NULL && count != 0 && count != store->frame_count)
        error = asnap_dump_damaged(reader, "it has more frames or fewer than offsets of frames");
    for (size_t i = 0; error == NULL && i < count; i++)
        store->frames[i].offset = offsets[i];
    free(offsets);
    return error;
}

/* Makes the frames of what the file has of them. */
static struct asnap_error *convert_frames(const struct asnap_dump_reader *reader,
                                          struct asnap_store *store,
                                          const struct asnap_dump_frame *frames, size_t count)
{
    store->frames = calloc(count + 1, sizeof(*store->frames));
    if (store->frames == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < count; i++) {
        if (!is_frame(store, &frames[i]))
            return asnap_dump_damaged(reader, "a frame is nowhere");
        store->frames[i] = (struct asnap_stored_frame){
            .location = frames[i].location,
            .function = frames[i].function,
            .inlined = frames[i].inlined != 0,
        };
    }
    store->frame_count = count;
    struct asnap_error *error = read_addresses(reader, store);
    if (error == NULL)
        error = read_offsets(reader, store);
    return error != NULL ? error : read_named_by(reader, store);
}

static struct asnap_error *read_frames(const struct asnap_dump_reader *reader,
                                       struct asnap_store *store)
{
    struct asnap_dump_frame *frames = NULL;
    size_t count = 0;
    struct asnap_error *error =
        read_array(reader, ASNAP_DUMP_FRAMES, sizeof(*frames), &frames, &count);
    if (error == NULL)
        error = convert_frames(reader, store, frames, count);
    free(frames);
    if (error == NULL)
        error = read_array(reader, ASNAP_DUMP_FRAME_ORDER, sizeof(*store->frame_order),
                           &store->frame_order, &count);
    if (error == NULL && count != store->frame_count)
        error = asnap_dump_damaged(reader, "the order of its frames is another's");
    /* Each before the next: no frame is there twice, so all are. */
    for (size_t i = 0; error == NULL && i < count; i++) {
        const uint32_t *order = &store->frame_order[i];
        if (*order >= count || (i > 0 && asnap_store_compare_frames(store, order[-1], *order) >= 0))
            error = asnap_dump_damaged(reader, "its frames are out of order");
    }
    return error;
}

struct naming {
    const struct asnap_dump_reader *reader;
    size_t frame_count;
};

static struct asnap_error *look_at_frame_ids(void *context, const void *elements, size_t count)
{
    const struct naming *naming = context;
    const uint32_t *frame_ids = elements;
    uint32_t largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = frame_ids[i] > largest ? frame_ids[i] : largest;
    return largest < naming->frame_count
               ? NULL
               : asnap_dump_damaged(naming->reader, "a traceback has an unknown frame");
}

/* Whether a traceback can be of a stack of as many frames as it says. */
static bool is_right_total(const struct asnap_dump_reader *reader,
                           const struct asnap_traceback *traceback)
{
    if (traceback->total_nframe == ASNAP_TOTAL_UNKNOWN)
        return reader->header.version > ASNAP_DUMP_VERSION_COUNTED;
    return traceback->total_nframe >= traceback->frame_count &&
           traceback->total_nframe <= MOST_FRAMES;
}

static struct asnap_error *read_tracebacks(const struct asnap_dump_reader *reader,
                                           struct asnap_store *store)
{
    struct naming naming = {reader, store->frame_count};
    const struct asnap_dump_look look = {look_at_frame_ids, &naming};
    void *frame_ids;
    struct asnap_error *error =
        asnap_dump_read_looking(reader, ASNAP_DUMP_FRAME_IDS, sizeof(*store->frame_ids), &look,
                                &frame_ids, &store->frame_id_count);
    if (error != NULL)
        return error;
    store->frame_ids = frame_ids;
    error = read_array(reader, ASNAP_DUMP_TRACEBACKS, sizeof(*store->tracebacks),
                       &store->tracebacks, &store->traceback_count);
    uint64_t next = 0;
    for (size_t i = 0; error == NULL && i < store->traceback_count; i++) {
        const struct asnap_traceback *traceback = &store->tracebacks[i];
        if (traceback->first != next || traceback->frame_count == 0 ||
            traceback->frame_count > store->frame_id_count - next ||
            traceback->frame_count > MOST_FRAMES || !is_right_total(reader, traceback))
            error = asnap_dump_damaged(reader, "the frames of a traceback are wrong");
        next += traceback->frame_count;
    }
    if (error == NULL && next != store->frame_id_count)
        error = asnap_dump_damaged(reader, "there are frames that no traceback has");
    return error;
}

static struct asnap_error *read_mappings(const struct asnap_dump_reader *reader,
                                         struct asnap_store *store)
{
    struct asnap_error *error =
        read_names(reader, ASNAP_DUMP_MAPPING_NAMES, false, &store->mapping_names);
    if (error == NULL)
        error = read_array(reader, ASNAP_DUMP_MAPPINGS, sizeof(*store->mappings), &store->mappings,
                           &store->mapping_count);
    for (size_t i = 0; error == NULL && i < store->mapping_count; i++) {
        const struct asnap_stored_mapping *mapping = &store->mappings[i];
        if (mapping->start >= mapping->end || mapping->path >= store->mapping_names.count ||
            mapping->build_id >= store->mapping_names.count)
            error = asnap_dump_damaged(reader, "what was mapped is wrong");
    }
    return error;
}

static struct asnap_error *read_threads(const struct asnap_dump_reader *reader,
                                        struct asnap_store *store)
{
    uint64_t *start = NULL;
    size_t count = 0;
    struct asnap_error *error = read_array(reader, ASNAP_DUMP_THREADS, sizeof(*store->threads),
                                           &store->threads, &store->thread_count);
    if (error == NULL && store->thread_count != 0 && store->threads[0] != 0)
        error = asnap_dump_damaged(reader, "its first thread is one");
    if (error == NULL)
        error = read_array(reader, ASNAP_DUMP_START_TIME, sizeof(*start), &start, &count);
    if (error == NULL && (count > 1 || (count == 1 && *start == 0)))
        error = asnap_dump_damaged(reader, "the time of its start is wrong");
    else if (error == NULL && count == 1)
        store->start_time = *start;
    free(start);
    return error;
}

static struct asnap_error *read_domains(const struct asnap_dump_reader *reader,
                                        struct asnap_store *store)
{
    uint32_t *numbers = NULL;
    size_t count = 0;
    struct strings names = {0};
    struct asnap_error *error =
        read_array(reader, ASNAP_DUMP_DOMAINS, sizeof(*numbers), &numbers, &count);
    if (error == NULL)
        error = read_strings(reader, ASNAP_DUMP_DOMAIN_NAMES, &names);
    if (error == NULL && count != names.count)
        error = asnap_dump_damaged(reader, "it has more domains or fewer than names for them");
    for (size_t i = 0; error == NULL && i < count; i++) {
        if (i > 0 && numbers[i] <= numbers[i - 1])
            error = asnap_dump_damaged(reader, "its domains are out of order");
        else
            error = asnap_store_name_domain(store, numbers[i], names.text + names.offsets[i]);
    }
    strings_deinit(&names);
    free(numbers);
    return error;
}

static struct asnap_error *read_lists(const struct asnap_dump_reader *reader,
                                      struct asnap_store *store)
{
    struct strings strings;
    struct asnap_error *error = read_strings(reader, ASNAP_DUMP_NOTES, &strings);
    for (size_t i = 0; error == NULL && i < strings.count; i++)
        error = asnap_store_add_note(store, strings.text + strings.offsets[i]);
    strings_deinit(&strings);
    if (error != NULL)
        return error;
    error = read_strings(reader, ASNAP_DUMP_ATTRIBUTES, &strings);
    if (error == NULL && strings.count % 2 != 0)
        error = asnap_dump_damaged(reader, "an attribute has no value");
    for (size_t i = 0; error == NULL && i < strings.count; i += 2) {
        const char *name = strings.text + strings.offsets[i];
        if (i > 0 && strcmp(strings.text + strings.offsets[i - 2], name) >= 0)
            error = asnap_dump_damaged(reader, "its attributes are out of order");
        else
            error = asnap_store_set_attribute(store, name, strings.text + strings.offsets[i + 1]);
    }
    strings_deinit(&strings);
    return error;
}

static struct asnap_error *read_store(const struct asnap_dump_reader *reader,
                                      struct asnap_store *store)
{
    struct asnap_error *error = read_names(reader, ASNAP_DUMP_FILES, true, &store->files);
    if (error == NULL)
        error = read_names(reader, ASNAP_DUMP_FUNCTIONS, true, &store->functions);
    if (error == NULL)
        error = read_locations(reader, store);
    if (error == NULL)
        error = read_mappings(reader, store);
    if (error == NULL)
        error = read_frames(reader, store);
    if (error == NULL)
        error = read_tracebacks(reader, store);
    if (error == NULL)
        error = read_threads(reader, store);
    if (error == NULL)
        error = read_domains(reader, store);
    if (error == NULL)
        error = read_lists(reader, store);
    return error;
}

/* Reads the traces of a file that has neither threads nor times of them. */
static struct asnap_error *read_timeless(const struct asnap_dump_reader *reader,
                                         struct asnap_trace **traces, size_t *count)
{
    struct asnap_dump_timeless_trace *read = NULL;
    struct asnap_error *error = read_array(reader, ASNAP_DUMP_TRACES, sizeof(*read), &read, count);
    if (error != NULL) {
        free(read);
        return error;
    }
    struct asnap_trace *converted = reallocarray(NULL, *count + 1, sizeof(*converted));
    if (converted == NULL) {
        free(read);
        return asnap_error_no_memory();
    }
    for (size_t i = 0; i < *count; i++) {
        converted[i] = (struct asnap_trace){
            .address = read[i].address,
            .size = read[i].size,
            .traceback_id = read[i].traceback_id,
            .domain = read[i].domain,
            .time = ASNAP_TIME_UNKNOWN,
        };
    }
    free(read);
    *traces = converted;
    return NULL;
}

struct adding {
    const struct asnap_dump_reader *reader;
    struct asnap_snapshot *snapshot;
    struct asnap_totals totals;
};

/* Checks traces and sums them up. */
static struct asnap_error *look_at_traces(void *context, const void *elements, size_t count)
{
    struct adding *adding = context;
    struct asnap_snapshot *snapshot = adding->snapshot;
    const struct asnap_store *store = snapshot->store;
    const struct asnap_trace *traces = elements;
    for (size_t i = 0; i < count; i++) {
        if (traces[i].traceback_id >= store->traceback_count)
            return asnap_dump_damaged(adding->reader, "a block has an unknown traceback");
        if (traces[i].thread != 0 && traces[i].thread >= store->thread_count)
            return asnap_dump_damaged(adding->reader, "a block has an unknown thread");
        if (traces[i].time != ASNAP_TIME_UNKNOWN && store->start_time == 0)
            return asnap_dump_damaged(adding->reader, "a block has a time without a start");
        if (traces[i].size > (uint64_t)INT64_MAX - snapshot->size)
            return asnap_dump_damaged(adding->reader, "its blocks are larger than all memory");
        snapshot->size += traces[i].size;
    }
    return asnap_totals_add(&adding->totals, traces, count);
}

/* Reads traces, and looks at them. */
static struct asnap_error *load_traces(const struct asnap_dump_reader *reader,
                                       struct adding *adding, struct asnap_trace **traces,
                                       size_t *count)
{
    const struct asnap_dump_look look = {look_at_traces, adding};
    if (reader->header.version == ASNAP_DUMP_VERSION_TIMELESS) {
        struct asnap_error *error = read_timeless(reader, traces, count);
        if (error != NULL || *traces == NULL)
            return error;
        return look_at_traces(adding, *traces, *count);
    }
    void *elements = NULL;
    struct asnap_error *error = asnap_dump_read_looking(
        reader, ASNAP_DUMP_TRACES, sizeof(struct asnap_trace), &look, &elements, count);
    *traces = elements;
    return error;
}

static struct asnap_error *take_traces(const struct asnap_dump_reader *reader,
                                       struct asnap_snapshot *snapshot, struct adding *adding)
{
    struct asnap_trace *traces = NULL;
    size_t count = 0;
    struct asnap_error *error = load_traces(reader, adding, &traces, &count);
    if (error == NULL && count >= ASNAP_NONE)
        error = asnap_dump_damaged(reader, "a section is too large");
    if (error == NULL)
        error = asnap_totals_finish(&adding->totals, &snapshot->totals);
    if (error == NULL)
        snapshot->blocks = asnap_blocks_create(traces, count);
    if (error == NULL && snapshot->blocks == NULL)
        error = asnap_error_no_memory();
    if (error != NULL)
        free(traces);
    snapshot->count = count;
    return error;
}

static struct asnap_error *read_traces(const struct asnap_dump_reader *reader,
                                       struct asnap_snapshot *snapshot)
{
    struct adding adding = {.reader = reader, .snapshot = snapshot};
    struct asnap_error *error = asnap_totals_init(&adding.totals, snapshot->store->traceback_count);
    if (error == NULL)
        error = take_traces(reader, snapshot, &adding);
    asnap_totals_deinit(&adding.totals);
    return error;
}

struct asnap_error *asnap_snapshot_load(const char *path, struct asnap_snapshot **snapshot)
{
    struct asnap_dump_reader reader;
    struct asnap_error *error = asnap_dump_open(&reader, path);
    if (error != NULL)
        return error;
    struct asnap_snapshot *made = calloc(1, sizeof(*made));
    struct asnap_store *store = asnap_store_create();
    if (made == NULL || store == NULL) {
        free(made);
        asnap_store_release(store);
        asnap_dump_close(&reader);
        return asnap_error_no_memory();
    }
    made->store = store;
    made->traceback_limit = reader.header.traceback_limit;
    error = read_store(&reader, store);
    if (error == NULL)
        error = read_traces(&reader, made);
    asnap_dump_close(&reader);
    if (error != NULL) {
        asnap_snapshot_destroy(made);
        return error;
    }
    *snapshot = made;
    return NULL;
}
