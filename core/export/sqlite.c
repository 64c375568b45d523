/* A database of SQLite: docs/export-sqlite.md has its tables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "database_blocks.h"
#include "export_kinds.h"
#include "frame_rows.h"
#include "grow.h"
#include "stack_sums.h"

/* The version of the tables below: a reader can go by it. */
static const char schema[] =
    "PRAGMA application_id = 0x61736e70;" /* "asnp" */
    "PRAGMA user_version = 1;"
    "CREATE TABLE snapshots (id INTEGER PRIMARY KEY, size INTEGER NOT NULL,"
    " count INTEGER NOT NULL, traceback_limit INTEGER NOT NULL, start REAL, sample_period INTEGER);"
    "CREATE TABLE notes (snapshot INTEGER NOT NULL, note TEXT NOT NULL);"
    "CREATE TABLE domains (snapshot INTEGER NOT NULL, domain INTEGER NOT NULL, name TEXT NOT NULL);"
    "CREATE TABLE modules (id INTEGER PRIMARY KEY, path TEXT, build_id TEXT);"
    "CREATE TABLE mappings (snapshot INTEGER NOT NULL, start INTEGER NOT NULL,"
    " stop INTEGER NOT NULL, file_offset INTEGER, path TEXT, build_id TEXT);"
    "CREATE TABLE frames (id INTEGER PRIMARY KEY, function TEXT, filename TEXT,"
    " lineno INTEGER NOT NULL, inlined INTEGER NOT NULL, named_by TEXT NOT NULL, module INTEGER,"
    " offset INTEGER);"
    "CREATE TABLE stacks (id INTEGER PRIMARY KEY, frame INTEGER NOT NULL, frames TEXT NOT NULL,"
    " is_cut INTEGER NOT NULL);"
    "CREATE TABLE blocks (id INTEGER PRIMARY KEY, snapshot INTEGER NOT NULL,"
    " address INTEGER NOT NULL, size INTEGER NOT NULL, weight NUMERIC NOT NULL,"
    " stack INTEGER NOT NULL, domain INTEGER NOT NULL, thread INTEGER, time REAL, reach TEXT, type "
    "TEXT);"
    "CREATE VIEW stack_frames AS SELECT stacks.id AS stack, place.key AS depth,"
    " place.value AS frame FROM stacks, json_each(stacks.frames) AS place;"
    "CREATE VIEW block_lines AS SELECT blocks.*, frames.filename, frames.lineno, frames.function,"
    " modules.path AS module FROM blocks JOIN stacks ON stacks.id = blocks.stack"
    " JOIN frames ON frames.id = stacks.frame LEFT JOIN modules ON modules.id = frames.module;";

enum { SNAPSHOTS = ASNAP_SUMS };

struct contents {
    const struct asnap_export_job *job;
    struct asnap_database database;
    struct asnap_strings strings;
    struct asnap_frame_rows frames;
    struct asnap_stack_sums stacks;
    const struct asnap_snapshot *snapshots[SNAPSHOTS]; /* the older one first */
    uint32_t snapshot_count;
    uint32_t *by_traceback[SNAPSHOTS]; /* the stack of each traceback */
    uint32_t *skipped;                 /* frames of each stack that are passed over */
    char *text;                        /* the frames of a stack */
    size_t text_capacity;
};

/* ---- what is small ---- */

static void write_snapshot(struct contents *contents, uint32_t number)
{
    struct asnap_database *database = &contents->database;
    const struct asnap_snapshot *snapshot = contents->snapshots[number];
    uint64_t start = asnap_snapshot_start_time(snapshot);
    uint64_t period = asnap_snapshot_sample_period(snapshot);
    sqlite3_stmt *insert =
        asnap_database_prepare(database, "INSERT INTO snapshots VALUES (?, ?, ?, ?, ?, ?)");
    asnap_bind_number(database, insert, 1, number + 1);
    asnap_bind_number(database, insert, 2, asnap_snapshot_size(snapshot));
    asnap_bind_number(database, insert, 3, asnap_snapshot_count(snapshot));
    asnap_bind_number(database, insert, 4, asnap_snapshot_traceback_limit(snapshot));
    if (start != 0)
        asnap_bind_real(database, insert, 5, (double)start / 1e9);
    if (period != 0)
        asnap_bind_number(database, insert, 6, period);
    asnap_database_step(database, insert);
    sqlite3_finalize(insert);
}

