/* The graph over 1,000,000 and 10,000,000 blocks that hold 16 words each, of which none, one or
 * four lead to others: edges, classes and dominators, beside one reading of the same memory, and
 * how much memory they take. Times are of the processor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dominators.h"
#include "error.h"
#include "referrers.h"

#define BASE UINT64_C(0x7f0000000000)
#define BLOCK_BYTES 128u
#define STRIDE 144u

static uint8_t *heap;
static size_t heap_bytes;

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void check(struct asnap_error *error)
{
    if (error == NULL)
        return;
    fprintf(stderr, "bench_graph: %s\n", asnap_error_message(error));
    exit(1);
}

static int read_heap(void *context, uint64_t address, void *buffer, size_t size)
{
    (void)context;
    if (address < BASE || address - BASE > heap_bytes || size > heap_bytes - (address - BASE))
        return ASNAP_READ_FAILED;
    memcpy(buffer, heap + (address - BASE), size);
    return ASNAP_READ_OK;
}

static uint64_t random_below(uint64_t limit)
{
    static uint64_t state = 1;
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (state >> 20) % limit;
}

/* Each block points to a neighbour and to three others, or to the first of these, and holds numbers
 * beside. */
static struct asnap_trace *fill(uint32_t count, uint32_t pointers)
{
    heap_bytes = (size_t)count * STRIDE;
    heap = malloc(heap_bytes);
    struct asnap_trace *traces = calloc(count, sizeof(*traces));
    if (heap == NULL || traces == NULL)
        exit(1);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t words[STRIDE / 8] = {0};
        for (size_t k = 0; k < STRIDE / 8; k++)
            words[k] = k % 3 == 0 ? random_below(100000) : 0x3ff0000000000000u + k;
        for (size_t k = 0; k < pointers; k++) {
            uint64_t to = k > 0 ? random_below(count) : i + 1 < count ? i + 1 : 0;
            words[1 + 4 * k] = BASE + (uint64_t)STRIDE * to + 16 * (uint64_t)(k == 1 && i % 3 == 0);
        }
        memcpy(heap + (size_t)i * STRIDE, words, STRIDE);
        traces[i] =
            (struct asnap_trace){.address = BASE + (uint64_t)STRIDE * i, .size = BLOCK_BYTES};
    }
    /* As the table has them: by shard, in order within it. */
    for (uint32_t i = 0; i + 1 < count; i += 2) {
        uint32_t other = (uint32_t)random_below(count);
        struct asnap_trace swapped = traces[i];
        traces[i] = traces[other];
        traces[other] = swapped;
    }
    return traces;
}

/* The most memory that this process has had, in bytes. */
static double resident_most(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss * 1024;
}

static double reading(void)
{
    static uint8_t piece[1 << 20];
    double start = seconds();
    for (size_t at = 0; at < heap_bytes; at += sizeof(piece)) {
        size_t size = heap_bytes - at < sizeof(piece) ? heap_bytes - at : sizeof(piece);
        read_heap(NULL, BASE + at, piece, size);
    }
    return seconds() - start;
}

static void run(uint32_t count, uint32_t pointers)
{
    struct asnap_trace *traces = fill(count, pointers);
    struct asnap_memory memory = {read_heap, NULL, heap_bytes};
    struct asnap_word_reader reader = {.memory = &memory, .heuristics = true};
    struct asnap_block_index index;
    struct asnap_edges edges;
    struct asnap_referrers referrers;
    struct asnap_reach reach;
    struct asnap_dominators dominators;
    struct asnap_root_pointer roots[100];
    size_t skipped;
    reading();
    double read = reading();
    double before = resident_most();
    double start = seconds();
    check(asnap_block_index_init(&index, traces, count, &skipped));
    double indexed = seconds();
    check(asnap_edges_init(&edges, &index, &reader));
    double found = seconds();
    for (size_t i = 0; i < 100; i++)
        roots[i] = (struct asnap_root_pointer){.edge = (uint32_t)random_below(count)};
    check(asnap_reach_init(&reach, &index, &edges, roots, 100, NULL));
    double classed = seconds();
    check(asnap_referrers_init(&referrers, &edges, count));
    double referred = seconds();
    double with_graph = resident_most();
    check(asnap_dominators_init(&dominators, &index, &edges, &referrers, &reach, roots, 100, NULL));
    double done = seconds();
    double edge_bytes = 8 * (double)edges.count;
    printf("graph of %u blocks, %zu edges: %.2f s\tindex %.2f, edges %.2f, classes %.2f, referrers "
           "%.2f\n",
           count, edges.count, referred - start, indexed - start, found - indexed, classed - found,
           referred - classed);
    printf("  one reading of the memory %.3f s\t%.1f times\n", read, (referred - start) / read);
    printf("  dominators %.2f s\t%.2f times the graph\n", done - referred,
           (done - referred) / (referred - start));
    printf("  memory, beside 8 bytes an edge\t%.1f bytes a block\tat most 40 bytes\n",
           (with_graph - before - edge_bytes) / count);
    printf("  and while dominators are sought\t%.1f bytes a block\tat most 24 bytes\n",
           (resident_most() - with_graph) / count);
    asnap_dominators_deinit(&dominators);
    asnap_referrers_deinit(&referrers);
    asnap_reach_deinit(&reach);
    asnap_edges_deinit(&edges);
    asnap_block_index_deinit(&index);
    free(traces);
    free(heap);
}

/* In a process of its own, so that the most memory of each is its own. */
static void run_apart(uint32_t count, uint32_t pointers)
{
    int status = 1;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        run(count, pointers);
        exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        exit(1);
}

int main(int argc, char **argv)
{
    bool is_small = argc > 1 && strcmp(argv[1], "small") == 0;
    for (uint32_t count = 1000000; count <= (is_small ? 1000000u : 10000000u); count *= 10) {
        run_apart(count, 0);
        run_apart(count, 1);
        run_apart(count, 4);
    }
    return 0;
}
