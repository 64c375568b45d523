#include <stdlib.h>
#include <string.h>

#include "atomic_file.h"
#include "checksum.h"
#include "dump_format.h"
#include "graph_parts.h"
#include "snapshot.h"

/* Summed up while it is in the processor's cache, then written. A multiple of
 * ASNAP_CHECKSUM_STEP. */
#define CHUNK ((size_t)256 * 1024)

/* The contents of a section. */
struct piece {
    const void *bytes;
    size_t size;
    void *owned; /* to be freed, or NULL */
};

/* Names that blocks go by. */
struct named {
    const struct asnap_types *types; /* NULL: not known */
    struct asnap_typed *typed;       /* the blocks that are dumped, of which it is known */
    size_t count;
};

struct dumping {
    const struct asnap_snapshot *snapshot;
    const struct asnap_stored_attribute *attributes;
    size_t attribute_count;
    struct named types;
    struct named owners;
    const struct asnap_graph_parts *graph; /* NULL: there is none */
    struct piece pieces[ASNAP_DUMP_KINDS];
};

_Static_assert(sizeof(struct asnap_dump_header) == 40, "no padding");
_Static_assert(sizeof(struct asnap_dump_section) == 32, "no padding");
_Static_assert(sizeof(struct asnap_dump_frame) == 12, "no padding");
_Static_assert(sizeof(struct asnap_location) == 12, "no padding");
_Static_assert(sizeof(struct asnap_traceback) == 16, "no padding");
_Static_assert(sizeof(struct asnap_trace) == 32, "no padding");
_Static_assert(sizeof(struct asnap_stored_mapping) == 32, "no padding");
_Static_assert(sizeof(struct asnap_kept_sum) == 16, "no padding");
_Static_assert(sizeof(struct asnap_kept_retained) == 16, "no padding");
_Static_assert(sizeof(struct asnap_kept_leak) == 24, "no padding");
_Static_assert(sizeof(struct asnap_kept_pointer) == 8, "no padding");
_Static_assert(sizeof(struct asnap_dump_type) == 16, "no padding");

/* A piece that lies in memory as it shall in the file. */
static void lend(struct dumping *dumping, enum asnap_dump_kind kind, const void *bytes, size_t size)
{
    dumping->pieces[kind] = (struct piece){.bytes = bytes, .size = size};
}

/* A piece to be filled; NULL where memory is short. */
static void *make(struct dumping *dumping, enum asnap_dump_kind kind, size_t count,
                  size_t element_size)
{
    void *bytes = calloc(count + 1, element_size);
    dumping->pieces[kind] =
        (struct piece){.bytes = bytes, .size = count * element_size, .owned = bytes};
    return bytes;
}

typedef const char *get_string(const struct dumping *dumping, size_t index);

/* A piece of `count` strings one after the other, each with its NUL. */
static bool join(struct dumping *dumping, enum asnap_dump_kind kind, size_t count,
                 get_string *string)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += strlen(string(dumping, i)) + 1;
    char *text = make(dumping, kind, size, 1);
    for (size_t i = 0; text != NULL && i < count; i++)
        text = stpcpy(text, string(dumping, i)) + 1;
    return text != NULL;
}

static const char *file_name(const struct dumping *dumping, size_t index)
{
    return asnap_names_get(&dumping->snapshot->store->files, (uint32_t)index);
}

static const char *function_name(const struct dumping *dumping, size_t index)
{
    return asnap_names_get(&dumping->snapshot->store->functions, (uint32_t)index);
}

static const char *mapping_name(const struct dumping *dumping, size_t index)
{
    return asnap_names_get(&dumping->snapshot->store->mapping_names, (uint32_t)index);
}

static const char *domain_name(const struct dumping *dumping, size_t index)
{
    return dumping->snapshot->store->domains[index].name;
}

static const char *note(const struct dumping *dumping, size_t index)
{
    return dumping->snapshot->store->notes[index];
}

static const char *attribute_text(const struct dumping *dumping, size_t index)
{
    const struct asnap_stored_attribute *attribute = &dumping->attributes[index / 2];
    return index % 2 == 0 ? attribute->name : attribute->value;
}

static const char *graph_note(const struct dumping *dumping, size_t index)
{
    return dumping->graph->notes[index];
}

static const char *type_name(const struct dumping *dumping, size_t index)
{
    return index == 0 ? "" : dumping->types.types->names[index - 1];
}

static const char *owner_name(const struct dumping *dumping, size_t index)
{
    return index == 0 ? "" : dumping->owners.types->names[index - 1];
}

