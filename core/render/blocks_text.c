#include <string.h>

#include "allocsnap_tracing.h"
#include "block_formats.h"
#include "block_origin.h"
#include "blocks_shown.h"
#include "lives.h"
#include "page.h"

static void write_warnings(struct asnap_page *page, const struct asnap_snapshot *snapshot)
{
    size_t count = asnap_snapshot_note_count(snapshot);
    for (size_t i = 0; i < count; i++)
        asnap_page_warning(page, asnap_snapshot_note(snapshot, i));
}

/* ", domain=7 (pool)"; nothing for the C heap, unless it has been given a name. */
static void write_domain(struct asnap_page *page, const struct asnap_snapshot *snapshot,
                         uint32_t domain)
{
    const char *name = asnap_snapshot_domain_name(snapshot, domain);
    if (domain == 0 && name == NULL)
        return;
    asnap_page_string(page, ", domain=");
    asnap_page_number(page, domain);
    if (name != NULL) {
        asnap_page_string(page, " (");
        asnap_page_name(page, name);
        asnap_page_string(page, ")");
    }
}

/* ", definite" */
static void write_reach(struct asnap_page *page, const char *reach)
{
    if (reach == NULL)
        return;
    asnap_page_string(page, ", ");
    asnap_page_string(page, reach);
}

static void write_header(struct asnap_page *page, const struct asnap_blocks_shown *shown,
                         enum asnap_trace_order order)
{
    uint64_t count = shown->count + shown->other_count;
    if (shown->other_count != 0) {
        asnap_page_string(page, "Top ");
        asnap_page_number(page, shown->count);
        asnap_page_string(page, " of ");
    }
    asnap_page_number(page, count);
    asnap_page_string(page, count == 1 ? " block, " : " blocks, ");
    asnap_page_string(page, order == ASNAP_ORDER_AGE ? "oldest first\n" : "by size\n");
}

static struct asnap_error *write_block(struct asnap_page *page,
                                       const struct asnap_blocks_shown *shown, size_t index,
                                       const struct asnap_render_options *options)
{
    const struct asnap_trace *trace = &shown->traces[shown->places[index]];
    const uint32_t *frame_ids;
    asnap_stack_of(shown->snapshot, trace, &frame_ids);
    uint32_t skipped = asnap_snapshot_skipped_frames(shown->snapshot, trace->traceback_id);
    struct asnap_frame frame = asnap_snapshot_frame(shown->snapshot, frame_ids[skipped]);
    asnap_page_string(page, "#");
    asnap_page_number(page, index + 1);
    asnap_page_string(page, ": ");
    asnap_page_address(page, trace->address);
    asnap_page_string(page, ": size=");
    asnap_page_size(page, (int64_t)trace->size, false);
    write_domain(page, shown->snapshot, trace->domain);
    write_reach(page, asnap_reach_of(trace, options));
    asnap_origin_fields(page, shown->snapshot, trace, options);
    asnap_page_string(page, ", at ");
    asnap_page_place(page, &frame);
    if (frame.function != NULL) {
        asnap_page_string(page, " in ");
        asnap_page_function(page, frame.function);
    }
    asnap_page_string(page, "\n");
    return asnap_page_source(page, &frame, "    ");
}

static void write_sum(struct asnap_page *page, uint64_t size, uint64_t count)
{
    asnap_page_string(page, "size=");
    asnap_page_size(page, (int64_t)size, false);
    asnap_page_string(page, ", count=");
    asnap_page_number(page, count);
    asnap_page_string(page, "\n");
}

static struct asnap_error *write_blocks(struct asnap_page *page,
                                        const struct asnap_blocks_shown *shown,
                                        const struct asnap_render_options *options)
{
    const struct asnap_statistic_diff *unfiltered = options->unfiltered;
    write_warnings(page, shown->snapshot);
    if (unfiltered != NULL) {
        asnap_page_string(page, "filtered: ");
        asnap_page_part(page, asnap_snapshot_count(shown->snapshot),
                        asnap_snapshot_size(shown->snapshot), unfiltered->count, unfiltered->size);
        asnap_page_string(page, "\n");
    }
    if (shown->count == 0) {
        asnap_page_string(page, "No live traced blocks.\n");
        return NULL;
    }
    write_header(page, shown, options->order);
    for (size_t i = 0; i < shown->count; i++) {
        struct asnap_error *error = write_block(page, shown, i, options);
        if (error != NULL)
            return error;
    }
    if (shown->other_count != 0) {
        asnap_page_number(page, shown->other_count);
        asnap_page_string(page, " other: ");
        write_sum(page, shown->other_size, shown->other_count);
    }
    asnap_page_string(page, "Total: ");
    write_sum(page, asnap_snapshot_size(shown->snapshot), asnap_snapshot_count(shown->snapshot));
    return NULL;
}

