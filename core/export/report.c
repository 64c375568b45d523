#include <stdlib.h>
#include <string.h>

#include "export_kinds.h"
#include "main_mapping.h"
#include "open_file.h"
#include "report_file.h"
#include "report_graph.h"
#include "report_sources.h"

/* Where the data goes in the page. */
static const char mark[] = "<!--allocsnap data-->";
static const char before[] = "<script type=\"application/octet-stream\" id=\"allocsnap-data\">\n";
static const char after[] = "</script>";

/* Browsers count exactly below this. */
#define SIZE_LIMIT ((uint64_t)1 << 53)
/* Of so many blocks the page is made in less time, and a tenth larger. */
#define MANY ((uint64_t)200000)
/* The page has some hundred KiB. */
#define PAGE_LIMIT ((size_t)16 << 20)

/* ---- the page ---- */

static struct asnap_error *bad_page(const char *path, const char *why, int number)
{
    return asnap_error_of_file(
        asnap_error_create(ASNAP_ERROR_IO,
                           "cannot use the report's page %s: %s; build it by `make report`, which "
                           "needs npm",
                           path, why),
        path, number);
}

/* Where the data goes in the page; NULL: the page cannot be used. */
static char *place_of_data(const char *path, const struct asnap_report_file *page,
                           struct asnap_error **error)
{
    char *place = page->text == NULL ? NULL : strstr(page->text, mark);
    if (page->text == NULL)
        *error = bad_page(path, asnap_open_reason(page->why), asnap_open_errno(page->why));
    else if (place == NULL)
        *error = bad_page(path, "it has no place for the data", 0);
    return place;
}

/* ---- the data ---- */

struct report {
    const struct asnap_snapshot *snapshots[2]; /* the older one after the other, or NULL */
    struct asnap_report_numbering numberings[2];
    const struct asnap_export_job *job;
    const struct asnap_report_options *options;
    const struct asnap_graph *graph; /* or NULL */
    struct asnap_report_names names;
    struct asnap_report_stacks stacks;
    struct asnap_report_cells cells;
    struct asnap_report_list list;
};

static void write_list(struct report *report, const char *tag, struct asnap_report_output *output)
{
    asnap_report_section(output, tag, 4, report->list.numbers, report->list.count);
    report->list.count = 0;
}

static struct asnap_error *add_text(struct report *report, const char *text)
{
    return asnap_report_add_name(&report->names, text, ASNAP_PRINTABLE_TEXT, &report->list);
}

static struct asnap_error *add_fact(struct report *report, uint32_t side, const char *name,
                                    const char *value, enum asnap_printable_kind kind)
{
    struct asnap_error *error = asnap_report_list_add(&report->list, side);
    if (error == NULL)
        error = add_text(report, name);
    return error != NULL ? error
                         : asnap_report_add_name(&report->names, value, kind, &report->list);
}

/* The program, and its build. */
static struct asnap_error *add_program(struct report *report, uint32_t side)
{
    uint32_t number;
    struct asnap_error *error = asnap_main_mapping(report->snapshots[side], &number);
    if (error != NULL || number == ASNAP_NO_MAPPING)
        return error;
    struct asnap_mapping mapping = asnap_snapshot_mapping(report->snapshots[side], number);
    error = add_fact(report, side, "program", mapping.path, ASNAP_PRINTABLE_NAME);
    if (error == NULL && mapping.build_id[0] != '\0')
        error = add_fact(report, side, "build", mapping.build_id, ASNAP_PRINTABLE_NAME);
    return error;
}

/* Which side, name and value of each fact. */
static struct asnap_error *write_facts(struct report *report, struct asnap_report_output *output)
{
    struct asnap_error *error = NULL;
    for (uint32_t side = 0; error == NULL && side < 2 && report->snapshots[side] != NULL; side++)
        error = add_program(report, side);
    for (size_t i = 0; error == NULL && i < report->options->fact_count; i++) {
        const struct asnap_report_fact *fact = &report->options->facts[i];
        error = add_fact(report, fact->old, fact->name, fact->value, ASNAP_PRINTABLE_TEXT);
    }
    if (error == NULL)
        write_list(report, "fact", output);
    return error;
}

static struct asnap_error *add_note(struct report *report, uint32_t side, const char *note)
{
    struct asnap_error *error = asnap_report_list_add(&report->list, side);
    return error != NULL ? error : add_text(report, note);
}

