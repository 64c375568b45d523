/* The model over 1,000,000 blocks with stacks of 16 frames in 4,000 lines of code:
 * milliseconds of CPU, and how many plain passes over the blocks (copying and
 * summing them) take as long in the same run. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "allocsnap.h"

#define BLOCKS 1000000u
#define DEPTH 16u
#define PLACES 4000u
#define ROUNDS 5

static void check(struct asnap_error *error)
{
    if (error == NULL)
        return;
    fprintf(stderr, "bench_model: %s\n", asnap_error_message(error));
    exit(1);
}

static double cpu_milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static uint64_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % limit);
}

struct heap {
    const char *name;
    const char *goal; /* of what a user asks for */
    uint32_t stack_count;
    struct asnap_trace *traces;
    double pass; /* milliseconds of one plain pass */
};

static void add_places(struct asnap_builder *builder, uint32_t *frames)
{
    for (uint32_t i = 0; i < PLACES; i++) {
        char file[64], function[64];
        snprintf(file, sizeof(file), "/usr/src/project/module%u/file%u.c", i % 17, i % 200);
        snprintf(function, sizeof(function), "function_%u", i / 3);
        struct asnap_frame frame = {.filename = file, .function = function, .lineno = i + 1};
        check(asnap_builder_frame(builder, &frame, 0, ASNAP_NO_MAPPING, &frames[i]));
    }
}

/* Stacks share their oldest frames, as those of real programs do. */
static void add_stacks(struct asnap_builder *builder, const uint32_t *frames, struct heap *heap,
                       uint32_t *stacks)
{
    for (uint32_t i = 0; i < heap->stack_count; i++) {
        uint32_t ids[DEPTH];
        for (uint32_t j = 0; j < DEPTH; j++)
            ids[j] = frames[j > DEPTH / 2 ? j : random_below(PLACES)];
        check(asnap_builder_traceback(builder, ids, DEPTH, DEPTH + 4, &stacks[i]));
    }
}

static void measure_pass(struct heap *heap)
{
    struct asnap_trace *copy = malloc(BLOCKS * sizeof(*copy));
    if (copy == NULL)
        exit(1);
    heap->pass = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        double start = cpu_milliseconds();
        memcpy(copy, heap->traces, BLOCKS * sizeof(*copy));
        uint64_t size = 0;
        for (size_t i = 0; i < BLOCKS; i++)
            size += copy[i].size;
        double taken = cpu_milliseconds() - start;
        if (size == 0)
            exit(1);
        if (round > 0 && taken < heap->pass)
            heap->pass = taken;
    }
    free(copy);
}

static void report(const struct heap *heap, const char *what, double milliseconds, const char *goal)
{
    printf("%s, %s\t%.2f ms, %.2f passes\t%s\n", what, heap->name, milliseconds,
           milliseconds / heap->pass, goal);
}

static struct asnap_snapshot *build(struct heap *heap)
{
    struct asnap_builder *builder = NULL;
    struct asnap_snapshot *snapshot = NULL;
    uint32_t frames[PLACES];
    uint32_t *stacks = malloc(heap->stack_count * sizeof(*stacks));
    heap->traces = malloc(BLOCKS * sizeof(*heap->traces));
    if (stacks == NULL || heap->traces == NULL)
        exit(1);
    check(asnap_builder_create(&builder));
    add_places(builder, frames);
    double start = cpu_milliseconds();
    add_stacks(builder, frames, heap, stacks);
    double tracebacks = cpu_milliseconds() - start;
    for (uint32_t i = 0; i < BLOCKS; i++) {
        heap->traces[i] = (struct asnap_trace){
            .address = 0x10000 + 64 * (uint64_t)i,
            .size = 16 + random_below(2000),
            .traceback_id = stacks[i < heap->stack_count ? i : random_below(heap->stack_count)],
        };
    }
    measure_pass(heap);
    report(heap, "interning all stacks", tracebacks, "");
    start = cpu_milliseconds();
    check(asnap_builder_traces(builder, heap->traces, BLOCKS));
    report(heap, "adding all blocks", cpu_milliseconds() - start, "");
    start = cpu_milliseconds();
    check(asnap_builder_finish(builder, DEPTH, &snapshot));
    report(heap, "finishing the snapshot", cpu_milliseconds() - start, "");
    asnap_builder_destroy(builder);
    free(stacks);
    return snapshot;
}

/* The best of some filterings, and of some comparisons of the part with the whole. */
static void measure_parts(const struct heap *heap, const struct asnap_snapshot *snapshot)
{
    struct asnap_filter filter = {.filename_pattern = "*/module3/*", .all_frames = true};
    double filtering = 1e9;
    double comparing = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        struct asnap_snapshot *part = NULL;
        struct asnap_diff *diff = NULL;
        double start = cpu_milliseconds();
        check(asnap_snapshot_filter(snapshot, &filter, 1, &part));
        double middle = cpu_milliseconds();
        check(asnap_diff_create(snapshot, part, ASNAP_KEY_LINENO, false, &diff));
        double end = cpu_milliseconds();
        asnap_diff_destroy(diff);
        asnap_snapshot_destroy(part);
        if (middle - start < filtering)
            filtering = middle - start;
        if (end - middle < comparing)
            comparing = end - middle;
    }
    report(heap, "filter by all frames", filtering, heap->goal);
    report(heap, "difference by lineno", comparing, heap->goal);
}

static void run(const char *name, uint32_t stack_count, const char *goal)
{
    static const struct {
        const char *name;
        enum asnap_key key;
        bool cumulative;
    } modes[] = {
        {"statistics by filename", ASNAP_KEY_FILENAME, false},
        {"statistics by lineno", ASNAP_KEY_LINENO, false},
        {"statistics by traceback", ASNAP_KEY_TRACEBACK, false},
        {"cumulative by filename", ASNAP_KEY_FILENAME, true},
        {"cumulative by lineno", ASNAP_KEY_LINENO, true},
    };
    struct heap heap = {.name = name, .goal = goal, .stack_count = stack_count};
    struct asnap_snapshot *snapshot = build(&heap);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        double best = 1e9;
        for (int round = 0; round < ROUNDS; round++) {
            struct asnap_statistics *statistics = NULL;
            double start = cpu_milliseconds();
            check(
                asnap_statistics_create(snapshot, modes[i].key, modes[i].cumulative, &statistics));
            double taken = cpu_milliseconds() - start;
            asnap_statistics_destroy(statistics);
            if (taken < best)
                best = taken;
        }
        report(&heap, modes[i].name, best, heap.goal);
    }
    measure_parts(&heap, snapshot);
    asnap_snapshot_destroy(snapshot);
    free(heap.traces);
}

int main(void)
{
    run("4,000 stacks", 4000, "under 30 ms");
    run("1,000,000 stacks", BLOCKS, "");
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("most memory\t%ld MiB\t\n", usage.ru_maxrss / 1024);
    return 0;
}
