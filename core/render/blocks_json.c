#include "allocsnap_tracing.h"
#include "block_formats.h"
#include "block_origin.h"
#include "blocks_shown.h"
#include "json_pieces.h"
#include "lives.h"

/* The fields of a block, with braces around them. */
static void write_block(struct asnap_text *text, const struct asnap_snapshot *snapshot,
                        const struct asnap_trace *trace, const struct asnap_render_options *options)
{
    const uint32_t *frame_ids;
    const struct asnap_traceback *traceback = asnap_stack_of(snapshot, trace, &frame_ids);
    asnap_json_field(text, "{\"address\":", trace->address);
    asnap_json_field(text, ",\"size\":", trace->size);
    asnap_json_field(text, ",\"domain\":", trace->domain);
    asnap_text_string(text, ",\"domain_name\":");
    asnap_text_json_string(text, asnap_snapshot_domain_name(snapshot, trace->domain));
    asnap_origin_json(text, snapshot, trace, options);
    asnap_text_string(text, ",\"traceback\":[");
    for (uint32_t i = 0; i < traceback->frame_count; i++) {
        struct asnap_frame frame = asnap_snapshot_frame(snapshot, frame_ids[i]);
        struct asnap_place place = asnap_snapshot_place(snapshot, frame_ids[i]);
        if (i != 0)
            asnap_text_string(text, ",");
        asnap_json_frame(text, &frame, &place);
    }
    asnap_text_string(text, "]");
    asnap_json_total(text, traceback->total_nframe);
    if (options->graph != NULL) {
        asnap_text_string(text, ",\"reach\":");
        asnap_text_json_string(text, asnap_reach_of(trace, options));
    }
    asnap_text_string(text, "}");
}

static void write_sum(struct asnap_text *text, uint64_t size, uint64_t count)
{
    asnap_json_field(text, "\"size\":", size);
    asnap_json_field(text, ",\"count\":", count);
    asnap_text_string(text, "}");
}

static void write_notes(struct asnap_text *text, const struct asnap_snapshot *snapshot)
{
    size_t count = asnap_snapshot_note_count(snapshot);
    asnap_text_string(text, ",\"notes\":[");
    for (size_t i = 0; i < count; i++) {
        if (i != 0)
            asnap_text_string(text, ",");
        asnap_text_json_string(text, asnap_snapshot_note(snapshot, i));
    }
    asnap_text_string(text, "]}\n");
}

struct asnap_error *asnap_blocks_json(const struct asnap_snapshot *snapshot,
                                      const struct asnap_render_options *options, char **text)
{
    struct asnap_blocks_shown shown;
    struct asnap_error *error = asnap_blocks_shown_init(&shown, snapshot, options);
    if (error != NULL)
        return error;
    struct asnap_text json = {0};
    asnap_text_string(&json, "{\"traces\":[");
    for (size_t i = 0; i < shown.count; i++) {
        if (i != 0)
            asnap_text_string(&json, ",");
        write_block(&json, snapshot, &shown.traces[shown.places[i]], options);
    }
    asnap_json_field(&json, "],\"rows\":", shown.count + shown.other_count);
    if (shown.other_count != 0) {
        asnap_json_field(&json, ",\"other\":{\"rows\":", shown.other_count);
        asnap_text_string(&json, ",");
        write_sum(&json, shown.other_size, shown.other_count);
    }
    asnap_text_string(&json, ",\"total\":{");
    write_sum(&json, asnap_snapshot_size(snapshot), asnap_snapshot_count(snapshot));
    if (options->unfiltered != NULL) {
        asnap_text_string(&json, ",\"unfiltered\":{");
        write_sum(&json, options->unfiltered->size, options->unfiltered->count);
    }
    asnap_origin_json_start(&json, snapshot);
    write_notes(&json, snapshot);
    asnap_blocks_shown_deinit(&shown);
    return asnap_text_finish(&json, text);
}

static void write_mapping(struct asnap_text *text, const struct asnap_region *region)
{
    asnap_text_string(text, ",\"mapping\":");
    if (region == NULL) {
        asnap_text_string(text, "null");
        return;
    }
    asnap_json_field(text, "{\"start\":", region->start);
    asnap_json_field(text, ",\"end\":", region->end);
    asnap_text_string(text, ",\"path\":");
    bool named = region->path != NULL && region->path[0] != '\0';
    asnap_text_json_string(text, named ? region->path : NULL);
    asnap_text_string(text, "}");
}