/* Which side and text of each note. */
static struct asnap_error *write_notes(struct report *report, struct asnap_report_output *output)
{
    struct asnap_error *error = NULL;
    for (uint32_t side = 0; side < 2 && report->snapshots[side] != NULL; side++) {
        const struct asnap_snapshot *snapshot = report->snapshots[side];
        for (size_t i = 0; error == NULL && i < asnap_snapshot_note_count(snapshot); i++)
            error = add_note(report, side, asnap_snapshot_note(snapshot, i));
    }
    size_t of_graph = report->graph == NULL ? 0 : asnap_graph_note_count(report->graph);
    for (size_t i = 0; error == NULL && i < of_graph; i++)
        error = add_note(report, 0, asnap_graph_note(report->graph, i));
    if (error == NULL)
        write_list(report, "note", output);
    return error;
}

/* What there is of each snapshot: when its times begin, the newest of them, the frame limit, the
 * period of its sample. */
static struct asnap_error *add_side(struct report *report, const struct asnap_snapshot *snapshot)
{
    bool has_times = snapshot != NULL && report->cells.newest != ASNAP_TIME_UNKNOWN;
    struct asnap_error *error = asnap_report_list_add_wide(
        &report->list, snapshot == NULL ? 0 : asnap_snapshot_start_time(snapshot));
    if (error == NULL)
        error = asnap_report_list_add(
            &report->list, has_times ? asnap_snapshot_newest_time(snapshot) : ASNAP_TIME_UNKNOWN);
    if (error == NULL)
        error = asnap_report_list_add(
            &report->list, snapshot == NULL ? 0 : asnap_snapshot_traceback_limit(snapshot));
    if (error == NULL)
        error = asnap_report_list_add_wide(
            &report->list, snapshot == NULL ? 0 : asnap_snapshot_sample_period(snapshot));
    return error;
}

static struct asnap_error *write_times(struct report *report, struct asnap_report_output *output)
{
    const uint32_t numbers[] = {
        report->cells.oldest, report->cells.newest, ASNAP_REPORT_STEPS,
        (uint32_t)report->cells.has_types | (uint32_t)(report->graph != NULL) << 1 |
            (uint32_t)(report->snapshots[1] != NULL) << 2 | (uint32_t)report->cells.is_sample << 3};
    struct asnap_error *error = add_side(report, report->snapshots[0]);
    if (error == NULL)
        error = add_side(report, report->snapshots[1]);
    for (size_t i = 0; error == NULL && i < sizeof(numbers) / sizeof(numbers[0]); i++)
        error = asnap_report_list_add(&report->list, numbers[i]);
    if (error == NULL)
        write_list(report, "time", output);
    return error;
}

/* The number and name of the threads and domains that have one. */
static struct asnap_error *write_origins(struct report *report, struct asnap_report_output *output)
{
    struct asnap_error *error = NULL;
    const struct asnap_report_options *options = report->options;
    for (size_t i = 0; error == NULL && i < options->thread_label_count; i++) {
        if (options->thread_labels[i] == NULL)
            continue;
        error = asnap_report_list_add(&report->list,
                                      asnap_snapshot_thread(report->snapshots[0], (uint32_t)i));
        if (error == NULL)
            error = asnap_report_add_name(&report->names, options->thread_labels[i],
                                          ASNAP_PRINTABLE_NAME, &report->list);
    }
    if (error == NULL)
        write_list(report, "thre", output);
    for (size_t side = 0; error == NULL && side < 2 && report->snapshots[side] != NULL; side++) {
        const struct asnap_snapshot *snapshot = report->snapshots[side];
        for (size_t i = 0; error == NULL && i < asnap_snapshot_domain_count(snapshot); i++) {
            uint32_t domain = asnap_snapshot_domain(snapshot, i);
            error = asnap_report_list_add(&report->list, domain);
            if (error == NULL)
                error = asnap_report_add_name(&report->names,
                                              asnap_snapshot_domain_name(snapshot, domain),
                                              ASNAP_PRINTABLE_NAME, &report->list);
        }
    }
    if (error == NULL)
        write_list(report, "doma", output);
    return error;
}

/* How well the blocks of the snapshot are named (asnap_naming_part). */
static struct asnap_error *write_naming(struct report *report, struct asnap_report_output *output)
{
    struct asnap_naming_summary *summary = NULL;
    struct asnap_error *error = asnap_naming_summary_create(report->snapshots[0], &summary);
    size_t count = error == NULL ? asnap_naming_summary_count(summary) : 0;
    for (size_t i = 0; error == NULL && i < count; i++) {
        struct asnap_naming_part part = asnap_naming_summary_part(summary, i);
        error =
            asnap_report_add_name(&report->names, part.path, ASNAP_PRINTABLE_NAME, &report->list);
        if (error == NULL)
            error =
                asnap_report_list_add(&report->list, (uint32_t)part.named_by << 8 | part.has_line);
        if (error == NULL)
            error = asnap_report_list_add_wide(&report->list, part.size);
        if (error == NULL)
            error = asnap_report_list_add_wide(&report->list, part.count);
    }
    asnap_naming_summary_destroy(summary);
    if (error == NULL)
        write_list(report, "nami", output);
    return error;
}