/* Inserts a text, which must not be empty, with the number of its snapshot before it. */
static void write_text(struct contents *contents, sqlite3_stmt *insert, int place, uint32_t number,
                       uint32_t id)
{
    size_t size;
    const char *text = asnap_strings_get(&contents->strings, id, &size);
    asnap_bind_number(&contents->database, insert, 1, number + 1);
    asnap_bind_text(&contents->database, insert, place, text, size);
    asnap_database_step(&contents->database, insert);
}

static struct asnap_error *write_notes(struct contents *contents, uint32_t number)
{
    const struct asnap_snapshot *snapshot = contents->snapshots[number];
    const struct asnap_graph *graph = contents->job->options->graph;
    bool has_graph = graph != NULL && number + 1 == contents->snapshot_count;
    size_t of_graph = has_graph ? asnap_graph_note_count(graph) : 0;
    size_t count = of_graph + asnap_snapshot_note_count(snapshot);
    struct asnap_error *error = NULL;
    sqlite3_stmt *insert =
        asnap_database_prepare(&contents->database, "INSERT INTO notes VALUES (?, ?)");
    for (size_t i = 0; error == NULL && i < count; i++) {
        uint32_t id;
        asnap_strings_text(&contents->strings, i < of_graph
                                                   ? asnap_graph_note(graph, i)
                                                   : asnap_snapshot_note(snapshot, i - of_graph));
        error = asnap_strings_end(&contents->strings, &id);
        if (error == NULL)
            write_text(contents, insert, 2, number, id);
    }
    sqlite3_finalize(insert);
    return error;
}

static struct asnap_error *add_name(struct contents *contents, const char *name, uint32_t *id)
{
    asnap_strings_name(&contents->strings, name, "");
    return asnap_strings_end(&contents->strings, id);
}

static struct asnap_error *write_domains(struct contents *contents, uint32_t number)
{
    const struct asnap_snapshot *snapshot = contents->snapshots[number];
    struct asnap_error *error = NULL;
    sqlite3_stmt *insert =
        asnap_database_prepare(&contents->database, "INSERT INTO domains VALUES (?, ?, ?)");
    for (size_t i = 0; error == NULL && i < asnap_snapshot_domain_count(snapshot); i++) {
        uint32_t id;
        uint32_t domain = asnap_snapshot_domain(snapshot, i);
        error = add_name(contents, asnap_snapshot_domain_name(snapshot, domain), &id);
        asnap_bind_number(&contents->database, insert, 2, domain);
        if (error == NULL)
            write_text(contents, insert, 3, number, id);
    }
    sqlite3_finalize(insert);
    return error;
}

static struct asnap_error *write_mappings(struct contents *contents, uint32_t number)
{
    struct asnap_database *database = &contents->database;
    const struct asnap_snapshot *snapshot = contents->snapshots[number];
    struct asnap_error *error = NULL;
    sqlite3_stmt *insert =
        asnap_database_prepare(database, "INSERT INTO mappings VALUES (?, ?, ?, ?, ?, ?)");
    for (size_t i = 0; error == NULL && i < asnap_snapshot_mapping_count(snapshot); i++) {
        struct asnap_mapping mapping = asnap_snapshot_mapping(snapshot, i);
        uint32_t path;
        uint32_t build_id = 0;
        error = add_name(contents, mapping.path, &path);
        if (error == NULL)
            error = add_name(contents, mapping.build_id, &build_id);
        if (error != NULL)
            break;
        asnap_bind_number(database, insert, 1, number + 1);
        asnap_bind_number(database, insert, 2, mapping.start);
        asnap_bind_number(database, insert, 3, mapping.end);
        if (mapping.file_offset == ASNAP_WHOLE_FILE)
            asnap_bind_null(database, insert, 4);
        else
            asnap_bind_number(database, insert, 4, mapping.file_offset);
        asnap_bind_string(database, insert, 5, &contents->strings, path);
        asnap_bind_string(database, insert, 6, &contents->strings, build_id);
        asnap_database_step(database, insert);
    }
    sqlite3_finalize(insert);
    return error;
}