static bool make_frames(struct dumping *dumping)
{
    const struct asnap_store *store = dumping->snapshot->store;
    size_t count = store->frame_count;
    struct asnap_dump_frame *frames = make(dumping, ASNAP_DUMP_FRAMES, count, sizeof(*frames));
    uint64_t *addresses = make(dumping, ASNAP_DUMP_ADDRESSES, count, sizeof(*addresses));
    uint32_t *mappings = make(dumping, ASNAP_DUMP_FRAME_MAPPINGS, count, sizeof(*mappings));
    uint8_t *named_by = make(dumping, ASNAP_DUMP_NAMED_BY, count, sizeof(*named_by));
    uint64_t *offsets = make(dumping, ASNAP_DUMP_OFFSETS, count, sizeof(*offsets));
    if (frames == NULL || addresses == NULL || mappings == NULL || named_by == NULL ||
        offsets == NULL)
        return false;
    uint64_t known = 0;
    uint64_t placed = 0;
    bool mapped = false;
    bool told = false;
    for (size_t i = 0; i < count; i++) {
        const struct asnap_stored_frame *frame = &store->frames[i];
        frames[i] = (struct asnap_dump_frame){frame->location, frame->function, frame->inlined};
        addresses[i] = frame->address;
        mappings[i] = frame->mapping;
        named_by[i] = frame->named_by;
        offsets[i] = frame->offset;
        placed |= frame->offset;
        known |= frame->address;
        mapped = mapped || frame->mapping != ASNAP_NONE;
        told = told || frame->named_by != asnap_store_named_by_default(store, frame);
    }
    if (!told)
        dumping->pieces[ASNAP_DUMP_NAMED_BY].size = 0;
    if (placed == 0)
        dumping->pieces[ASNAP_DUMP_OFFSETS].size = 0;
    if (known == 0)
        dumping->pieces[ASNAP_DUMP_ADDRESSES].size = 0;
    if (!mapped)
        dumping->pieces[ASNAP_DUMP_FRAME_MAPPINGS].size = 0;
    return true;
}

static bool make_domains(struct dumping *dumping)
{
    const struct asnap_store *store = dumping->snapshot->store;
    uint32_t *numbers = make(dumping, ASNAP_DUMP_DOMAINS, store->domain_count, sizeof(*numbers));
    for (size_t i = 0; numbers != NULL && i < store->domain_count; i++)
        numbers[i] = store->domains[i].number;
    return numbers != NULL;
}

static bool make_graph(struct dumping *dumping)
{
    const struct asnap_graph_parts *graph = dumping->graph;
    if (graph == NULL)
        return true;
    lend(dumping, ASNAP_DUMP_GRAPH, graph->sums, sizeof(graph->sums));
    lend(dumping, ASNAP_DUMP_CLASSES, graph->classes, graph->count * sizeof(*graph->classes));
    lend(dumping, ASNAP_DUMP_RETAINED, graph->retained, graph->count * sizeof(*graph->retained));
    lend(dumping, ASNAP_DUMP_LEAKS, graph->leaks, graph->leak_count * sizeof(*graph->leaks));
    lend(dumping, ASNAP_DUMP_POINTERS, graph->pointers,
         graph->pointer_count * sizeof(*graph->pointers));
    return join(dumping, ASNAP_DUMP_GRAPH_NOTES, graph->note_count, graph_note);
}

static bool make_named(struct dumping *dumping, const struct named *named,
                       enum asnap_dump_kind kind)
{
    struct asnap_dump_type *made = make(dumping, kind, named->count, sizeof(*made));
    for (size_t i = 0; made != NULL && i < named->count; i++)
        made[i] = (struct asnap_dump_type){named->typed[i].address, named->typed[i].number + 1, 0};
    return made != NULL;
}

static bool make_types(struct dumping *dumping)
{
    const struct asnap_types *types = dumping->types.types;
    return types == NULL ||
           (make_named(dumping, &dumping->types, ASNAP_DUMP_TYPES) &&
            join(dumping, ASNAP_DUMP_TYPE_NAMES, (size_t)types->name_count + 1, type_name));
}

static bool make_owners(struct dumping *dumping)
{
    const struct asnap_types *owners = dumping->owners.types;
    return owners == NULL ||
           (make_named(dumping, &dumping->owners, ASNAP_DUMP_OWNERS) &&
            join(dumping, ASNAP_DUMP_OWNER_NAMES, (size_t)owners->name_count + 1, owner_name));
}

