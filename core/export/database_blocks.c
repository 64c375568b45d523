/* SQLite fetches the rows from a table of ours (sqlite.org/vtab.html): one statement inserts them
 * all, in two thirds of the time of statements whose values are bound. */
#include "database_blocks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block_reach.h"

static const char table[] = "CREATE TABLE given (address, size, weight, stack, domain, thread, "
                            "time, reach, type)";

/* What is the same in all rows is asked for once. */
static const char insert[] =
    "INSERT INTO blocks (snapshot, address, size, weight, stack, domain, thread, time, reach, type)"
    " SELECT %" PRIu32 ", address, size, %s, stack, %s, %s, %s, %s, %s FROM given_blocks";

/* In the order of the table. */
enum column { ADDRESS, SIZE, WEIGHT, STACK, DOMAIN, THREAD, TIME, REACH, TYPE };

/* Where the one statement is. */
struct rows {
    const struct asnap_database_blocks *blocks;
    const struct asnap_trace *traces;
    uint64_t count;
    uint64_t period; /* of the sample that they are */
    uint64_t place;
    uint32_t next;     /* of asnap_block_reach */
    const char *reach; /* of the row at the place */
    struct asnap_error *error;
    bool is_over;
};

/* The table as SQLite has it, and its cursor. */
struct given {
    sqlite3_vtab base;
    struct rows *rows;
};

static struct rows *rows_of(sqlite3_vtab_cursor *cursor)
{
    return ((struct given *)cursor->pVtab)->rows;
}

static int connect_table(sqlite3 *connection, void *context, int count, const char *const *words,
                         sqlite3_vtab **made, char **message)
{
    (void)count;
    (void)words;
    (void)message;
    struct given *given = sqlite3_malloc(sizeof(*given));
    if (given == NULL)
        return SQLITE_NOMEM;
    memset(given, 0, sizeof(*given));
    given->rows = context;
    *made = &given->base;
    return sqlite3_declare_vtab(connection, table);
}

static int disconnect_table(sqlite3_vtab *made)
{
    sqlite3_free(made);
    return SQLITE_OK;
}

/* There is one way to read it: from its start. */
static int plan(sqlite3_vtab *made, sqlite3_index_info *info)
{
    (void)made;
    (void)info;
    return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *made, sqlite3_vtab_cursor **cursor)
{
    (void)made;
    *cursor = sqlite3_malloc(sizeof(**cursor));
    if (*cursor == NULL)
        return SQLITE_NOMEM;
    memset(*cursor, 0, sizeof(**cursor));
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *cursor)
{
    sqlite3_free(cursor);
    return SQLITE_OK;
}

/* Comes to the row at the place; where the caller wants no more, there is none. */
static int begin_row(struct rows *rows)
{
    const struct asnap_database_blocks *blocks = rows->blocks;
    if (rows->place >= rows->count || rows->error != NULL ||
        !asnap_export_goes_on(blocks->job, rows->place, rows->count)) {
        rows->is_over = true;
        return SQLITE_OK;
    }
    rows->reach = asnap_reach_class_text(
        asnap_block_reach(blocks->graph, &rows->traces[rows->place], &rows->next));
    return SQLITE_OK;
}

static int begin_rows(sqlite3_vtab_cursor *cursor, int number, const char *name, int count,
                      sqlite3_value **values)
{
    (void)number;
    (void)name;
    (void)count;
    (void)values;
    return begin_row(rows_of(cursor));
}

static int next_row(sqlite3_vtab_cursor *cursor)
{
    rows_of(cursor)->place++;
    return begin_row(rows_of(cursor));
}

static int is_over(sqlite3_vtab_cursor *cursor)
{
    return rows_of(cursor)->is_over;
}

