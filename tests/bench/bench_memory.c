/* The most memory that the model takes for 10,000,000 blocks with stacks of 16 frames, step
 * by step: what is resident at the highest moment of each, with what earlier steps keep.
 * Of stacks that are all distinct, two snapshots of 10,000,000 are more than what is wanted
 * of one: frames take 64 bytes of each block, and all else 68. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allocsnap.h"

#define BLOCKS 10000000u
#define DEPTH 16u
#define PLACES 4000u
#define BATCH 65536u
#define TEMPLATE "/tmp/allocsnap-bench-XXXXXX"

static void check(struct asnap_error *error)
{
    if (error == NULL)
        return;
    fprintf(stderr, "bench_memory: %s\n", asnap_error_message(error));
    exit(1);
}

/* From now on VmHWM is the highest since now (proc(5), clear_refs). */
static void forget_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (file == NULL || fputs("5", file) < 0 || fclose(file) != 0)
        exit(1);
}

static uint64_t peak_kib(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    uint64_t peak = 0;
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        sscanf(line, "VmHWM: %" SCNu64, &peak);
    if (file == NULL || peak == 0)
        exit(1);
    fclose(file);
    return peak;
}

static uint64_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % limit);
}

struct shape {
    const char *name;
    uint32_t block_count; /* in each of the two snapshots that are compared */
    uint32_t stack_count;
    char path[64];
    struct asnap_snapshot *snapshot;
    struct asnap_snapshot *loaded;
};

static void add_stacks(struct asnap_builder *builder, uint32_t count)
{
    uint32_t frames[PLACES];
    for (uint32_t i = 0; i < PLACES; i++) {
        char file[64];
        snprintf(file, sizeof(file), "/usr/src/project/module%u/file%u.c", i % 17, i % 200);
        struct asnap_frame frame = {.filename = file, .lineno = i + 1};
        check(asnap_builder_frame(builder, &frame, 0, ASNAP_NO_MAPPING, &frames[i]));
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t ids[DEPTH];
        for (uint32_t j = 0; j < DEPTH; j++)
            ids[j] = frames[j > DEPTH / 2 ? j : random_below(PLACES)];
        uint32_t stack;
        check(asnap_builder_traceback(builder, ids, DEPTH, DEPTH + 4, &stack));
    }
}

static void build(struct shape *shape)
{
    static struct asnap_trace traces[BATCH];
    struct asnap_builder *builder = NULL;
    check(asnap_builder_create(&builder));
    add_stacks(builder, shape->stack_count);
    for (uint32_t done = 0, size; done < shape->block_count; done += size) {
        size = shape->block_count - done < BATCH ? shape->block_count - done : BATCH;
        for (uint32_t i = 0; i < size; i++) {
            traces[i] = (struct asnap_trace){
                .address = 0x10000 + 64 * (uint64_t)(done + i),
                .size = 16 + random_below(2000),
                .traceback_id = (done + i) % shape->stack_count,
            };
        }
        check(asnap_builder_traces(builder, traces, size));
    }
    check(asnap_builder_finish(builder, DEPTH, &shape->snapshot));
    asnap_builder_destroy(builder);
}

static void take_statistics(const struct shape *shape, enum asnap_key key, bool cumulative)
{
    struct asnap_statistics *statistics = NULL;
    check(asnap_statistics_create(shape->snapshot, key, cumulative, &statistics));
    asnap_statistics_destroy(statistics);
}

static void by_line(struct shape *shape)
{
    take_statistics(shape, ASNAP_KEY_LINENO, false);
    take_statistics(shape, ASNAP_KEY_LINENO, true);
}

static void by_traceback(struct shape *shape)
{
    take_statistics(shape, ASNAP_KEY_TRACEBACK, false);
}

static void filter(struct shape *shape)
{
    struct asnap_filter filter = {.filename_pattern = "*/module3/*", .all_frames = true};
    struct asnap_snapshot *part = NULL;
    check(asnap_snapshot_filter(shape->snapshot, &filter, 1, &part));
    asnap_snapshot_destroy(part);
}

static void dump(struct shape *shape)
{
    check(asnap_snapshot_dump(shape->snapshot, shape->path, NULL, 0));
}

/* Twice: in place of the one that was built, and beside it. */
static void load(struct shape *shape)
{
    asnap_snapshot_destroy(shape->snapshot);
    check(asnap_snapshot_load(shape->path, &shape->snapshot));
}

static void load_another(struct shape *shape)
{
    check(asnap_snapshot_load(shape->path, &shape->loaded));
}

static void compare(struct shape *shape, enum asnap_key key)
{
    struct asnap_diff *diff = NULL;
    check(asnap_diff_create(shape->snapshot, shape->loaded, key, false, &diff));
    asnap_diff_destroy(diff);
}

static void compare_lines(struct shape *shape)
{
    compare(shape, ASNAP_KEY_LINENO);
}

static void compare_tracebacks(struct shape *shape)
{
    compare(shape, ASNAP_KEY_TRACEBACK);
}

static void run(struct shape *shape)
{
    static const struct {
        const char *name;
        void (*run)(struct shape *shape);
    } steps[] = {
        {"build", build},
        {"statistics by line", by_line},
        {"statistics by traceback", by_traceback},
        {"filter", filter},
        {"dump", dump},
        {"load", load},
        {"load another", load_another},
        {"compare two by line", compare_lines},
        {"compare two by traceback", compare_tracebacks},
    };
    int fd = mkstemp(shape->path);
    if (fd < 0)
        exit(1);
    close(fd);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        forget_peak();
        steps[i].run(shape);
        bool wanted = (shape->loaded == NULL ? 1u : 2u) * (uint64_t)shape->stack_count <= BLOCKS;
        printf("%s: %s\t%" PRIu64 " MiB\t%s\n", shape->name, steps[i].name, peak_kib() / 1024,
               wanted ? "under 2048 MiB" : "");
        fflush(stdout);
    }
    asnap_snapshot_destroy(shape->snapshot);
    asnap_snapshot_destroy(shape->loaded);
    unlink(shape->path);
}

int main(void)
{
    struct shape shapes[] = {
        {"4,000 stacks", BLOCKS, 4000, TEMPLATE, NULL, NULL},
        {"distinct stacks", BLOCKS, BLOCKS, TEMPLATE, NULL, NULL},
        {"distinct, 5,000,000 each", BLOCKS / 2, BLOCKS / 2, TEMPLATE, NULL, NULL},
    };
    /* A process for each, for the memory of one not to be the other's. */
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
            run(&shapes[i]);
            return 0;
        }
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
            return 1;
    }
    return 0;
}