static bool make_pieces(struct dumping *dumping)
{
    const struct asnap_snapshot *snapshot = dumping->snapshot;
    const struct asnap_store *store = snapshot->store;
    lend(dumping, ASNAP_DUMP_LOCATIONS, store->locations,
         store->location_count * sizeof(*store->locations));
    lend(dumping, ASNAP_DUMP_FRAME_ORDER, store->frame_order,
         store->frame_count * sizeof(*store->frame_order));
    lend(dumping, ASNAP_DUMP_FRAME_IDS, store->frame_ids,
         store->frame_id_count * sizeof(*store->frame_ids));
    lend(dumping, ASNAP_DUMP_TRACEBACKS, store->tracebacks,
         store->traceback_count * sizeof(*store->tracebacks));
    lend(dumping, ASNAP_DUMP_TRACES, snapshot->blocks->traces,
         snapshot->blocks->count * sizeof(*snapshot->blocks->traces));
    lend(dumping, ASNAP_DUMP_MAPPINGS, store->mappings,
         store->mapping_count * sizeof(*store->mappings));
    lend(dumping, ASNAP_DUMP_THREADS, store->threads,
         store->thread_count * sizeof(*store->threads));
    if (store->sample_period != 0)
        lend(dumping, ASNAP_DUMP_SAMPLE_PERIOD, &store->sample_period,
             sizeof(store->sample_period));
    if (store->start_time != 0)
        lend(dumping, ASNAP_DUMP_START_TIME, &store->start_time, sizeof(store->start_time));
    return join(dumping, ASNAP_DUMP_FILES, store->files.count, file_name) &&
           join(dumping, ASNAP_DUMP_FUNCTIONS, store->functions.count, function_name) &&
           join(dumping, ASNAP_DUMP_MAPPING_NAMES, store->mapping_names.count, mapping_name) &&
           join(dumping, ASNAP_DUMP_DOMAIN_NAMES, store->domain_count, domain_name) &&
           join(dumping, ASNAP_DUMP_NOTES, store->note_count, note) &&
           join(dumping, ASNAP_DUMP_ATTRIBUTES, 2 * dumping->attribute_count, attribute_text) &&
           make_frames(dumping) && make_domains(dumping) && make_graph(dumping) &&
           make_types(dumping) && make_owners(dumping);
}

static void free_pieces(struct dumping *dumping)
{
    for (size_t i = 0; i < ASNAP_DUMP_KINDS; i++)
        free(dumping->pieces[i].owned);
}

static struct asnap_error *write_piece(struct asnap_atomic_file *file, const struct piece *piece,
                                       struct asnap_dump_section *section)
{
    struct asnap_checksum sum = {0};
    const char *bytes = piece->bytes;
    for (size_t done = 0, size; done < piece->size; done += size) {
        size = piece->size - done < CHUNK ? piece->size - done : CHUNK;
        asnap_checksum_add(&sum, bytes + done, size);
        struct asnap_error *error =
            asnap_atomic_file_write(file, bytes + done, size, section->offset + done);
        if (error != NULL)
            return error;
    }
    section->checksum = asnap_checksum_end(&sum);
    return NULL;
}

/* The end of a section, and the zeros after it. */
static struct asnap_error *write_padding(struct asnap_atomic_file *file, uint64_t *offset)
{
    static const char zeros[ASNAP_DUMP_ALIGNMENT];
    uint64_t padding = -*offset % ASNAP_DUMP_ALIGNMENT;
    *offset += padding;
    return asnap_atomic_file_write(file, zeros, padding, *offset - padding);
}

static struct asnap_error *write_header(struct asnap_atomic_file *file,
                                        struct asnap_dump_header *header,
                                        const struct asnap_dump_section *sections)
{
    size_t table_size = header->section_count * sizeof(*sections);
    char bytes[sizeof(*header) + ASNAP_DUMP_KINDS * sizeof(*sections)];
    memcpy(bytes, header, sizeof(*header));
    memcpy(bytes + sizeof(*header), sections, table_size);
    struct asnap_checksum sum = {0};
    asnap_checksum_add(&sum, bytes, sizeof(*header) + table_size);
    header->checksum = asnap_checksum_end(&sum);
    memcpy(bytes, header, sizeof(*header));
    return asnap_atomic_file_write(file, bytes, sizeof(*header) + table_size, 0);
}

static bool is_plain(const struct dumping *dumping)
{
    return dumping->graph == NULL && dumping->types.types == NULL && dumping->owners.types == NULL;
}

