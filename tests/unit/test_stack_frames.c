/* Trees of stacks that would take out of proportion more room as tracebacks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "raw.h"
#include "symbolizer.h"
#include "unit.h"

#define MIB ((size_t)1 << 20)

/* As deep as stacks are kept. */
enum { CHAIN = 131000 };

/* A chain of nodes from an origin on, and `leaves` that all have its end for their parent, or,
 * where `spread`, a trace for each node of the chain. */
static struct asnap_raw broom(size_t leaves, uint32_t frame_limit, bool spread)
{
    size_t count = 1 + CHAIN + (spread ? 0 : leaves);
    struct asnap_raw raw = {
        .nodes = calloc(count, sizeof(*raw.nodes)),
        .node_count = count,
        .traces = calloc(leaves, sizeof(*raw.traces)),
        .trace_count = leaves,
        .frame_limit = frame_limit,
    };
    CU_ASSERT_FATAL(raw.nodes != NULL && raw.traces != NULL);
    raw.nodes[0].parent = ASNAP_RAW_NONE;
    for (uint32_t i = 1; i < count; i++)
        raw.nodes[i] =
            (struct asnap_raw_node){.pc = 0x1000 + i % 50, .parent = i <= CHAIN ? i - 1 : CHAIN};
    for (uint32_t i = 0; i < leaves; i++)
        raw.traces[i] = (struct asnap_trace){
            .address = 16 * i, .size = 1, .traceback_id = spread ? 1 + i : CHAIN + 1 + i};
    return raw;
}

static struct asnap_snapshot *snapshot_of(struct asnap_raw *raw)
{
    struct asnap_symbolizer *symbolizer;
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(asnap_symbolizer_create(NULL, &symbolizer));
    ASNAP_ASSERT_OK(asnap_snapshot_create(raw, symbolizer, ASNAP_NAMING_WHOLE, NULL, &snapshot));
    asnap_symbolizer_destroy(symbolizer);
    free(raw->nodes);
    return snapshot;
}

/* Whether each traceback has `frames` frames, or fewer where `at_most`. */
static void check_lengths(const struct asnap_snapshot *snapshot, uint32_t frames, bool at_most)
{
    const struct asnap_traceback *tracebacks = asnap_snapshot_tracebacks(snapshot);
    size_t wrong = 0;
    for (size_t i = 0; i < asnap_snapshot_traceback_count(snapshot); i++)
        wrong += at_most ? tracebacks[i].frame_count > frames : tracebacks[i].frame_count != frames;
    CU_ASSERT_EQUAL(wrong, 0);
}

ASNAP_TEST(stack_frames, are_cut_where_all_take_out_of_proportion_more_room)
{
    enum { LEAVES = 20000 };
    struct asnap_raw raw = broom(LEAVES, 65535, false);
    const uint32_t kept = (uint32_t)(((1 << 24) + 64 * raw.node_count) / LEAVES);
    char note[64];
    snprintf(note, sizeof(note), "%u frames of each stack are here", kept);
    asnap_unit_requested();
    struct asnap_snapshot *snapshot = snapshot_of(&raw);
    CU_ASSERT(asnap_unit_requested() < 800 * MIB);
    CU_ASSERT_EQUAL(asnap_snapshot_count(snapshot), LEAVES);
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_note_count(snapshot), 1);
    CU_ASSERT_PTR_EQUAL(strstr(asnap_snapshot_note(snapshot, 0), note),
                        asnap_snapshot_note(snapshot, 0));
    check_lengths(snapshot, kept, false);
    for (size_t i = 0; i < 10; i++)
        CU_ASSERT_EQUAL(asnap_snapshot_tracebacks(snapshot)[i].total_nframe, 65535);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(stack_frames, are_whole_where_there_is_room)
{
    struct asnap_raw raw = broom(200, 65535, false);
    struct asnap_snapshot *snapshot = snapshot_of(&raw);
    CU_ASSERT_EQUAL(asnap_snapshot_note_count(snapshot), 0);
    check_lengths(snapshot, 65535, false);
    asnap_snapshot_destroy(snapshot);

    raw = broom(20000, 16, false);
    snapshot = snapshot_of(&raw);
    CU_ASSERT_EQUAL(asnap_snapshot_note_count(snapshot), 0);
    check_lengths(snapshot, 16, false);
    CU_ASSERT_EQUAL(asnap_snapshot_tracebacks(snapshot)[0].total_nframe, 65535);
    asnap_snapshot_destroy(snapshot);

    /* All that is here of each stack is too much together, and what the limit leaves is not. */
    raw = broom(CHAIN, 100, true);
    snapshot = snapshot_of(&raw);
    CU_ASSERT_EQUAL(asnap_snapshot_note_count(snapshot), 0);
    check_lengths(snapshot, 100, true);
    const struct asnap_trace *traces;
    ASNAP_ASSERT_OK(asnap_snapshot_traces(snapshot, &traces));
    for (size_t i = 0; i < CHAIN; i += 997) {
        const struct asnap_traceback *stack =
            &asnap_snapshot_tracebacks(snapshot)[traces[i].traceback_id];
        CU_ASSERT_EQUAL(stack->frame_count, i < 100 ? i + 1 : 100);
        CU_ASSERT_EQUAL(stack->total_nframe, i < 65535 ? i + 1 : 65535);
    }
    asnap_snapshot_destroy(snapshot);
}

