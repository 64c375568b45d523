#include "snapshot_notes.h"

#include <inttypes.h>
#include <stdio.h>

/* Adds a note about `count` things, unless there are none. `format` has one
 * PRIu64; `one` is the line for a single thing. */
static struct asnap_error *add_note(struct asnap_builder *builder, uint64_t count, const char *one,
                                    const char *many)
{
    char line[256];
    if (count == 0)
        return NULL;
    if (count == 1)
        return asnap_builder_note(builder, one);
    snprintf(line, sizeof(line), "%" PRIu64 " %s", count, many);
    return asnap_builder_note(builder, line);
}

/* What the program has overwritten in the table. */
static struct asnap_error *add_damage_notes(struct asnap_builder *builder,
                                            const struct asnap_raw *raw)
{
    char line[256];
    struct asnap_error *error = NULL;
    if (raw->bad_records != 0) {
        bool one = raw->bad_records == 1;
        snprintf(line, sizeof(line),
                 "%" PRIu64 " %s overwritten by the program (%s at 0x%" PRIx64 "): %s missing here",
                 raw->bad_records, one ? "record was" : "records were",
                 one ? "it is" : "the first is", raw->bad_record,
                 one ? "its block is" : "their blocks are");
        error = asnap_builder_note(builder, line);
    }
    if (error == NULL && raw->bad_shards != 0) {
        bool one = raw->bad_shards == 1;
        snprintf(line, sizeof(line),
                 "%" PRIu32 " of %d parts of the table %s not hold what %s (%s number %" PRIu32
                 "): the program has overwritten records there, and numbers here may be wrong",
                 raw->bad_shards, ASNAP_RAW_SHARDS, one ? "does" : "do",
                 one ? "it says" : "they say", one ? "it is" : "the first is", raw->bad_shard);
        error = asnap_builder_note(builder, line);
    }
    return error;
}

/* The first of all notes: it says what the numbers are. */
static struct asnap_error *add_sample_note(struct asnap_builder *builder, uint64_t period)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    char line[256];
    size_t unit = 0;
    if (period == 0)
        return NULL;
    for (; period % 1024 == 0 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
        period /= 1024;
    snprintf(line, sizeof(line),
             "this is a sample, of one block for each %" PRIu64 " %s that are allocated: sizes and "
             "counts are estimates, and \u00b1 is their standard error",
             period, units[unit]);
    return asnap_builder_note(builder, line);
}

struct asnap_error *asnap_snapshot_notes_add(struct asnap_builder *builder,
                                             const struct asnap_raw *raw,
                                             struct asnap_symbolizer *symbolizer,
                                             uint32_t frames_cut)
{
    struct asnap_error *error = add_sample_note(builder, raw->sample_period);
    if (error == NULL)
        error = add_note(
            builder, raw->missing_bytes,
            "1 byte of the program's memory is missing from the core file: it is truncated",
            "bytes of the program's memory are missing from the core file: it is truncated");
    for (size_t i = 0; i < raw->note_count && error == NULL; i++)
        error = asnap_builder_note(builder, raw->notes[i]);
    if (error == NULL && raw->unseen[0] != '\0')
        error = asnap_builder_note(builder, raw->unseen);
    if (error == NULL)
        error = add_note(builder, raw->dropped,
                         "1 block was not recorded, for want of memory for its record: it is "
                         "missing here",
                         "blocks were not recorded, for want of memory for their records: they are "
                         "missing here");
    if (error == NULL)
        error = add_note(builder, raw->refused,
                         "1 block of the program's own pools was refused and is missing here: too "
                         "large a size, sum or address, or too many domains (allocsnap_hooks.h)",
                         "blocks of the program's own pools were refused and are missing here: too "
                         "large a size, sum or address, or too many domains (allocsnap_hooks.h)");
    if (error == NULL)
        error = add_damage_notes(builder, raw);
    if (error == NULL)
        error = add_note(builder, raw->busy_shards,
                         "1 part of the table was being changed: the block in flight may be "
                         "missing, or here although it was freed",
                         "parts of the table were being changed: in each, the block in flight may "
                         "be missing, or here although it was freed");
    if (error == NULL)
        error = add_note(builder, raw->unreadable_bytes,
                         "1 byte of the records could not be read: the block in it is missing here",
                         "bytes of the records could not be read (a truncated core?): the blocks "
                         "in them are missing here");
    if (error == NULL)
        error = add_note(builder, raw->unreadable_nodes,
                         "1 entry of the stacks could not be read: tracebacks through it end "
                         "there; sizes and counts are right",
                         "entries of the stacks could not be read (a truncated core?): tracebacks "
                         "through them end there; sizes and counts are right");
    if (error == NULL)
        error = add_note(builder, frames_cut,
                         "stacks are cut to their most recent frame here: all of them would take "
                         "too much memory; start with a lower frame limit",
                         "frames of each stack are here, the most recent ones: all would take too "
                         "much memory; start with a lower frame limit");
    size_t count = asnap_symbolizer_note_count(symbolizer);
    for (size_t i = 0; i < count && error == NULL; i++)
        error = asnap_builder_note(builder, asnap_symbolizer_note(symbolizer, i));
    return error;
}
