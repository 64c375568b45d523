/* What was missing when the graph was computed, and how that errs. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "error.h"
#include "graph.h"
#include "grow.h"
#include "inferior_map.h"

struct asnap_error *asnap_graph_add_note(struct asnap_graph *graph, const char *format, ...)
{
    va_list arguments;
    char *note;
    va_start(arguments, format);
    int length = vasprintf(&note, format, arguments);
    va_end(arguments);
    if (length < 0)
        return asnap_error_no_memory();
    char **notes = asnap_grow(graph->notes, &graph->note_capacity, graph->note_count + 1,
                              sizeof(*graph->notes));
    if (notes == NULL) {
        free(note);
        return asnap_error_no_memory();
    }
    graph->notes = notes;
    notes[graph->note_count++] = note;
    return NULL;
}

/* "12.0 MiB" */
static const char *amount(uint64_t bytes, char text[32])
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    double number = (double)bytes;
    size_t unit = 0;
    while (number >= 10240 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        number /= 1024;
        unit++;
    }
    snprintf(text, 32, unit == 0 ? "%.0f %s" : "%.1f %s", number, units[unit]);
    return text;
}

static struct asnap_error *note_threads(struct asnap_graph *graph,
                                        const struct asnap_graph_facts *facts)
{
    const struct asnap_thread_stacks *stacks = &graph->roots.stacks;
    size_t without_vectors = 0;
    size_t without_some = 0;
    size_t without_pointer = 0;
    for (size_t i = 0; i < facts->thread_count; i++) {
        bool is_known = facts->threads[i].stack_pointer != 0;
        without_vectors += is_known && facts->threads[i].vectors_unknown;
        without_some += is_known && facts->threads[i].registers_unknown;
        without_pointer += is_known && facts->threads[i].thread_pointer == 0;
    }
    struct asnap_error *error = NULL;
    if (facts->thread_count == 0)
        error = asnap_graph_add_note(graph, "no thread is known: blocks that only registers hold "
                                            "are shown as leaked, and old values on stacks may "
                                            "hide others");
    else if (stacks->unknown_count != 0)
        error = asnap_graph_add_note(
            graph,
            "the registers of %" PRIu32 " of %zu threads are not known: blocks that only they hold "
            "are shown as leaked, and old values on stacks may hide others",
            stacks->unknown_count, facts->thread_count);
    if (error == NULL && without_some != 0)
        error = asnap_graph_add_note(graph,
                                     "some registers of %zu of %zu threads are not known: blocks "
                                     "that only they hold are shown as leaked",
                                     without_some, facts->thread_count);
    if (error == NULL && without_vectors != 0)
        error = asnap_graph_add_note(graph,
                                     "the vector registers of %zu of %zu threads are not known: "
                                     "blocks that only they hold are shown as leaked",
                                     without_vectors, facts->thread_count);
    if (error == NULL && without_pointer != 0)
        error = asnap_graph_add_note(graph,
                                     "the thread pointers of %zu of %zu threads are not known: old "
                                     "values on stacks of threads that have ended may hide leaks",
                                     without_pointer, facts->thread_count);
    if (error == NULL && facts->thread_count != 0 && stacks->unmatched_count != 0)
        error = asnap_graph_add_note(graph,
                                     "of %" PRIu32 " stacks it is not known whether their threads "
                                     "have ended: old values there may hide leaks",
                                     stacks->unmatched_count);
    return error;
}

/* A core may lack the list of mapped files. */
static struct asnap_error *note_files(struct asnap_graph *graph,
                                      const struct asnap_graph_facts *facts)
{
    for (size_t i = 0; i < facts->region_count; i++) {
        if (asnap_region_is_file(&facts->regions[i]))
            return NULL;
    }
    return asnap_graph_add_note(graph, "it is not known which files are mapped where: what the "
                                       "dynamic loader holds is shown as possible, objects by a "
                                       "second base class too, and the C library's free lists "
                                       "may hide leaks");
}

static struct asnap_error *note_memory(struct asnap_graph *graph)
{
    char text[32];
    struct asnap_error *error = NULL;
    if (graph->roots.missing_bytes != 0)
        error = asnap_graph_add_note(graph,
                                     "%s of roots are not in this core: blocks that only they hold "
                                     "are shown as leaked",
                                     amount(graph->roots.missing_bytes, text));
    else if (graph->roots.unread_bytes != 0)
        error = asnap_graph_add_note(graph,
                                     "%s of roots cannot be read: blocks that only they hold are "
                                     "shown as leaked",
                                     amount(graph->roots.unread_bytes, text));
    if (error == NULL && graph->edges.unread_bytes != 0)
        error = asnap_graph_add_note(graph,
                                     "%s of the blocks cannot be read: what only they hold is "
                                     "shown as leaked",
                                     amount(graph->edges.unread_bytes, text));
    return error;
}

static struct asnap_error *note_blocks(struct asnap_graph *graph,
                                       const struct asnap_graph_facts *facts, bool whole,
                                       size_t skipped)
{
    struct asnap_error *error = NULL;
    if (skipped != 0)
        error = asnap_graph_add_note(
            graph, "%zu blocks at addresses that no program has are left out", skipped);
    if (error != NULL || whole)
        return error;
    if (asnap_snapshot_sample_period(graph->snapshot) != 0 && facts->gaps != ASNAP_GAPS_NO)
        return asnap_graph_add_note(graph, "only a sample of the blocks is recorded: what only the "
                                           "memory between the recorded ones leads to counts as "
                                           "possible, which may hide leaks, and what else hangs on "
                                           "a leaked block is not known");
    if (facts->gaps == ASNAP_GAPS_NO)
        return asnap_graph_add_note(graph, "there are blocks that were not recorded, as those from "
                                           "before the tracing began: what only they hold is shown "
                                           "as leaked");
    return asnap_graph_add_note(graph, "there are blocks that were not recorded, as those from "
                                       "before the tracing began: what only the memory between "
                                       "the recorded ones leads to counts as possible, which may "
                                       "hide leaks");
}

struct asnap_error *asnap_graph_add_notes(struct asnap_graph *graph,
                                          const struct asnap_graph_facts *facts, bool whole,
                                          size_t skipped)
{
    char text[32];
    struct asnap_error *error = note_memory(graph);
    if (error == NULL && facts->unsearched_bytes != 0)
        error = asnap_graph_add_note(graph,
                                     "%s of very large mappings are not searched: blocks that only "
                                     "they hold are shown as leaked",
                                     amount(facts->unsearched_bytes, text));
    if (error == NULL && facts->core != NULL)
        error = note_files(graph, facts);
    if (error == NULL)
        error = note_threads(graph, facts);
    if (error == NULL)
        error = note_blocks(graph, facts, whole, skipped);
    return error;
}

size_t asnap_graph_note_count(const struct asnap_graph *graph)
{
    return graph->note_count;
}

const char *asnap_graph_note(const struct asnap_graph *graph, size_t index)
{
    return graph->notes[index];
}