/* The name of a type is printable in the database. */
static void give_type(struct rows *rows, const struct asnap_trace *trace, sqlite3_context *result)
{
    struct asnap_strings *strings = rows->blocks->strings;
    const char *type = asnap_snapshot_class(rows->blocks->snapshot, trace);
    uint32_t id;
    size_t size;
    if (type == NULL || rows->error != NULL)
        return;
    asnap_strings_name(strings, type, "");
    rows->error = asnap_strings_end(strings, &id);
    if (rows->error != NULL)
        return;
    const char *text = asnap_strings_get(strings, id, &size);
    sqlite3_result_text64(result, text, size, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static void give_weight(const struct rows *rows, const struct asnap_trace *trace,
                        sqlite3_context *result)
{
    if (rows->period == 0)
        sqlite3_result_int64(result, 1);
    else
        sqlite3_result_double(result, asnap_block_estimate(trace->size, rows->period).count);
}

/* What has no value is NULL. */
static int give_value(sqlite3_vtab_cursor *cursor, sqlite3_context *result, int column)
{
    struct rows *rows = rows_of(cursor);
    const struct asnap_database_blocks *blocks = rows->blocks;
    const struct asnap_trace *trace = &rows->traces[rows->place];
    uint32_t thread = 0;
    switch ((enum column)column) {
    case ADDRESS:
        sqlite3_result_int64(result, (sqlite3_int64)trace->address);
        break;
    case SIZE:
        sqlite3_result_int64(result, (sqlite3_int64)trace->size);
        break;
    case WEIGHT:
        give_weight(rows, trace, result);
        break;
    case STACK:
        sqlite3_result_int64(result, (sqlite3_int64)blocks->stacks[trace->traceback_id] + 1);
        break;
    case DOMAIN:
        sqlite3_result_int64(result, trace->domain);
        break;
    case THREAD:
        thread = asnap_snapshot_thread(blocks->snapshot, trace->thread);
        if (thread != 0)
            sqlite3_result_int64(result, thread);
        break;
    case TIME:
        if (trace->time != ASNAP_TIME_UNKNOWN)
            sqlite3_result_double(result, (double)trace->time / (double)ASNAP_TIMES_PER_SECOND);
        break;
    case REACH:
        if (rows->reach != NULL)
            sqlite3_result_text(result, rows->reach, -1, SQLITE_STATIC);
        break;
    case TYPE:
        give_type(rows, trace, result);
        break;
    }
    return SQLITE_OK;
}

static int row_number(sqlite3_vtab_cursor *cursor, sqlite3_int64 *number)
{
    *number = (sqlite3_int64)rows_of(cursor)->place;
    return SQLITE_OK;
}

static const sqlite3_module module = {
    .iVersion = 1,
    .xConnect = connect_table,
    .xBestIndex = plan,
    .xDisconnect = disconnect_table,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = begin_rows,
    .xNext = next_row,
    .xEof = is_over,
    .xColumn = give_value,
    .xRowid = row_number,
};

/* Whether a column is the same in all rows. */
struct sameness {
    bool domain;
    bool thread;
    bool time;
    bool type;
};

/* Finds the columns that have 0 or nothing in all rows. */
static struct sameness find_same(const struct rows *rows)
{
    const struct asnap_snapshot *snapshot = rows->blocks->snapshot;
    struct sameness same = {true, true, true, true};
    for (uint64_t i = 0; i < rows->count; i++) {
        const struct asnap_trace *trace = &rows->traces[i];
        same.domain = same.domain && trace->domain == 0;
        same.thread = same.thread && asnap_snapshot_thread(snapshot, trace->thread) == 0;
        same.time = same.time && trace->time == ASNAP_TIME_UNKNOWN;
        same.type = same.type && asnap_snapshot_class(snapshot, trace) == NULL;
    }
    return same;
}

struct asnap_error *asnap_database_blocks_write(const struct asnap_database_blocks *blocks)
{
    struct rows rows = {
        .blocks = blocks,
        .count = asnap_snapshot_count(blocks->snapshot),
        .period = asnap_snapshot_sample_period(blocks->snapshot),
    };
    struct asnap_error *error = asnap_snapshot_traces(blocks->snapshot, &rows.traces);
    if (error != NULL)
        return error;
    asnap_database_module(blocks->database, "given_blocks", &module, &rows);
    struct sameness same = find_same(&rows);
    char statement[sizeof(insert) + 128];
    snprintf(statement, sizeof(statement), insert, blocks->number,
             rows.period == 0 ? "1" : "weight", same.domain ? "0" : "domain",
             same.thread ? "NULL" : "thread", same.time ? "NULL" : "time",
             blocks->graph == NULL ? "NULL" : "reach", same.type ? "NULL" : "type");
    asnap_database_run(blocks->database, statement);
    asnap_database_module(blocks->database, "given_blocks", NULL, NULL);
    return rows.error;
}