/* ---- frames and stacks ---- */

static void write_modules(struct contents *contents)
{
    struct asnap_database *database = &contents->database;
    sqlite3_stmt *insert = asnap_database_prepare(database, "INSERT INTO modules VALUES (?, ?, ?)");
    for (uint32_t i = 0; i < contents->frames.module_count; i++) {
        const struct asnap_module_row *row = &contents->frames.modules[i];
        asnap_bind_number(database, insert, 1, i + 1);
        asnap_bind_string(database, insert, 2, &contents->strings, row->path);
        asnap_bind_string(database, insert, 3, &contents->strings, row->build_id);
        asnap_database_step(database, insert);
    }
    sqlite3_finalize(insert);
}

static void write_frames(struct contents *contents)
{
    struct asnap_database *database = &contents->database;
    sqlite3_stmt *insert =
        asnap_database_prepare(database, "INSERT INTO frames VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    for (uint32_t i = 0; i < contents->frames.frame_count; i++) {
        const struct asnap_frame_row *row = &contents->frames.frames[i];
        asnap_bind_number(database, insert, 1, i + 1);
        asnap_bind_string(database, insert, 2, &contents->strings, row->function);
        asnap_bind_string(database, insert, 3, &contents->strings, row->filename);
        asnap_bind_number(database, insert, 4, row->lineno);
        asnap_bind_number(database, insert, 5, row->inlined);
        asnap_bind_literal(database, insert, 6, asnap_named_by_text((uint8_t)row->named_by));
        if (row->module == ASNAP_NONE)
            asnap_bind_null(database, insert, 7);
        else
            asnap_bind_number(database, insert, 7, row->module + 1);
        if (row->offset == 0)
            asnap_bind_null(database, insert, 8);
        else
            asnap_bind_number(database, insert, 8, row->offset);
        asnap_database_step(database, insert);
    }
    sqlite3_finalize(insert);
}

/* "[3,1,2]", the most recent frame first. */
static struct asnap_error *list_frames(struct contents *contents, const uint32_t *labels,
                                       uint32_t count, size_t *size)
{
    enum { DIGITS = 12 };
    size_t needed = (size_t)count * DIGITS + DIGITS;
    char *text = asnap_grow(contents->text, &contents->text_capacity, needed, 1);
    if (text == NULL)
        return asnap_error_no_memory();
    contents->text = text;
    *size = 0;
    text[(*size)++] = '[';
    for (uint32_t i = count; i > 0; i--) {
        char digits[DIGITS];
        int place = DIGITS;
        uint32_t number = labels[i - 1] + 1;
        if (i != count)
            text[(*size)++] = ',';
        do {
            digits[--place] = (char)('0' + number % 10);
            number /= 10;
        } while (number != 0);
        memcpy(text + *size, digits + place, (size_t)(DIGITS - place));
        *size += (size_t)(DIGITS - place);
    }
    text[(*size)++] = ']';
    return NULL;
}

static struct asnap_error *write_stack(struct contents *contents, sqlite3_stmt *insert, size_t i)
{
    struct asnap_database *database = &contents->database;
    const struct asnap_summed_stack *stack = &contents->stacks.stacks[i];
    const uint32_t *labels = contents->stacks.labels + stack->first;
    uint32_t count = stack->label_count;
    size_t size = 0;
    bool is_cut = labels[0] == ASNAP_NONE;
    struct asnap_error *error = list_frames(contents, labels + is_cut, count - is_cut, &size);
    if (error != NULL)
        return error;
    asnap_bind_number(database, insert, 1, i + 1);
    asnap_bind_number(database, insert, 2, (uint64_t)labels[count - 1 - contents->skipped[i]] + 1);
    asnap_bind_text(database, insert, 3, contents->text, size);
    asnap_bind_number(database, insert, 4, is_cut);
    asnap_database_step(database, insert);
    return NULL;
}