/* ---- Ctrl-C ---- */

struct asked {
    size_t times;
    size_t stop_at;
};

static bool report(void *context, const char *step, uint64_t done, uint64_t total)
{
    struct asked *asked = context;
    (void)step, (void)done, (void)total;
    return asked->times++ != asked->stop_at;
}

ASNAP_TEST(stack_frames, can_be_stopped_at_each_question)
{
    size_t questions = SIZE_MAX;
    struct asnap_symbolizer *symbolizer;
    ASNAP_ASSERT_OK(asnap_symbolizer_create(NULL, &symbolizer));
    for (size_t i = 0; i <= questions; i++) {
        struct asked asked = {.stop_at = questions == SIZE_MAX ? SIZE_MAX : i};
        const struct asnap_progress progress = {.report = report, .context = &asked};
        struct asnap_raw raw = broom(100, 65535, false);
        struct asnap_snapshot *snapshot = NULL;
        struct asnap_error *error =
            asnap_snapshot_create(&raw, symbolizer, ASNAP_NAMING_WHOLE, &progress, &snapshot);
        free(raw.nodes);
        asnap_snapshot_destroy(snapshot);
        if (questions == SIZE_MAX) {
            ASNAP_ASSERT_OK(error);
            questions = asked.times;
            /* At least every million frames of 6 million, and for the nodes three times. */
            CU_ASSERT(questions > 6 + 3);
        } else if (i < questions) {
            ASNAP_ASSERT_ERROR(error, ASNAP_ERROR_INTERRUPTED);
            CU_ASSERT_EQUAL(asked.times, i + 1);
        } else {
            ASNAP_ASSERT_OK(error);
        }
    }
    asnap_symbolizer_destroy(symbolizer);
}

/* ---- many files ---- */

ASNAP_TEST(stack_frames, many_missing_files_are_counted)
{
    enum { FILES = 1000 };
    struct asnap_symbolizer *symbolizer;
    static struct asnap_region regions[FILES];
    static char paths[FILES][32];
    static uint64_t addresses[FILES];
    static struct asnap_named_pc names[FILES];
    for (uint64_t i = 0; i < FILES; i++) {
        snprintf(paths[i], sizeof(paths[i]), "/nonexistent/%lu.so", (unsigned long)(i / 2));
        regions[i] = (struct asnap_region){
            .start = 0x100000 * (i + 1), .end = 0x100000 * (i + 1) + 4096, .path = paths[i]};
        addresses[i] = regions[i].start + 1;
    }
    ASNAP_ASSERT_OK(asnap_symbolizer_create(NULL, &symbolizer));
    ASNAP_ASSERT_OK(asnap_symbolizer_set_regions(symbolizer, NULL, regions, FILES));
    ASNAP_ASSERT_OK(asnap_symbolizer_name(symbolizer, addresses, FILES, NULL, names));
    CU_ASSERT_EQUAL_FATAL(asnap_symbolizer_note_count(symbolizer), 101);
    for (size_t i = 0; i < 100; i++) {
        char start[64];
        snprintf(start, sizeof(start), "/nonexistent/%zu.so: cannot be read", i);
        CU_ASSERT_PTR_EQUAL(strstr(asnap_symbolizer_note(symbolizer, i), start),
                            asnap_symbolizer_note(symbolizer, i));
    }
    CU_ASSERT_STRING_EQUAL(asnap_symbolizer_note(symbolizer, 100),
                           "400 more files like these, whose functions are not named");
    CU_ASSERT_PTR_NULL(asnap_symbolizer_note(symbolizer, 101));
    asnap_symbolizer_destroy(symbolizer);
}