static struct asnap_error *write_all(struct asnap_atomic_file *file, const struct dumping *dumping)
{
    struct asnap_dump_section sections[ASNAP_DUMP_KINDS] = {0};
    struct asnap_dump_header header = {
        .magic = ASNAP_DUMP_MAGIC,
        .byte_order = ASNAP_DUMP_BYTE_ORDER,
        .version = is_plain(dumping) ? ASNAP_DUMP_VERSION_PLAIN : ASNAP_DUMP_VERSION,
        .traceback_limit = dumping->snapshot->traceback_limit,
    };
    for (uint32_t kind = 1; kind < ASNAP_DUMP_KINDS; kind++)
        header.section_count += dumping->pieces[kind].size > 0;
    uint64_t offset = sizeof(header) + header.section_count * sizeof(*sections);
    struct asnap_dump_section *section = sections;
    for (uint32_t kind = 1; kind < ASNAP_DUMP_KINDS; kind++) {
        const struct piece *piece = &dumping->pieces[kind];
        if (piece->size == 0)
            continue;
        *section = (struct asnap_dump_section){.kind = kind, .offset = offset, .size = piece->size};
        struct asnap_error *error = write_piece(file, piece, section);
        offset += piece->size;
        if (error == NULL)
            error = write_padding(file, &offset);
        if (error != NULL)
            return error;
        section++;
    }
    header.file_size = offset;
    return write_header(file, &header, sections);
}

static struct asnap_error *dump(struct dumping *dumping, const char *path)
{
    struct asnap_atomic_file file;
    struct asnap_error *error = NULL;
    if (!make_pieces(dumping))
        error = asnap_error_no_memory();
    if (error == NULL)
        error = asnap_atomic_file_open(&file, path);
    if (error == NULL)
        error = asnap_atomic_file_close(&file, write_all(&file, dumping));
    free_pieces(dumping);
    return error;
}

/* Lists the blocks of a snapshot that go by a name. */
static struct asnap_error *list_named(const struct asnap_snapshot *snapshot, struct named *named)
{
    struct asnap_blocks *blocks;
    if (named->types == NULL)
        return NULL;
    struct asnap_error *error = asnap_snapshot_blocks(snapshot, &blocks);
    if (error != NULL)
        return error;
    return asnap_types_list(named->types, blocks->traces, blocks->count, &named->typed,
                            &named->count);
}

/* Of what was filtered or chosen, without what its traces do not need; with the parts of a graph,
 * or NULL. */
static struct asnap_error *dump_compact(const struct asnap_snapshot *snapshot,
                                        const struct asnap_graph_parts *graph, const char *path,
                                        const struct asnap_attribute *attributes,
                                        size_t attribute_count)
{
    struct asnap_snapshot *compact = NULL;
    struct asnap_store *given = NULL;
    struct asnap_error *error = NULL;
    if (snapshot->kept != NULL || snapshot->origin != NULL)
        error = asnap_snapshot_compact(snapshot, &compact);
    if (error == NULL && attributes != NULL)
        error = asnap_attributes_create(attributes, attribute_count, &given);
    const struct asnap_store *store = given != NULL ? given : snapshot->store;
    struct dumping dumping = {
        .snapshot = compact != NULL ? compact : snapshot,
        .attributes = store->attributes,
        .attribute_count = store->attribute_count,
        .types.types = snapshot->store->types,
        .owners.types = snapshot->store->owners,
        .graph = graph,
    };
    /* A compact snapshot has other numbers of tracebacks than its types. */
    if (error == NULL)
        error = list_named(snapshot, &dumping.types);
    if (error == NULL)
        error = list_named(snapshot, &dumping.owners);
    if (error == NULL)
        error = dump(&dumping, path);
    free(dumping.types.typed);
    free(dumping.owners.typed);
    asnap_store_release(given);
    asnap_snapshot_destroy(compact);
    return error;
}

struct asnap_error *asnap_snapshot_dump(const struct asnap_snapshot *snapshot, const char *path,
                                        const struct asnap_attribute *attributes,
                                        size_t attribute_count)
{
    return dump_compact(snapshot, NULL, path, attributes, attribute_count);
}

struct asnap_error *asnap_graph_dump(struct asnap_graph *graph,
                                     const struct asnap_snapshot *snapshot, const char *path,
                                     const struct asnap_attribute *attributes,
                                     size_t attribute_count, const struct asnap_progress *progress)
{
    struct asnap_graph_parts parts;
    struct asnap_error *error = asnap_graph_retain(graph, progress);
    if (error == NULL)
        error = asnap_graph_parts_init(&parts, graph, snapshot);
    if (error != NULL)
        return error;
    error = dump_compact(snapshot, &parts, path, attributes, attribute_count);
    asnap_graph_parts_deinit(&parts);
    return error;
}
