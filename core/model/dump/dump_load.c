/* From the sections of a dump file to a snapshot: everything that the rest of the
 * model relies on is checked here. */
#include <stdlib.h>
#include <string.h>

#include "dump_load_graph.h"
#include "dump_load_traces.h"
#include "dump_strings.h"
#include "snapshot.h"

#define MOST_FRAMES 65535u /* in a traceback */

static struct asnap_error *read_locations(const struct asnap_dump_reader *reader,
                                          struct asnap_store *store)
{
    struct asnap_error *error =
        asnap_dump_read_array(reader, ASNAP_DUMP_LOCATIONS, sizeof(*store->locations),
                              &store->locations, &store->location_count);
    for (size_t i = 0; error == NULL && i < store->location_count; i++) {
        const struct asnap_location *location = &store->locations[i];
        if (location->file >= store->files.count ||
            (location->function != ASNAP_NONE && location->function >= store->functions.count))
            error = asnap_dump_damaged(
                reader,
                "location %zu: file index %u of %u files, function index %u of %u functions", i,
                location->file, store->files.count, location->function, store->functions.count);
        else if (location->lineno != 0 && location->function != ASNAP_NONE)
            error = asnap_dump_damaged(reader, "location %zu has both line %u and a function", i,
                                       location->lineno);
        else if (i > 0 && asnap_location_compare(location - 1, location) >= 0)
            error = asnap_dump_damaged(
                reader, "location %zu is not greater than location %zu, as their order has it", i,
                i - 1);
    }
    return error;
}