struct asnap_error *asnap_blocks_text(const struct asnap_snapshot *snapshot,
                                      const struct asnap_render_options *options, char **text)
{
    struct asnap_blocks_shown shown;
    struct asnap_error *error = asnap_blocks_shown_init(&shown, snapshot, options);
    if (error != NULL)
        return error;
    struct asnap_page page = {.source_lines = options->source_lines, .options = options};
    error = write_blocks(&page, &shown, options);
    asnap_blocks_shown_deinit(&shown);
    return asnap_page_finish(&page, error, text);
}

static struct asnap_error *write_stack(struct asnap_page *page,
                                       const struct asnap_snapshot *snapshot,
                                       const struct asnap_trace *trace)
{
    const uint32_t *frame_ids;
    const struct asnap_traceback *traceback = asnap_stack_of(snapshot, trace, &frame_ids);
    for (uint32_t i = 0; i < traceback->frame_count; i++) {
        struct asnap_frame frame = asnap_snapshot_frame(snapshot, frame_ids[i]);
        struct asnap_place place = asnap_snapshot_place(snapshot, frame_ids[i]);
        struct asnap_error *error = asnap_page_stack_frame(page, &frame, &place);
        if (error != NULL)
            return error;
    }
    asnap_page_older_frames(page, traceback->total_nframe, traceback->frame_count);
    return NULL;
}

/* "0x1010: 16 bytes into the block at 0x1000, size=5000 B" */
static void write_holder(struct asnap_page *page, const struct asnap_snapshot *snapshot,
                         const struct asnap_trace *trace, uint64_t address, const char *reach)
{
    uint64_t offset = address - trace->address;
    if (offset == 0) {
        asnap_page_string(page, "a block");
    } else {
        asnap_page_number(page, offset);
        asnap_page_string(page, offset == 1 ? " byte" : " bytes");
        asnap_page_string(page, " into the block at ");
        asnap_page_address(page, trace->address);
    }
    asnap_page_string(page, ", size=");
    asnap_page_size(page, (int64_t)trace->size, false);
    write_domain(page, snapshot, trace->domain);
    write_reach(page, reach);
    asnap_page_string(page, "\n");
}

/* "in no live traced block, 3 bytes after the end of the block at 0x1000, size=5000 B" */
static void write_near(struct asnap_page *page, const struct asnap_snapshot *snapshot,
                       const struct asnap_trace *trace, uint64_t address)
{
    uint64_t after = address - (trace->address + trace->size);
    asnap_page_string(page, "in no live traced block, ");
    if (after == 0) {
        asnap_page_string(page, "at");
    } else {
        asnap_page_number(page, after);
        asnap_page_string(page, after == 1 ? " byte after" : " bytes after");
    }
    asnap_page_string(page, " the end of the block at ");
    asnap_page_address(page, trace->address);
    asnap_page_string(page, ", size=");
    asnap_page_size(page, (int64_t)trace->size, false);
    write_domain(page, snapshot, trace->domain);
    asnap_page_string(page, "\n");
}

/* Whether blocks of the C library are not where this is mapped. */
static bool is_no_heap(const struct asnap_region *region)
{
    return region->path != NULL && region->path[0] != '\0' && strcmp(region->path, "[heap]") != 0;
}

static void write_nowhere(struct asnap_page *page, const struct asnap_snapshot *snapshot,
                          const struct asnap_whereabouts *where, const char *place)
{
    asnap_page_string(page, "in no live traced block: ");
    if (where->map_known && where->region == NULL) {
        asnap_page_string(page, "nothing is mapped there");
    } else if (where->region != NULL && place != NULL) {
        asnap_page_name(page, place);
    } else if (where->region != NULL && is_no_heap(where->region)) {
        asnap_page_string(page, "it is in ");
        asnap_page_path(page, where->region->path);
    } else if (asnap_snapshot_sample_period(snapshot) != 0) {
        asnap_page_string(page, "it was freed, or is not in the sample");
    } else {
        asnap_page_string(page, "it was freed, or never traced");
    }
    asnap_page_string(page, "\n");
}