/* How many frames are passed over, of each stack. */
static struct asnap_error *find_skipped(struct contents *contents)
{
    contents->skipped = calloc(contents->stacks.count + 1, sizeof(*contents->skipped));
    if (contents->skipped == NULL)
        return asnap_error_no_memory();
    for (uint32_t number = 0; number < contents->snapshot_count; number++) {
        const struct asnap_snapshot *snapshot = contents->snapshots[number];
        size_t count = asnap_snapshot_traceback_count(snapshot);
        for (size_t i = 0; i < count; i++) {
            uint32_t stack = contents->by_traceback[number][i];
            if (stack != ASNAP_NONE)
                contents->skipped[stack] = asnap_snapshot_skipped_frames(snapshot, (uint32_t)i);
        }
    }
    return NULL;
}

static struct asnap_error *write_stacks(struct contents *contents)
{
    size_t count = contents->stacks.count;
    struct asnap_error *error = find_skipped(contents);
    sqlite3_stmt *insert =
        asnap_database_prepare(&contents->database, "INSERT INTO stacks VALUES (?, ?, ?, ?)");
    for (size_t i = 0; error == NULL && i < count && asnap_export_goes_on(contents->job, i, count);
         i++)
        error = write_stack(contents, insert, i);
    sqlite3_finalize(insert);
    return error;
}

/* ---- all of it ---- */

static struct asnap_error *write_blocks(struct contents *contents, uint32_t number)
{
    bool is_last = number + 1 == contents->snapshot_count;
    const struct asnap_database_blocks blocks = {
        .job = contents->job,
        .database = &contents->database,
        .strings = &contents->strings,
        .snapshot = contents->snapshots[number],
        .number = number + 1,
        .stacks = contents->by_traceback[number],
        .graph = is_last ? contents->job->options->graph : NULL,
    };
    return asnap_database_blocks_write(&blocks);
}

static struct asnap_error *collect(struct contents *contents)
{
    struct asnap_error *error = NULL;
    uint32_t empty;
    if (contents->job->options->old_snapshot != NULL)
        contents->snapshots[contents->snapshot_count++] = contents->job->options->old_snapshot;
    contents->snapshots[contents->snapshot_count++] = contents->job->snapshot;
    error = add_name(contents, "", &empty);
    for (uint32_t number = 0; error == NULL && number < contents->snapshot_count; number++) {
        uint32_t *labels;
        error = asnap_frame_rows_add(&contents->frames, contents->snapshots[number], &labels);
        if (error != NULL)
            break;
        error = asnap_stack_sums_add(&contents->stacks, contents->snapshots[number], labels,
                                     ASNAP_NONE, (int)number, &contents->by_traceback[number]);
        free(labels);
    }
    return error;
}

static struct asnap_error *write_contents(struct contents *contents)
{
    struct asnap_error *error = NULL;
    write_modules(contents);
    write_frames(contents);
    error = write_stacks(contents);
    for (uint32_t number = 0; error == NULL && number < contents->snapshot_count; number++) {
        write_snapshot(contents, number);
        error = write_notes(contents, number);
        if (error == NULL)
            error = write_domains(contents, number);
        if (error == NULL)
            error = write_mappings(contents, number);
        if (error == NULL)
            error = write_blocks(contents, number);
    }
    return error;
}

struct asnap_error *asnap_export_sqlite(const struct asnap_export_job *job)
{
    struct contents contents = {.job = job};
    contents.frames.strings = &contents.strings;
    struct asnap_error *error = collect(&contents);
    if (error == NULL) {
        asnap_database_open(&contents.database, job->out->file, schema);
        error = write_contents(&contents);
        struct asnap_error *failed = asnap_database_close(&contents.database);
        if (error == NULL)
            error = failed;
        else
            asnap_error_destroy(failed);
    }
    asnap_frame_rows_deinit(&contents.frames);
    asnap_stack_sums_deinit(&contents.stacks);
    asnap_strings_deinit(&contents.strings);
    for (uint32_t number = 0; number < SNAPSHOTS; number++)
        free(contents.by_traceback[number]);
    free(contents.skipped);
    free(contents.text);
    return error;
}
