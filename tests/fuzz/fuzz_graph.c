/* Makes a program of any bytes, blocks and mappings that lie as they like, threads and pointers
 * everywhere, and asks its graph. What that says is compared with the same found the slow way.
 *
 * An input is read byte by byte, zeros behind its end: what make_program asks for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocsnap_graph.h"
#include "allocsnap_table.h"
#include "target.h"

#define ROOT UINT64_C(0x10000)
#define BASE UINT64_C(0x7f1234500000)
#define PAGE UINT64_C(4096)
enum { PAGES = 16, BLOCKS_MOST = 40, REGIONS_MOST = 6, THREADS_MOST = 3, GROUPS = 3 };

size_t fuzz_accepted;

struct input {
    const uint8_t *bytes;
    size_t size;
};

struct program {
    struct asnap_table_root root;
    uint8_t bytes[PAGES * PAGE]; /* from BASE on */
    uint32_t unreadable;         /* a bit for each page */
    struct asnap_region regions[REGIONS_MOST];
    struct asnap_trace traces[BLOCKS_MOST];
    uint32_t count;
    struct asnap_thread threads[THREADS_MOST];
    struct asnap_register registers[THREADS_MOST];
    struct asnap_address_range untouched;
    struct asnap_memory memory;
    struct asnap_graph_facts facts;
};

/* What the graph says: of each block what it leads to, and how. */
struct told {
    uint32_t count;
    uint8_t leads[BLOCKS_MOST][BLOCKS_MOST]; /* 1: inside; 2: to the start, or as good as that */
    uint8_t roots[BLOCKS_MOST];              /* likewise, of roots */
    uint8_t reach[BLOCKS_MOST];
    uint64_t starts[BLOCKS_MOST];
    uint64_t sizes[BLOCKS_MOST];
    bool below[BLOCKS_MOST][BLOCKS_MOST];
};

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_graph: %s\n", what);
    abort();
}

static void require_ok(struct asnap_error *error)
{
    require(error == NULL, error == NULL ? "" : asnap_error_message(error));
}

/* ---- a program ---- */

static uint32_t next_byte(struct input *input)
{
    if (input->size == 0)
        return 0;
    input->size--;
    return *input->bytes++;
}

static uint32_t next_two(struct input *input)
{
    uint32_t low = next_byte(input);
    return low | next_byte(input) << 8;
}

static int read_program(void *context, uint64_t address, void *buffer, size_t size)
{
    const struct program *program = context;
    if (address >= ROOT && address < ROOT + sizeof(program->root)) {
        if (size > ROOT + sizeof(program->root) - address)
            return ASNAP_READ_FAILED;
        memcpy(buffer, (const char *)&program->root + (address - ROOT), size);
        return ASNAP_READ_OK;
    }
    uint64_t offset = address - BASE;
    if (offset >= sizeof(program->bytes) || size > sizeof(program->bytes) - offset)
        return ASNAP_READ_FAILED;
    for (uint64_t page = offset / PAGE; size > 0 && page <= (offset + size - 1) / PAGE; page++) {
        if ((program->unreadable >> page & 1) != 0)
            return ASNAP_READ_FAILED;
    }
    memcpy(buffer, program->bytes + offset, size);
    return ASNAP_READ_OK;
}

static void make_root(struct program *program)
{
    struct asnap_table_root *root = &program->root;
    memcpy(root->magic, ASNAP_TABLE_MAGIC, sizeof(root->magic));
    root->version = ASNAP_TABLE_VERSION;
    root->byte_order = ASNAP_TABLE_BYTE_ORDER;
    root->self = ROOT;
    root->root_bytes = sizeof(*root);
    root->shard_bytes = sizeof(struct asnap_table_shard);
    root->record_bytes = sizeof(struct asnap_table_record);
    root->node_bytes = sizeof(struct asnap_table_node);
    root->shard_count = ASNAP_TABLE_SHARDS;
    root->pointer_bytes = 8;
    root->domain_count = 1;
    root->control = (struct asnap_table_control){.sequence = 1, .tracing = 1, .frame_limit = 16};
    root->applied = root->control;
}