struct asnap_error *asnap_who_text(const struct asnap_snapshot *snapshot, uint64_t address,
                                   const struct asnap_render_options *options, char **text)
{
    struct asnap_whereabouts where;
    struct asnap_error *error = asnap_whereabouts_init(&where, snapshot, address, options);
    if (error != NULL)
        return error;
    struct asnap_page page = {.source_lines = options->source_lines, .options = options};
    write_warnings(&page, snapshot);
    asnap_page_address(&page, address);
    asnap_page_string(&page, ": ");
    if (where.found)
        write_holder(&page, snapshot, &where.trace, address, asnap_reach_of(&where.trace, options));
    else if (where.near)
        write_near(&page, snapshot, &where.trace, address);
    else
        write_nowhere(&page, snapshot, &where, options->place);
    if (where.found || where.near)
        asnap_origin_line(&page, snapshot, &where.trace, options);
    if (where.found || where.near)
        error = write_stack(&page, snapshot, &where.trace);
    return asnap_page_finish(&page, error, text);
}

/* "  it was freed", when, by which thread, and its stack */
static struct asnap_error *write_event(struct asnap_page *page,
                                       const struct asnap_snapshot *snapshot, const char *what,
                                       const struct asnap_trace *trace, uint32_t now)
{
    asnap_page_string(page, "  ");
    asnap_page_string(page, what);
    asnap_origin_ago(page, trace, now);
    asnap_page_string(page, "\n");
    asnap_origin_line(page, snapshot, trace, page->options);
    return write_stack(page, snapshot, trace);
}

/* "freed before: a block, size=48 B", who did it, and who allocated it */
static struct asnap_error *write_life(struct asnap_page *page,
                                      const struct asnap_snapshot *snapshot, uint64_t address,
                                      const struct asnap_life *life, uint32_t now)
{
    asnap_page_string(page, "freed before: ");
    write_holder(page, snapshot, life->freed, address, NULL);
    struct asnap_error *error = write_event(page, snapshot, "it was freed", life->freed, now);
    if (error == NULL)
        error = write_event(page, snapshot, "it was allocated", life->allocated, now);
    return error;
}

struct asnap_error *asnap_lives_text(const struct asnap_snapshot *snapshot, uint64_t address,
                                     const struct asnap_render_options *options, char **text)
{
    struct asnap_lives lives;
    struct asnap_life life;
    struct asnap_error *error = asnap_lives_init(&lives, snapshot, options);
    if (error != NULL)
        return error;
    struct asnap_page page = {.source_lines = options->source_lines, .options = options};
    while (error == NULL && asnap_lives_next(&lives, address, &life))
        error = write_life(&page, snapshot, address, &life, lives.now);
    return asnap_page_finish(&page, error, text);
}

/* "0x1000: freed twice: a block, size=48 B", and who freed and allocated it */
static struct asnap_error *write_mistake(struct asnap_page *page,
                                         const struct asnap_snapshot *snapshot,
                                         const struct asnap_mistake *mistake, uint32_t now)
{
    const uint64_t address = mistake->again->address;
    asnap_page_address(page, address);
    if (mistake->freed == NULL) {
        asnap_page_string(page, ": no live traced block: it was not traced, or freed before those "
                                "that are kept\n");
        return write_event(page, snapshot, "it was to be freed", mistake->again, now);
    }
    asnap_page_string(page, ": freed twice: ");
    write_holder(page, snapshot, mistake->again, address, NULL);
    struct asnap_error *error =
        write_event(page, snapshot, "it was freed again", mistake->again, now);
    if (error == NULL)
        error = write_event(page, snapshot, "it was freed before", mistake->freed, now);
    if (error == NULL)
        error = write_event(page, snapshot, "it was allocated", mistake->allocated, now);
    return error;
}

struct asnap_error *asnap_errors_text(const struct asnap_snapshot *snapshot,
                                      const struct asnap_errors *errors,
                                      const struct asnap_render_options *options, char **text)
{
    struct asnap_mistakes mistakes;
    struct asnap_error *error = asnap_mistakes_init(&mistakes, snapshot, errors, options);
    if (error != NULL)
        return error;
    struct asnap_page page = {.source_lines = options->source_lines, .options = options};
    write_warnings(&page, snapshot);
    asnap_page_number(&page, errors->twice_count);
    asnap_page_string(&page, errors->twice_count == 1 ? " block was freed twice, "
                                                      : " blocks were freed twice, ");
    asnap_page_number(&page, errors->unknown_count);
    asnap_page_string(&page, errors->unknown_count == 1
                                 ? " call was to free a block that is not known\n"
                                 : " calls were to free blocks that are not known\n");
    for (size_t i = 0; i < mistakes.shown && error == NULL; i++) {
        struct asnap_mistake mistake = asnap_mistake_at(&mistakes, i);
        error = write_mistake(&page, snapshot, &mistake, mistakes.now);
    }
    if (mistakes.shown < mistakes.count) {
        asnap_page_number(&page, mistakes.count - mistakes.shown);
        asnap_page_string(&page, " more are kept\n");
    }
    return asnap_page_finish(&page, error, text);
}
