#include "pprof_mappings.h"

#include <stdlib.h>
#include <string.h>

#include "main_mapping.h"

struct asnap_pprof_mapping {
    bool is_used;
    bool has_names;
    bool has_lines;
    bool has_inlined;
    enum asnap_main_rank rank;
};

struct asnap_error *asnap_pprof_mappings_init(struct asnap_pprof_mappings *mappings,
                                              const struct asnap_snapshot *snapshot)
{
    mappings->snapshot = snapshot;
    mappings->count = asnap_snapshot_mapping_count(snapshot);
    mappings->seen = calloc(mappings->count + 1, sizeof(*mappings->seen));
    return mappings->seen == NULL ? asnap_error_no_memory() : NULL;
}

uint64_t asnap_pprof_mappings_id(const struct asnap_pprof_mappings *mappings, uint32_t frame_id)
{
    uint32_t mapping = asnap_snapshot_frame_mapping(mappings->snapshot, frame_id);
    return 1 + (mapping == ASNAP_NO_MAPPING ? mappings->count : mapping);
}

uint64_t asnap_pprof_mappings_unknown(struct asnap_pprof_mappings *mappings)
{
    mappings->seen[mappings->count].is_used = true;
    return 1 + mappings->count;
}

void asnap_pprof_mappings_see(struct asnap_pprof_mappings *mappings, uint32_t frame_id,
                              const struct asnap_frame *frame)
{
    struct asnap_pprof_mapping *seen =
        &mappings->seen[asnap_pprof_mappings_id(mappings, frame_id) - 1];
    enum asnap_main_rank rank = asnap_main_rank_of(frame);
    seen->is_used = true;
    seen->has_names |=
        frame->named_by != ASNAP_NAMED_NONE && frame->named_by != ASNAP_NAMED_ADDRESS;
    seen->has_lines |= frame->lineno != 0;
    seen->has_inlined |= frame->inlined;
    if (rank > seen->rank)
        seen->rank = rank;
}

/* The mapping that readers shall take for the program's. */
static size_t find_program(const struct asnap_pprof_mappings *mappings)
{
    size_t found = mappings->count;
    int best = -1;
    for (size_t i = 0; i < mappings->count; i++) {
        struct asnap_mapping mapping = asnap_snapshot_mapping(mappings->snapshot, i);
        int rank = (int)asnap_main_rank_with_path(mappings->seen[i].rank, mapping.path);
        if (mappings->seen[i].is_used && rank > best) {
            best = rank;
            found = i;
        }
    }
    return found;
}

/* Of those that a dump may have, pprof of Go 1.22 and later does not survive the shortest. */
static bool is_build_id(const char *text)
{
    size_t length = strlen(text);
    return length >= 2 && strspn(text, "0123456789abcdef") == length;
}

static struct asnap_error *write_mapping(const struct asnap_pprof_mappings *mappings, size_t number,
                                         struct asnap_pprof_writer *writer)
{
    const struct asnap_pprof_mapping *seen = &mappings->seen[number];
    Asnap__Mapping written = ASNAP__MAPPING__INIT;
    Asnap__Mapping *lent = &written;
    Asnap__Profile part = ASNAP__PROFILE__INIT;
    /* Where all of a file was laid out by its program headers, pprof would look in the wrong place
     * for names; and in no file there are none. */
    struct asnap_mapping mapping = {
        .file_offset = ASNAP_WHOLE_FILE, .path = "[unknown]", .build_id = ""};
    if (number < mappings->count)
        mapping = asnap_snapshot_mapping(mappings->snapshot, number);
    bool is_whole = mapping.file_offset == ASNAP_WHOLE_FILE;
    written.id = number + 1;
    written.memory_start = mapping.start;
    written.memory_limit = mapping.end;
    written.file_offset = is_whole ? 0 : mapping.file_offset;
    written.has_functions = seen->has_names || is_whole;
    written.has_filenames = written.has_line_numbers = seen->has_lines;
    written.has_inline_frames = seen->has_inlined;
    struct asnap_error *error = asnap_pprof_name(writer, mapping.path, &written.filename);
    if (error == NULL)
        error = asnap_pprof_name(writer, is_build_id(mapping.build_id) ? mapping.build_id : "",
                                 &written.build_id);
    part.n_mapping = 1;
    part.mapping = &lent;
    if (error == NULL)
        asnap_pprof_write(writer, &part);
    return error;
}

struct asnap_error *asnap_pprof_mappings_write(const struct asnap_pprof_mappings *mappings,
                                               struct asnap_pprof_writer *writer)
{
    size_t program = find_program(mappings);
    struct asnap_error *error = NULL;
    if (mappings->seen[program].is_used)
        error = write_mapping(mappings, program, writer);
    for (size_t i = 0; error == NULL && i <= mappings->count; i++) {
        if (i != program && mappings->seen[i].is_used)
            error = write_mapping(mappings, i, writer);
    }
    return error;
}

void asnap_pprof_mappings_deinit(struct asnap_pprof_mappings *mappings)
{
    free(mappings->seen);
    *mappings = (struct asnap_pprof_mappings){0};
}