static uint64_t next_size(struct input *input)
{
    static const uint64_t odd[] = {0, 1, 70000, UINT64_C(1) << 47, UINT64_MAX, UINT64_MAX - BASE};
    uint32_t byte = next_byte(input);
    return byte >= 250 ? odd[byte - 250] : (uint64_t)byte * 8 + byte % 5;
}

static void make_blocks(struct program *program, struct input *input)
{
    program->count = 1 + next_byte(input) % BLOCKS_MOST;
    uint64_t at = 0;
    for (uint32_t i = 0; i < program->count; i++) {
        uint32_t where = next_two(input);
        uint64_t size = next_size(input);
        /* Side by side, as an allocator gives them, or anywhere. */
        uint64_t start = where < 256 ? at + where * 16 : where;
        program->traces[i] =
            (struct asnap_trace){.address = BASE + start, .size = size, .time = ASNAP_TIME_UNKNOWN};
        at = size < sizeof(program->bytes) ? (start + size + 16) / 16 * 16 : at;
        at %= sizeof(program->bytes);
    }
}

/* A word that means something. */
static uint64_t next_word(const struct program *program, struct input *input)
{
    uint32_t kind = next_byte(input);
    uint32_t of = next_byte(input);
    const struct asnap_trace *trace = &program->traces[of % program->count];
    switch (kind % 8) {
    case 0:
    case 1:
        return trace->address;
    case 2:
        return trace->address + kind / 8;
    case 3:
        return trace->address + (kind / 8 % 4) * 8;
    case 4:
        return BASE + (uint64_t)of * 256 + kind / 8 * 8;
    case 5:
        return trace->size - 8 * (kind / 8 % 4) - kind / 32 % 2;
    case 6:
        return trace->address | (uint64_t)(kind / 8) << 56;
    default:
        return of;
    }
}

static void make_regions(struct program *program, struct input *input)
{
    static const char *const paths[] = {
        NULL, "[heap]", "[stack]", "/lib/libc.so.6", "/bin/program", "/lib/ld-linux-x86-64.so.2"};
    uint32_t count = 1 + next_byte(input) % REGIONS_MOST;
    uint64_t at = BASE;
    for (uint32_t i = 0; i < count && at < BASE + sizeof(program->bytes); i++) {
        uint32_t shape = next_byte(input);
        uint32_t what = next_byte(input);
        at += shape % 4 == 3 ? PAGE : 0;
        uint64_t end = at + (1 + shape / 4 % 8) * PAGE;
        program->regions[program->facts.region_count++] = (struct asnap_region){
            .start = at,
            .end = end,
            .path = paths[what % 6],
            .flags = ASNAP_REGION_READABLE | (what / 8 % 8 == 7 ? 0 : ASNAP_REGION_WRITABLE),
        };
        at = end;
    }
    program->facts.regions = program->regions;
}

static void make_threads(struct program *program, struct input *input)
{
    uint32_t count = next_byte(input) % (THREADS_MOST + 1);
    for (uint32_t i = 0; i < count; i++) {
        program->threads[i].number = i + 1;
        program->threads[i].stack_pointer = next_word(program, input);
        program->threads[i].thread_pointer = next_word(program, input);
        program->registers[i] =
            (struct asnap_register){.value = next_word(program, input), .thread = i, .name = "r"};
    }
    program->facts.threads = program->threads;
    program->facts.thread_count = count;
    program->facts.registers = program->registers;
    program->facts.register_count = count;
}

static void make_program(struct program *program, struct input *input)
{
    memset(program, 0, sizeof(*program));
    make_root(program);
    program->memory = (struct asnap_memory){.read = read_program, .context = program};
    program->facts.memory = &program->memory;
    program->facts.root_address = ROOT;
    uint32_t how = next_byte(input);
    program->facts.no_heuristics = (how & 1) != 0;
    program->facts.gaps = how / 2 % 3;
    program->facts.tag_mask = (how & 8) != 0 ? UINT64_C(0xff) << 56 : 0;
    make_blocks(program, input);
    make_regions(program, input);
    make_threads(program, input);
    program->unreadable = (how & 16) != 0 ? next_two(input) : 0;
    if ((how & 32) != 0) {
        uint64_t start = BASE + next_byte(input) % PAGES * PAGE;
        program->untouched = (struct asnap_address_range){start, start + PAGE};
        program->facts.untouched = &program->untouched;
        program->facts.untouched_count = 1;
    }
    while (input->size > 0) {
        uint64_t at = next_two(input) % (sizeof(program->bytes) / 8) * 8;
        uint64_t word = next_word(program, input);
        memcpy(program->bytes + at, &word, sizeof(word));
    }
}