static struct asnap_error *check_frame(const struct asnap_dump_reader *reader,
                                       const struct asnap_store *store, size_t number,
                                       const struct asnap_dump_frame *frame)
{
    if (frame->location >= store->location_count ||
        (frame->function != ASNAP_NONE && frame->function >= store->functions.count))
        return asnap_dump_damaged(
            reader,
            "frame %zu: location index %u of %zu locations, function index %u of %u functions",
            number, frame->location, store->location_count, frame->function,
            store->functions.count);
    if (frame->inlined > 1)
        return asnap_dump_damaged(reader, "frame %zu: inlined is %u, not 0 or 1", number,
                                  frame->inlined);
    const struct asnap_location *location = &store->locations[frame->location];
    if (location->lineno == 0 && location->function != frame->function)
        return asnap_dump_damaged(
            reader, "frame %zu has function index %u, but its location has function index %u",
            number, frame->function, location->function);
    return NULL;
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
    struct asnap_error *error = asnap_dump_read_array(
        reader, ASNAP_DUMP_ADDRESSES, sizeof(*addresses), &addresses, &address_count);
    if (error == NULL)
        error = asnap_dump_read_array(reader, ASNAP_DUMP_FRAME_MAPPINGS, sizeof(*mappings),
                                      &mappings, &mapping_count);
    if (error == NULL && ((address_count != 0 && address_count != store->frame_count) ||
                          (mapping_count != 0 && mapping_count != store->frame_count)))
        error = asnap_dump_damaged(
            reader, "%zu frames, but %zu addresses and %zu mapping indexes of frames",
            store->frame_count, address_count, mapping_count);
    for (size_t i = 0; error == NULL && i < store->frame_count; i++) {
        struct asnap_stored_frame *frame = &store->frames[i];
        frame->address = address_count == 0 ? 0 : addresses[i];
        frame->mapping = mapping_count == 0 ? ASNAP_NONE : mappings[i];
        if (frame->mapping != ASNAP_NONE && frame->mapping >= store->mapping_count)
            error = asnap_dump_damaged(reader, "frame %zu: mapping index %u of %zu mappings", i,
                                       frame->mapping, store->mapping_count);
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
        asnap_dump_read_array(reader, ASNAP_DUMP_NAMED_BY, sizeof(*named_by), &named_by, &count);
    if (error == NULL && count != 0 && count != store->frame_count)
        error = asnap_dump_damaged(reader, "%zu frames, but %zu named_by values",
                                   store->frame_count, count);
    for (size_t i = 0; error == NULL && i < store->frame_count; i++) {
        struct asnap_stored_frame *frame = &store->frames[i];
        frame->named_by = count == 0 ? asnap_store_named_by_default(store, frame) : named_by[i];
        if (frame->named_by == ASNAP_NAMED_UNTOLD || frame->named_by >= ASNAP_NAMED_KINDS)
            error =
                asnap_dump_damaged(reader, "frame %zu: named_by is %u, not a number from 1 to %d",
                                   i, frame->named_by, ASNAP_NAMED_KINDS - 1);
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
        asnap_dump_read_array(reader, ASNAP_DUMP_OFFSETS, sizeof(*offsets), &offsets, &count);
    if (error == NULL && count != 0 && count != store->frame_count)
        error = asnap_dump_damaged(reader, "%zu frames, but %zu offsets of frames",
                                   store->frame_count, count);
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
        struct asnap_error *error = check_frame(reader, store, i, &frames[i]);
        if (error != NULL)
            return error;
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
        asnap_dump_read_array(reader, ASNAP_DUMP_FRAMES, sizeof(*frames), &frames, &count);
    if (error == NULL)
        error = convert_frames(reader, store, frames, count);
    free(frames);
    if (error == NULL)
        error = asnap_dump_read_array(reader, ASNAP_DUMP_FRAME_ORDER, sizeof(*store->frame_order),
                                      &store->frame_order, &count);
    if (error == NULL && count != store->frame_count)
        error = asnap_dump_damaged(reader, "%zu frames, but %zu entries in the order of frames",
                                   store->frame_count, count);
    /* Each before the next: no frame is there twice, so all are. */
    for (size_t i = 0; error == NULL && i < count; i++) {
        const uint32_t *order = &store->frame_order[i];
        if (*order >= count || (i > 0 && asnap_store_compare_frames(store, order[-1], *order) >= 0))
            error = asnap_dump_damaged(reader,
                                       "entry %zu in the order of frames: frame index %u of %zu "
                                       "frames is not greater than the one before, or too large",
                                       i, *order, count);
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
               : asnap_dump_damaged(naming->reader, "a traceback has frame index %u of %zu frames",
                                    largest, naming->frame_count);
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
    error = asnap_dump_read_array(reader, ASNAP_DUMP_TRACEBACKS, sizeof(*store->tracebacks),
                                  &store->tracebacks, &store->traceback_count);
    uint64_t next = 0;
    for (size_t i = 0; error == NULL && i < store->traceback_count; i++) {
        const struct asnap_traceback *traceback = &store->tracebacks[i];
        if (traceback->first != next || traceback->frame_count == 0 ||
            traceback->frame_count > store->frame_id_count - next ||
            traceback->frame_count > MOST_FRAMES || !is_right_total(reader, traceback))
            error =
                asnap_dump_damaged(reader,
                                   "traceback %zu: frame_count %u from index %llu of %zu frame "
                                   "indexes on, total_nframe %u",
                                   i, traceback->frame_count, (unsigned long long)traceback->first,
                                   store->frame_id_count, traceback->total_nframe);
        next += traceback->frame_count;
    }
    if (error == NULL && next != store->frame_id_count)
        error = asnap_dump_damaged(
            reader, "the tracebacks have %llu frames in all, but there are %zu frame indexes",
            (unsigned long long)next, store->frame_id_count);
    return error;
}

static struct asnap_error *read_mappings(const struct asnap_dump_reader *reader,
                                         struct asnap_store *store)
{
    struct asnap_error *error =
        asnap_dump_read_names(reader, ASNAP_DUMP_MAPPING_NAMES, false, &store->mapping_names);
    if (error == NULL)
        error = asnap_dump_read_array(reader, ASNAP_DUMP_MAPPINGS, sizeof(*store->mappings),
                                      &store->mappings, &store->mapping_count);
    for (size_t i = 0; error == NULL && i < store->mapping_count; i++) {
        const struct asnap_stored_mapping *mapping = &store->mappings[i];
        if (mapping->start >= mapping->end || mapping->path >= store->mapping_names.count ||
            mapping->build_id >= store->mapping_names.count)
            error = asnap_dump_damaged(reader,
                                       "mapping %zu: start 0x%llx, end 0x%llx, path index %u and "
                                       "build ID index %u of %u names",
                                       i, (unsigned long long)mapping->start,
                                       (unsigned long long)mapping->end, mapping->path,
                                       mapping->build_id, store->mapping_names.count);
    }
    return error;
}

static struct asnap_error *read_threads(const struct asnap_dump_reader *reader,
                                        struct asnap_store *store)
{
    uint64_t *start = NULL;
    size_t count = 0;
    struct asnap_error *error = asnap_dump_read_array(
        reader, ASNAP_DUMP_THREADS, sizeof(*store->threads), &store->threads, &store->thread_count);
    if (error == NULL && store->thread_count != 0 && store->threads[0] != 0)
        error = asnap_dump_damaged(reader,
                                   "the first entry of the list of threads is %u, not 0, which "
                                   "stands for an unknown thread",
                                   store->threads[0]);
    if (error == NULL)
        error =
            asnap_dump_read_array(reader, ASNAP_DUMP_START_TIME, sizeof(*start), &start, &count);
    if (error == NULL && (count > 1 || (count == 1 && *start == 0)))
        error = asnap_dump_damaged(
            reader, "%zu start times, the first is %llu: there can be one, and it is not 0", count,
            (unsigned long long)*start);
    else if (error == NULL && count == 1)
        store->start_time = *start;
    free(start);
    return error;
}

static struct asnap_error *read_period(const struct asnap_dump_reader *reader,
                                       struct asnap_store *store)
{
    uint64_t *period = NULL;
    size_t count = 0;
    struct asnap_error *error =
        asnap_dump_read_array(reader, ASNAP_DUMP_SAMPLE_PERIOD, sizeof(*period), &period, &count);
    if (error == NULL && count != 0 &&
        (count > 1 || *period == 0 || *period > ASNAP_SAMPLE_PERIOD_MAX))
        error = asnap_dump_damaged(reader,
                                   "%zu periods of a sample, the first is %llu: there can be one, "
                                   "from 1 to 1099511627776",
                                   count, (unsigned long long)*period);
    else if (error == NULL && count == 1)
        store->sample_period = *period;
    free(period);
    return error;
}

static struct asnap_error *read_domains(const struct asnap_dump_reader *reader,
                                        struct asnap_store *store)
{
    uint32_t *numbers = NULL;
    size_t count = 0;
    struct asnap_dump_strings names = {0};
    struct asnap_error *error =
        asnap_dump_read_array(reader, ASNAP_DUMP_DOMAINS, sizeof(*numbers), &numbers, &count);
    if (error == NULL)
        error = asnap_dump_read_strings(reader, ASNAP_DUMP_DOMAIN_NAMES, &names);
    if (error == NULL && count != names.count)
        error =
            asnap_dump_damaged(reader, "%zu domains, but %zu names of domains", count, names.count);
    for (size_t i = 0; error == NULL && i < count; i++) {
        if (i > 0 && numbers[i] <= numbers[i - 1])
            error = asnap_dump_damaged(
                reader,
                "domain %zu: its number %u is not greater than %u, that of the domain before it", i,
                numbers[i], numbers[i - 1]);
        else
            error = asnap_store_name_domain(store, numbers[i], names.text + names.offsets[i]);
    }
    asnap_dump_strings_deinit(&names);
    free(numbers);
    return error;
}

static struct asnap_error *read_lists(const struct asnap_dump_reader *reader,
                                      struct asnap_store *store)
{
    struct asnap_dump_strings strings;
    struct asnap_error *error = asnap_dump_read_strings(reader, ASNAP_DUMP_NOTES, &strings);
    for (size_t i = 0; error == NULL && i < strings.count; i++)
        error = asnap_store_add_note(store, strings.text + strings.offsets[i]);
    asnap_dump_strings_deinit(&strings);
    if (error != NULL)
        return error;
    error = asnap_dump_read_strings(reader, ASNAP_DUMP_ATTRIBUTES, &strings);
    if (error == NULL && strings.count % 2 != 0)
        error = asnap_dump_damaged(
            reader, "%zu strings for attributes, of which each has two, a name and a value",
            strings.count);
    for (size_t i = 0; error == NULL && i < strings.count; i += 2) {
        const char *name = strings.text + strings.offsets[i];
        if (i > 0 && strcmp(strings.text + strings.offsets[i - 2], name) >= 0)
            error = asnap_dump_damaged(
                reader, "the name of attribute %zu is not greater than the name before it", i / 2);
        else
            error = asnap_store_set_attribute(store, name, strings.text + strings.offsets[i + 1]);
    }
    asnap_dump_strings_deinit(&strings);
    return error;
}

static struct asnap_error *read_store(const struct asnap_dump_reader *reader,
                                      struct asnap_store *store)
{
    struct asnap_error *error =
        asnap_dump_read_names(reader, ASNAP_DUMP_FILES, true, &store->files);
    if (error == NULL)
        error = asnap_dump_read_names(reader, ASNAP_DUMP_FUNCTIONS, true, &store->functions);
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
        error = read_period(reader, store);
    if (error == NULL)
        error = read_domains(reader, store);
    if (error == NULL)
        error = read_lists(reader, store);
    return error;
}

static struct asnap_error *read_all(const struct asnap_dump_reader *reader,
                                    struct asnap_snapshot *snapshot, struct asnap_graph **graph)
{
    struct asnap_error *error = read_store(reader, snapshot->store);
    if (error == NULL)
        error = asnap_dump_read_traces(reader, snapshot);
    if (error == NULL && reader->header.version > ASNAP_DUMP_VERSION_PLAIN)
        error = asnap_dump_read_types(reader, snapshot->store);
    if (error == NULL && reader->header.version > ASNAP_DUMP_VERSION_PLAIN)
        error = asnap_dump_read_graph(reader, snapshot, graph);
    if (error == NULL && reader->header.version > ASNAP_DUMP_VERSION_PLAIN && *graph == NULL &&
        snapshot->store->types == NULL && snapshot->store->owners == NULL)
        error =
            asnap_dump_damaged(reader, "it has format version %u, but neither a graph nor types",
                               reader->header.version);
    return error;
}

struct asnap_error *asnap_graph_load(const char *path, struct asnap_snapshot **snapshot,
                                     struct asnap_graph **graph)
{
    struct asnap_dump_reader reader;
    struct asnap_error *error = asnap_dump_open(&reader, path);
    if (error != NULL)
        return error;
    struct asnap_snapshot *made = calloc(1, sizeof(*made));
    struct asnap_store *store = asnap_store_create();
    struct asnap_graph *made_graph = NULL;
    if (made == NULL || store == NULL) {
        free(made);
        asnap_store_release(store);
        asnap_dump_close(&reader);
        return asnap_error_no_memory();
    }
    made->store = store;
    made->traceback_limit = reader.header.traceback_limit;
    error = read_all(&reader, made, &made_graph);
    asnap_dump_close(&reader);
    if (error != NULL) {
        asnap_snapshot_destroy(made);
        return error;
    }
    *snapshot = made;
    *graph = made_graph;
    return NULL;
}

struct asnap_error *asnap_snapshot_load(const char *path, struct asnap_snapshot **snapshot)
{
    struct asnap_graph *graph = NULL;
    struct asnap_error *error = asnap_graph_load(path, snapshot, &graph);
    if (error == NULL)
        asnap_graph_destroy(graph);
    return error;
}