struct asnap_error *asnap_who_json(const struct asnap_snapshot *snapshot, uint64_t address,
                                   const struct asnap_render_options *options, char **text)
{
    struct asnap_whereabouts where;
    struct asnap_error *error = asnap_whereabouts_init(&where, snapshot, address, options);
    if (error != NULL)
        return error;
    struct asnap_text json = {0};
    asnap_json_field(&json, "{\"address\":", address);
    asnap_text_string(&json, ",\"trace\":");
    if (where.found) {
        write_block(&json, snapshot, &where.trace, options);
        asnap_json_field(&json, ",\"offset\":", address - where.trace.address);
    } else {
        asnap_text_string(&json, "null,\"offset\":null");
    }
    asnap_text_string(&json, ",\"reach\":");
    asnap_text_json_string(&json, where.found ? asnap_reach_of(&where.trace, options) : NULL);
    if (where.near) {
        asnap_text_string(&json, ",\"near\":");
        write_block(&json, snapshot, &where.trace, options);
    }
    if (where.map_known) {
        write_mapping(&json, where.region);
        bool is_used = !where.found && !where.near && where.region != NULL;
        asnap_text_string(&json, ",\"place\":");
        asnap_text_json_string(&json, is_used ? options->place : NULL);
    }
    asnap_origin_json_start(&json, snapshot);
    write_notes(&json, snapshot);
    return asnap_text_finish(&json, text);
}

struct asnap_error *asnap_lives_json(const struct asnap_snapshot *snapshot, uint64_t address,
                                     const struct asnap_render_options *options, char **text)
{
    struct asnap_lives lives;
    struct asnap_life life;
    struct asnap_error *error = asnap_lives_init(&lives, snapshot, options);
    if (error != NULL)
        return error;
    struct asnap_text json = {0};
    asnap_text_string(&json, "[");
    for (const char *before = ""; asnap_lives_next(&lives, address, &life); before = ",") {
        asnap_text_string(&json, before);
        asnap_text_string(&json, "{\"freed\":");
        write_block(&json, snapshot, life.freed, options);
        asnap_text_string(&json, ",\"allocated\":");
        write_block(&json, snapshot, life.allocated, options);
        asnap_json_field(&json, ",\"offset\":", address - life.freed->address);
        asnap_origin_json_ago(&json, "freed_ago", life.freed, lives.now);
        asnap_origin_json_ago(&json, "allocated_ago", life.allocated, lives.now);
        asnap_text_string(&json, "}");
    }
    asnap_text_string(&json, "]");
    return asnap_text_finish(&json, text);
}

static void write_event(struct asnap_text *text, const char *name,
                        const struct asnap_snapshot *snapshot, const struct asnap_trace *trace,
                        const struct asnap_render_options *options)
{
    asnap_text_string(text, name);
    if (trace != NULL)
        write_block(text, snapshot, trace, options);
    else
        asnap_text_string(text, "null");
}

struct asnap_error *asnap_errors_json(const struct asnap_snapshot *snapshot,
                                      const struct asnap_errors *errors,
                                      const struct asnap_render_options *options, char **text)
{
    struct asnap_mistakes mistakes;
    struct asnap_error *error = asnap_mistakes_init(&mistakes, snapshot, errors, options);
    if (error != NULL)
        return error;
    struct asnap_text json = {0};
    asnap_text_string(&json, "{\"errors\":[");
    for (size_t i = 0; i < mistakes.shown; i++) {
        struct asnap_mistake mistake = asnap_mistake_at(&mistakes, i);
        asnap_text_string(&json, i == 0 ? "" : ",");
        asnap_text_string(&json, mistake.freed != NULL ? "{\"kind\":\"freed twice\""
                                                       : "{\"kind\":\"unknown\"");
        write_event(&json, ",\"again\":", snapshot, mistake.again, options);
        write_event(&json, ",\"freed\":", snapshot, mistake.freed, options);
        write_event(&json, ",\"allocated\":", snapshot, mistake.allocated, options);
        asnap_origin_json_ago(&json, "again_ago", mistake.again, mistakes.now);
        asnap_text_string(&json, "}");
    }
    asnap_json_field(&json, "],\"rows\":", mistakes.count);
    asnap_json_field(&json, ",\"freed_twice\":", errors->twice_count);
    asnap_json_field(&json, ",\"unknown\":", errors->unknown_count);
    asnap_origin_json_start(&json, snapshot);
    write_notes(&json, snapshot);
    return asnap_text_finish(&json, text);
}
