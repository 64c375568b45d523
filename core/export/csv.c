/* CSV (RFC 4180): a row for the blocks of one stack that are alike, those with most bytes first. */
#include <stdlib.h>
#include <string.h>

#include "age_steps.h"
#include "block_sums.h"
#include "export_kinds.h"
#include "frame_labels.h"
#include "grow.h"
#include "order.h"

static const char header[] = "size,count,sampled,block_size,domain,domain_name,thread,age,reach,"
                             "filename,lineno,function,module,"
                             "build_id,offset,named_by,total_nframe,traceback\r\n";

/* The names of a frame, as strings. */
struct names {
    uint32_t filename; /* ASNAP_NONE: none of them was looked at */
    uint32_t function;
    uint32_t module;
    uint32_t build_id;
};

/* The cells of a stack, which end a row, among the kept bytes. */
struct tail {
    uint32_t offset;
    uint32_t size; /* 0: they are not kept */
};

/* Stacks that have rows are looked at again and again: so much of them is kept. */
#define KEPT_MAX ((size_t)16 << 20)
#define TAIL_MAX ((size_t)16 << 10)

struct table {
    const struct asnap_export_job *job;
    const struct asnap_snapshot *snapshot;
    struct asnap_file_writer *out;
    struct asnap_strings strings;
    uint32_t *labels; /* of frames, for stacks */
    struct names *names;
    struct tail *tails; /* of each traceback */
    char *kept;
    size_t kept_size;
    size_t kept_capacity;
};

/* ---- cells ---- */

static void write_quoted(struct asnap_file_writer *out, const char *text, size_t size)
{
    const char *quote;
    while ((quote = memchr(text, '"', size)) != NULL) {
        size_t part = (size_t)(quote - text) + 1;
        asnap_write_bytes(out, text, part);
        asnap_write_byte(out, '"');
        text += part;
        size -= part;
    }
    asnap_write_bytes(out, text, size);
}

/* Whether a spreadsheet might calculate a cell that begins so: = + - @, of full width too. What
 * begins with an apostrophe gets one more, so that all can be taken off again. */
static bool is_formula(const char *text, size_t size)
{
    static const char *const wide[] = {"\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d",
                                       "\xef\xbc\xa0"};
    if (size > 0 && strchr("=+-@'", text[0]) != NULL)
        return true;
    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
        if (size >= 3 && memcmp(text, wide[i], 3) == 0)
            return true;
    }
    return false;
}

/* The first bytes of a cell of text. */
static void begin_text(struct asnap_file_writer *out, const char *text, size_t size)
{
    asnap_write_byte(out, '"');
    if (is_formula(text, size))
        asnap_write_byte(out, '\'');
}

static void write_text(struct table *table, uint32_t id)
{
    size_t size;
    const char *text = asnap_strings_get(&table->strings, id, &size);
    if (size != 0) {
        begin_text(table->out, text, size);
        write_quoted(table->out, text, size);
        asnap_write_byte(table->out, '"');
    }
    asnap_write_byte(table->out, ',');
}

static void write_literal(struct table *table, const char *text)
{
    if (text != NULL)
        asnap_write_string(table->out, text);
    asnap_write_byte(table->out, ',');
}

static void write_number(struct table *table, bool is_known, uint64_t number)
{
    if (is_known)
        asnap_write_number(table->out, number);
    asnap_write_byte(table->out, ',');
}

/* ---- rows ---- */

static struct asnap_error *add_name(struct table *table, const char *name, uint32_t *id)
{
    asnap_strings_name(&table->strings, name == NULL ? "" : name, "");
    return asnap_strings_end(&table->strings, id);
}

static struct asnap_error *find_names(struct table *table, uint32_t frame_id,
                                      const struct asnap_frame *frame,
                                      const struct asnap_place *place, struct names **names)
{
    struct names *found = *names = &table->names[frame_id];
    if (found->filename != ASNAP_NONE)
        return NULL;
    struct asnap_error *error = add_name(table, frame->function, &found->function);
    if (error == NULL)
        error = add_name(table, place->module, &found->module);
    if (error == NULL)
        error = add_name(table, place->build_id, &found->build_id);
    return error != NULL ? error : add_name(table, frame->filename, &found->filename);
}

/* The frame that the blocks of a stack are attributed to. */
static struct asnap_error *write_frame(struct table *table, uint32_t traceback_id)
{
    const struct asnap_snapshot *snapshot = table->snapshot;
    const struct asnap_traceback *traceback = &asnap_snapshot_tracebacks(snapshot)[traceback_id];
    uint32_t frame_id = asnap_snapshot_frame_ids(
        snapshot)[traceback->first + asnap_snapshot_skipped_frames(snapshot, traceback_id)];
    struct asnap_frame frame = asnap_snapshot_frame(snapshot, frame_id);
    struct asnap_place place = asnap_snapshot_place(snapshot, frame_id);
    struct names *names;
    struct asnap_error *error = find_names(table, frame_id, &frame, &place, &names);
    if (error != NULL)
        return error;
    write_text(table, names->filename);
    write_number(table, true, frame.lineno);
    write_text(table, names->function);
    write_text(table, names->module);
    write_text(table, names->build_id);
    write_number(table, place.offset != 0, place.offset);
    write_literal(table, asnap_named_by_text(frame.named_by));
    write_number(table, traceback->total_nframe != ASNAP_TOTAL_UNKNOWN, traceback->total_nframe);
    return NULL;
}