static struct asnap_snapshot *snapshot_of(struct program *program)
{
    struct asnap_builder *builder;
    struct asnap_snapshot *snapshot;
    struct asnap_frame frame = {.filename = "main.c", .lineno = 1};
    uint32_t number, traceback;
    require_ok(asnap_builder_create(&builder));
    require_ok(asnap_builder_frame(builder, &frame, 0, ASNAP_NO_MAPPING, &number));
    require_ok(asnap_builder_traceback(builder, &number, 1, 1, &traceback));
    for (uint32_t i = 0; i < program->count; i++)
        program->traces[i].traceback_id = traceback;
    struct asnap_error *error = asnap_builder_traces(builder, program->traces, program->count);
    if (error == NULL)
        error = asnap_builder_finish(builder, 16, &snapshot);
    asnap_builder_destroy(builder);
    if (error == NULL)
        return snapshot;
    /* More bytes than there can be in all. */
    require(asnap_error_code(error) == ASNAP_ERROR_INVALID_ARGUMENT, asnap_error_message(error));
    asnap_error_destroy(error);
    return NULL;
}

/* ---- what the graph says ---- */

static void hear(struct asnap_graph *graph, struct told *told)
{
    static struct asnap_reference references[PAGES * PAGE / 8 + REGIONS_MOST];
    const size_t most = sizeof(references) / sizeof(references[0]);
    told->count = asnap_graph_block_count(graph);
    for (uint32_t i = 0; i < told->count; i++) {
        size_t count, root_count, block_count;
        struct asnap_graph_block_info info = asnap_graph_block(graph, i);
        told->reach[i] = (uint8_t)info.reach;
        told->starts[i] = info.trace.address;
        told->sizes[i] = info.trace.size;
        asnap_graph_references(graph, i, references, most, &count);
        require(count == info.reference_count, "another number of references");
        for (size_t j = 0; j < count; j++) {
            require(references[j].block < told->count, "a reference to no block");
            uint8_t *leads = &told->leads[i][references[j].block];
            uint8_t kind = references[j].inside ? 1 : 2;
            *leads = kind > *leads ? kind : *leads;
        }
        require_ok(asnap_graph_referrers(graph, i, references, most, &root_count, &block_count));
        for (size_t j = 0; j < root_count && j < most; j++) {
            uint8_t kind = references[j].inside ? 1 : 2;
            told->roots[i] = kind > told->roots[i] ? kind : told->roots[i];
        }
    }
}

/* All that blocks lead to, without one of them, by pointers of a kind at least. */
static void flood(const struct told *told, uint32_t without, uint8_t kind, bool *reached)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = 0; i < told->count; i++) {
            for (uint32_t j = 0; reached[i] && j < told->count; j++) {
                if (reached[j] || j == without || told->leads[i][j] < kind)
                    continue;
                reached[j] = changed = true;
            }
        }
    }
}

static void check_classes(struct told *told)
{
    bool by_start[BLOCKS_MOST] = {false};
    bool by_any[BLOCKS_MOST] = {false};
    for (uint32_t i = 0; i < told->count; i++) {
        by_start[i] = told->roots[i] == 2;
        by_any[i] = told->roots[i] != 0;
        told->below[i][i] = true;
        flood(told, UINT32_MAX, 1, told->below[i]);
    }
    flood(told, UINT32_MAX, 2, by_start);
    flood(told, UINT32_MAX, 1, by_any);
    for (uint32_t i = 0; i < told->count; i++) {
        bool led_to = false; /* by one that it does not lead back to, or by an earlier one */
        for (uint32_t j = 0; j < told->count; j++)
            led_to |= j != i && !by_any[j] && told->below[j][i] && (!told->below[i][j] || j < i);
        uint8_t expected = by_start[i] ? ASNAP_REACH_REACHABLE
                           : by_any[i] ? ASNAP_REACH_POSSIBLE
                           : led_to    ? ASNAP_REACH_INDIRECT
                                       : ASNAP_REACH_DEFINITE;
        require(told->reach[i] == expected, "a block of another class");
    }
}