/* Numbers and adds up the blocks of the snapshots. */
static struct asnap_error *add_blocks(struct report *report)
{
    struct asnap_error *error = NULL;
    for (uint32_t side = 0; error == NULL && side < 2 && report->snapshots[side] != NULL; side++) {
        error = asnap_report_numbering_init(&report->numberings[side], report->snapshots[side]);
        if (error == NULL)
            error = asnap_report_cells_span(&report->cells, report->snapshots[side]);
    }
    for (uint32_t side = 0; error == NULL && side < 2 && report->snapshots[side] != NULL; side++)
        error =
            asnap_report_cells_add(&report->cells, &report->numberings[side], side, report->job);
    return error != NULL ? error : asnap_report_cells_sum(&report->cells);
}

static struct asnap_error *write_sections(struct report *report, struct asnap_report_output *output)
{
    struct asnap_error *error = add_blocks(report);
    if (error == NULL)
        error = write_times(report, output);
    if (error == NULL)
        error = write_facts(report, output);
    if (error == NULL)
        error = write_notes(report, output);
    if (error == NULL)
        error = write_origins(report, output);
    if (error == NULL)
        error = write_naming(report, output);
    if (error == NULL)
        error = asnap_report_cells_write(&report->cells, output);
    if (error == NULL && report->graph != NULL)
        error =
            asnap_report_graph_write(&report->stacks, &report->numberings[0], report->job, output);
    if (error == NULL)
        error = asnap_report_sources_write(&report->cells, report->options, output);
    if (error != NULL)
        return error;
    /* What was numbered on the way comes last. */
    asnap_report_stacks_write(&report->stacks, output);
    asnap_report_names_write(&report->names, "strl", "strb", output);
    return NULL;
}

static struct asnap_error *write_data(const struct asnap_export_job *job)
{
    struct asnap_report_output *output = NULL;
    struct report report = {.snapshots = {job->snapshot, job->options->old_snapshot},
                            .job = job,
                            .options = job->options->report,
                            .graph = job->options->graph};
    struct asnap_error *error = asnap_report_names_init(&report.names);
    if (error != NULL)
        return error;
    error = asnap_report_stacks_init(&report.stacks, &report.names);
    asnap_report_cells_init(&report.cells, &report.stacks);
    if (error == NULL)
        error = asnap_report_output_create(job->out, asnap_snapshot_count(job->snapshot) >= MANY,
                                           &output);
    if (error == NULL)
        error = write_sections(&report, output);
    if (error == NULL)
        asnap_report_output_end(output);
    asnap_report_output_destroy(output);
    asnap_report_cells_deinit(&report.cells);
    asnap_report_stacks_deinit(&report.stacks);
    asnap_report_names_deinit(&report.names);
    asnap_report_numbering_deinit(&report.numberings[0]);
    asnap_report_numbering_deinit(&report.numberings[1]);
    free(report.list.numbers);
    return error;
}

static bool is_too_large(const struct asnap_snapshot *snapshot)
{
    return snapshot != NULL && asnap_snapshot_estimate(snapshot).size >= SIZE_LIMIT;
}

struct asnap_error *asnap_export_report(const struct asnap_export_job *job)
{
    struct asnap_report_file page;
    const char *path = job->options->report->page;
    if (is_too_large(job->snapshot) || is_too_large(job->options->old_snapshot))
        return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                                  "no report of a snapshot that holds 8 PiB or more: browsers do "
                                  "not count so many bytes exactly; `snapshot stats` does");
    struct asnap_error *error = asnap_report_file_read(path, PAGE_LIMIT, &page);
    if (error != NULL)
        return error;
    const char *place = place_of_data(path, &page, &error);
    if (place != NULL) {
        asnap_write_bytes(job->out, page.text, (size_t)(place - page.text));
        asnap_write_string(job->out, before);
        error = write_data(job);
    }
    if (place != NULL && error == NULL) {
        asnap_write_string(job->out, after);
        asnap_write_string(job->out, place + sizeof(mark) - 1);
    }
    free(page.text);
    return error;
}
