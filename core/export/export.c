#include <stdlib.h>

#include "export_kinds.h"

struct export_kind {
    struct asnap_export_description description;
    struct asnap_error *(*write)(const struct asnap_export_job *job);
    /* Of what writes its file by itself. */
    struct asnap_error *(*write_path)(const struct asnap_snapshot *snapshot, const char *path);
};

static struct asnap_error *write_tracemalloc(const struct asnap_snapshot *snapshot,
                                             const char *path)
{
    return asnap_snapshot_dump_tracemalloc(snapshot, path, NULL, 0);
}

static const struct export_kind kinds[] = {
    [ASNAP_EXPORT_FOLDED] =
        {
            .description = {.name = "folded",
                            .endings = ".folded,.collapsed",
                            .what = "folded stacks, for flame graphs",
                            .compares = true},
            .write = asnap_export_folded,
        },
    [ASNAP_EXPORT_HEAPSNAPSHOT] =
        {
            .description = {.name = "heapsnapshot",
                            .endings = ".heapsnapshot",
                            .what = "blocks and pointers, for Chrome DevTools",
                            .needs_graph = true},
            .write = asnap_export_heapsnapshot,
        },
    [ASNAP_EXPORT_TRACEMALLOC] =
        {
            .description = {.name = "tracemalloc",
                            .endings = "",
                            .what = "a pickle for Python's tracemalloc"},
            .write_path = write_tracemalloc,
        },
    [ASNAP_EXPORT_PPROF] =
        {
            .description = {.name = "pprof",
                            .endings = ".pb.gz,.pprof",
                            .what = "a profile, for go tool pprof",
                            .has_totals = true},
            .write = asnap_export_pprof,
        },
    [ASNAP_EXPORT_CSV] =
        {
            .description = {.name = "csv", .endings = ".csv", .what = "a table, for spreadsheets"},
            .write = asnap_export_csv,
        },
    [ASNAP_EXPORT_SQLITE] =
        {
            .description = {.name = "sqlite",
                            .endings = ".sqlite,.db",
                            .what = "a database, for questions of one's own",
                            .compares = true},
            .write = asnap_export_sqlite,
        },
    [ASNAP_EXPORT_SPEEDSCOPE] =
        {
            .description = {.name = "speedscope",
                            .endings = ".speedscope.json",
                            .what = "a profile, for speedscope",
                            .compares = true},
            .write = asnap_export_speedscope,
        },
    [ASNAP_EXPORT_REPORT] =
        {
            .description = {.name = "report",
                            .endings = ".html",
                            .what = "a page to look at, for browsers",
                            .compares = true,
                            .needs_page = true},
            .write = asnap_export_report,
        },
    [ASNAP_EXPORT_FIREFOX] =
        {
            .description = {.name = "firefox",
                            .endings = ".profile.json",
                            .what = "a profile, for Firefox Profiler",
                            .compares = true},
            .write = asnap_export_firefox,
        },
};

const struct asnap_export_description *asnap_export_describe(enum asnap_export_format format)
{
    if ((size_t)format >= sizeof(kinds) / sizeof(kinds[0]))
        return NULL;
    return &kinds[format].description;
}

/* Checks what is asked for. */
static struct asnap_error *find_kind(const struct asnap_snapshot *snapshot,
                                     enum asnap_export_format format,
                                     const struct asnap_export_options *options,
                                     const struct export_kind **kind)
{
    const struct asnap_export_description *description = asnap_export_describe(format);
    if (description == NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "no export format %d: use one of enum asnap_export_format",
                                  (int)format);
    if (description->needs_graph && options->graph == NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_export: the format %s needs the graph of the blocks",
                                  description->name);
    if (description->needs_graph && !asnap_graph_has_pointers(options->graph))
        return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                                  "a snapshot from a file, or named later, does not have the "
                                  "pointers that the format %s is of: export it in the paused "
                                  "process, or in its core",
                                  description->name);
    if (description->needs_graph && asnap_snapshot_sample_period(snapshot) != 0)
        return asnap_error_create(
            ASNAP_ERROR_UNSUPPORTED,
            "a sample has not all the blocks, and what they keep alive cannot "
            "be told: choose another format than %s",
            description->name);
    if (description->needs_page && (options->report == NULL || options->report->page == NULL))
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_export: the format %s needs the page that it is made of",
                                  description->name);
    if (!description->compares && options->old_snapshot != NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_export: the format %s cannot compare snapshots",
                                  description->name);
    if (options->values > ASNAP_EXPORT_TEMPORARY ||
        (!description->has_totals && options->values != ASNAP_EXPORT_LIVE))
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_export: the format %s has live blocks only",
                                  description->name);
    *kind = &kinds[format];
    return NULL;
}

static struct asnap_error *write_file(struct asnap_export_job *job, const struct export_kind *kind,
                                      const char *path)
{
    struct asnap_atomic_file file;
    struct asnap_file_writer *out = malloc(sizeof(*out));
    if (out == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = asnap_atomic_file_open(&file, path);
    if (error != NULL) {
        free(out);
        return error;
    }
    out->file = &file;
    out->error = NULL;
    out->written = 0;
    out->used = 0;
    job->out = out;
    asnap_file_writer_fail(out, kind->write(job));
    error = asnap_file_writer_end(out);
    free(out);
    return asnap_atomic_file_close(&file, error);
}

struct asnap_error *asnap_export(const struct asnap_snapshot *snapshot,
                                 enum asnap_export_format format,
                                 const struct asnap_export_options *options, const char *path)
{
    static const struct asnap_export_options none;
    const struct export_kind *kind;
    if (options == NULL)
        options = &none;
    struct asnap_error *error = find_kind(snapshot, format, options, &kind);
    if (error != NULL)
        return error;
    if (kind->write_path != NULL)
        return kind->write_path(snapshot, path);
    struct asnap_export_job job = {.snapshot = snapshot, .options = options};
    return write_file(&job, kind, path);
}