/* What becomes unreachable without a block, where definite ones count as held. */
static void check_retained(const struct told *told, const struct asnap_graph *graph)
{
    for (uint32_t i = 0; i < told->count; i++) {
        bool reached[BLOCKS_MOST] = {false};
        uint64_t size = 0, count = 0, found_size, found_count;
        for (uint32_t j = 0; j < told->count; j++)
            reached[j] = j != i && (told->roots[j] != 0 || told->reach[j] == ASNAP_REACH_DEFINITE);
        flood(told, i, 1, reached);
        for (uint32_t j = 0; j < told->count; j++) {
            size += reached[j] ? 0 : told->sizes[j];
            count += !reached[j];
        }
        asnap_graph_retained(graph, i, &found_size, &found_count);
        require(found_size == size && found_count == count, "a block retains something else");
    }
}

/* Groups: what no block counts twice is at most what all of them together keep alive. */
static void check_groups(const struct program *program, const struct asnap_graph *graph)
{
    uint32_t groups[BLOCKS_MOST];
    uint64_t sizes[GROUPS] = {0}, counts[GROUPS] = {0};
    uint64_t exact_sizes[GROUPS], exact_counts[GROUPS];
    for (uint32_t i = 0; i < program->count; i++)
        groups[i] = i % (GROUPS + 1) == GROUPS ? UINT32_MAX : i % (GROUPS + 1);
    require_ok(asnap_graph_retained_by(graph, program->traces, program->count, groups, GROUPS,
                                       sizes, counts));
    require_ok(asnap_graph_retained_exactly(graph, program->traces, program->count, groups, GROUPS,
                                            NULL, exact_sizes, exact_counts));
    for (uint32_t i = 0; i < GROUPS; i++)
        require(counts[i] <= exact_counts[i] && sizes[i] <= exact_sizes[i],
                "several blocks retain less than each");
}

/* Every way is one, of blocks of which each leads to the next. */
static void check_ways(const struct told *told, struct asnap_graph *graph)
{
    for (uint32_t i = 0; i < told->count; i++) {
        struct asnap_graph_paths *paths = NULL;
        struct asnap_reference root;
        const uint32_t *way;
        size_t count, last = 0;
        require_ok(asnap_graph_paths_create(graph, i, &paths));
        for (size_t found = 0;; found++, last = count) {
            require_ok(asnap_graph_paths_next(paths, &root, &way, &count));
            bool is_held = told->reach[i] <= ASNAP_REACH_POSSIBLE;
            require(found > 0 || (count > 0) == is_held, "no way to what is held");
            if (count == 0)
                break;
            require(count >= last && way[count - 1] == i && told->roots[way[0]] != 0, "no way");
            for (size_t j = 0; j + 1 < count; j++)
                require(told->leads[way[j]][way[j + 1]] != 0, "a way that leads nowhere");
        }
        asnap_graph_paths_destroy(paths);
    }
}

/* The innermost block that holds an address. */
static void check_finds(const struct asnap_graph *graph, const struct told *told)
{
    for (uint64_t address = BASE - 64; address < BASE + 2 * PAGE; address += 3) {
        uint32_t expected = ASNAP_GRAPH_NO_BLOCK;
        for (uint32_t i = 0; i < told->count; i++) {
            uint64_t size = told->sizes[i] == 0 ? 1 : told->sizes[i];
            if (told->starts[i] <= address && address - told->starts[i] < size)
                expected = i;
        }
        require(asnap_graph_find(graph, address) == expected, "another block is found");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct program program;
    static struct told told;
    struct input input = {bytes, size};
    make_program(&program, &input);
    struct asnap_snapshot *snapshot = snapshot_of(&program);
    if (snapshot == NULL)
        return 0;
    struct asnap_graph *graph = NULL;
    require_ok(asnap_graph_create(snapshot, &program.facts, &graph));
    fuzz_accepted++;
    memset(&told, 0, sizeof(told));
    hear(graph, &told);
    check_finds(graph, &told);
    check_classes(&told);
    require_ok(asnap_graph_retain(graph, NULL));
    check_retained(&told, graph);
    check_groups(&program, graph);
    check_ways(&told, graph);
    asnap_graph_destroy(graph);
    asnap_snapshot_destroy(snapshot);
    return 0;
}