/* The functions of a stack, the oldest first. */
static void write_stack(struct table *table, uint32_t traceback_id)
{
    const struct asnap_traceback *traceback =
        &asnap_snapshot_tracebacks(table->snapshot)[traceback_id];
    const uint32_t *frames = asnap_snapshot_frame_ids(table->snapshot) + traceback->first;
    for (uint32_t i = traceback->frame_count; i > 0; i--) {
        size_t size;
        const char *text = asnap_strings_get(&table->strings, table->labels[frames[i - 1]], &size);
        if (i == traceback->frame_count)
            begin_text(table->out, text, size);
        else
            asnap_write_byte(table->out, ';');
        write_quoted(table->out, text, size);
    }
    asnap_write_string(table->out, "\"\r\n");
}

/* Keeps what was written from that place of the buffer on, if there is room. */
static struct asnap_error *keep_tail(struct table *table, size_t start, struct tail *tail)
{
    size_t size = table->out->used - start;
    if (table->kept_size + size > KEPT_MAX)
        return NULL;
    char *grown = asnap_grow(table->kept, &table->kept_capacity, table->kept_size + size, 1);
    if (grown == NULL)
        return asnap_error_no_memory();
    table->kept = grown;
    memcpy(grown + table->kept_size, table->out->buffer + start, size);
    *tail = (struct tail){(uint32_t)table->kept_size, (uint32_t)size};
    table->kept_size += size;
    return NULL;
}

static struct asnap_error *write_tail(struct table *table, uint32_t traceback_id)
{
    struct asnap_file_writer *out = table->out;
    struct tail *tail = &table->tails[traceback_id];
    if (tail->size != 0) {
        asnap_write_bytes(out, table->kept + tail->offset, tail->size);
        return NULL;
    }
    size_t start = (size_t)(asnap_write_begin(out, TAIL_MAX) - out->buffer);
    uint64_t written = out->written;
    struct asnap_error *error = write_frame(table, traceback_id);
    if (error != NULL)
        return error;
    write_stack(table, traceback_id);
    /* Of one that is larger than the room, the beginning is not in the buffer any more. */
    return out->written == written ? keep_tail(table, start, tail) : NULL;
}

static struct asnap_error *write_row(struct table *table, const struct asnap_block_sum *sum)
{
    uint32_t domain_name;
    uint32_t thread = asnap_snapshot_thread(table->snapshot, sum->thread);
    struct asnap_error *error =
        add_name(table, asnap_snapshot_domain_name(table->snapshot, sum->domain), &domain_name);
    if (error != NULL)
        return error;
    write_number(table, true, sum->total_size);
    write_number(table, true, sum->total_count);
    write_number(table, asnap_snapshot_sample_period(table->snapshot) != 0, sum->count);
    write_number(table, true, sum->size);
    write_number(table, true, sum->domain);
    write_text(table, domain_name);
    write_number(table, thread != 0, thread);
    write_literal(table, sum->age == 0 ? NULL : asnap_age_steps[sum->age].label);
    write_literal(table, asnap_reach_class_text(sum->reach));
    return write_tail(table, sum->traceback);
}

static uint64_t key(const void *context, uint32_t item, uint32_t level)
{
    const struct asnap_block_sum *sum = (const struct asnap_block_sum *)context + item;
    if (level == 0)
        return sum->total_size;
    return level == 1 ? sum->total_count : UINT32_MAX - item;
}

static struct asnap_error *write_rows(struct table *table, const struct asnap_block_sum *sums,
                                      size_t count)
{
    uint32_t *order;
    struct asnap_order_keys keys = {.key = key, .context = sums, .levels = 3};
    struct asnap_error *error = asnap_order_create(&keys, (uint32_t)count, &order);
    if (error != NULL)
        return error;
    asnap_write_string(table->out, header);
    for (size_t i = 0; error == NULL && i < count && asnap_export_goes_on(table->job, i, count);
         i++)
        error = write_row(table, &sums[order[i]]);
    free(order);
    return error;
}

static struct asnap_error *prepare(struct table *table)
{
    size_t frame_count = asnap_snapshot_frame_count(table->snapshot);
    table->names = calloc(frame_count + 1, sizeof(*table->names));
    table->tails =
        calloc(asnap_snapshot_traceback_count(table->snapshot) + 1, sizeof(*table->tails));
    if (table->names == NULL || table->tails == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < frame_count; i++)
        table->names[i].filename = ASNAP_NONE;
    return asnap_frame_functions(table->snapshot, &table->strings, ";", &table->labels);
}

struct asnap_error *asnap_export_csv(const struct asnap_export_job *job)
{
    struct table table = {.job = job, .snapshot = job->snapshot, .out = job->out};
    struct asnap_block_sum *sums = NULL;
    size_t count;
    struct asnap_error *error = prepare(&table);
    if (error == NULL)
        error = asnap_block_sums_create(job, &sums, &count);
    if (error == NULL)
        error = write_rows(&table, sums, count);
    free(sums);
    free(table.names);
    free(table.tails);
    free(table.kept);
    free(table.labels);
    asnap_strings_deinit(&table.strings);
    return error;
}
