#include <stdlib.h>

#include "v8.h"

/* Pointers that are asked for at once. */
enum { AT_ONCE = 1024 };

struct kind_names {
    const char *group;
    const char *root; /* where nobody has named it */
};

/* A new kind without names does not compile. */
static struct kind_names names_of(enum asnap_root_kind kind)
{
    switch (kind) {
    case ASNAP_ROOT_REGISTER:
        return (struct kind_names){"(registers)", "register"};
    case ASNAP_ROOT_STACK:
        return (struct kind_names){"(stacks)", "stack"};
    case ASNAP_ROOT_TLS:
        return (struct kind_names){"(thread-local storage)", "thread-local storage"};
    case ASNAP_ROOT_FILE:
        return (struct kind_names){"(data of programs and libraries)", "data"};
    case ASNAP_ROOT_MAPPING:
        return (struct kind_names){"(other memory)", "mapping"};
    case ASNAP_ROOT_GAP:
        return (struct kind_names){"(memory between traced blocks)",
                                   "memory between traced blocks"};
    case ASNAP_ROOT_RED_ZONE:
        return (struct kind_names){"(below stack pointers)", "below a stack pointer"};
    case ASNAP_ROOT_KINDS:
        break;
    }
    return (struct kind_names){"(other roots)", "root"};
}

/* Calls for each pointer in a root. */
typedef void visitor(void *context, const struct asnap_reference *reference);

static void visit_pointers(const struct asnap_graph *graph, visitor *visit, void *context)
{
    struct asnap_reference references[AT_ONCE];
    size_t count;
    uint64_t first = 0;
    do {
        asnap_graph_root_references(graph, first, references, AT_ONCE, &count);
        for (size_t i = 0; i < count; i++)
            visit(context, &references[i]);
        first += count;
    } while (count != 0);
}

/* Pointers by the root that they are in. */
struct by_root {
    const struct asnap_root *roots;
    size_t *next; /* of each root of the graph: how many it holds; then where its next one goes */
    struct asnap_v8_pointer *pointers;
};

static void count_pointer(void *context, const struct asnap_reference *reference)
{
    struct by_root *by_root = context;
    by_root->next[reference->root]++;
}

static uint32_t word_of(const struct asnap_root *root, uint64_t place)
{
    if (root->kind == ASNAP_ROOT_REGISTER || place < root->start)
        return 0;
    uint64_t word = (place - root->start) / 8;
    return word < UINT32_MAX ? (uint32_t)word : UINT32_MAX;
}

static void place_pointer(void *context, const struct asnap_reference *reference)
{
    struct by_root *by_root = context;
    by_root->pointers[by_root->next[reference->root]++] = (struct asnap_v8_pointer){
        .block = reference->block,
        .word = word_of(&by_root->roots[reference->root], reference->place),
    };
}

/* Lists the roots that hold pointers by kind, and gives their pointers a place. */
static void list_roots(struct asnap_v8_roots *roots, struct by_root *by_root, size_t count)
{
    for (uint32_t kind = 0; kind < ASNAP_ROOT_KINDS; kind++) {
        for (size_t i = 0; i < count; i++) {
            size_t held = by_root->next[i];
            if (by_root->roots[i].kind != kind || held == 0)
                continue;
            roots->first[roots->root_count] = by_root->next[i] = roots->pointer_count;
            roots->roots[roots->root_count++] = (uint32_t)i;
            roots->pointer_count += held;
            roots->group_sizes[kind]++;
        }
    }
    roots->first[roots->root_count] = roots->pointer_count;
}

static void number_groups(struct asnap_v8_roots *roots, const struct asnap_graph *graph)
{
    uint64_t size;
    uint64_t count;
    asnap_graph_sum(graph, ASNAP_REACH_DEFINITE, &size, &count);
    roots->group_sizes[ASNAP_V8_LEAKED] = (uint32_t)count;
    for (uint32_t group = 0; group < ASNAP_V8_GROUPS; group++) {
        if (roots->group_sizes[group] != 0)
            roots->group_nodes[group] = ++roots->group_count;
    }
}

struct asnap_error *asnap_v8_roots_init(struct asnap_v8_roots *roots,
                                        const struct asnap_graph *graph)
{
    size_t count;
    struct by_root by_root = {.roots = asnap_graph_roots(graph, &count)};
    *roots = (struct asnap_v8_roots){0};
    by_root.next = calloc(count + 1, sizeof(*by_root.next));
    roots->roots = calloc(count + 1, sizeof(*roots->roots));
    roots->first = calloc(count + 1, sizeof(*roots->first));
    bool failed = by_root.next == NULL || roots->roots == NULL || roots->first == NULL;
    if (!failed) {
        visit_pointers(graph, count_pointer, &by_root);
        list_roots(roots, &by_root, count);
        number_groups(roots, graph);
        roots->pointers = calloc(roots->pointer_count + 1, sizeof(*roots->pointers));
        by_root.pointers = roots->pointers;
        failed = roots->pointers == NULL;
    }
    if (!failed)
        visit_pointers(graph, place_pointer, &by_root);
    free(by_root.next);
    if (failed)
        asnap_v8_roots_deinit(roots);
    return failed ? asnap_error_no_memory() : NULL;
}

void asnap_v8_roots_deinit(struct asnap_v8_roots *roots)
{
    free(roots->roots);
    free(roots->first);
    free(roots->pointers);
    *roots = (struct asnap_v8_roots){0};
}

struct asnap_error *asnap_v8_group_name(uint32_t group, struct asnap_strings *strings, uint32_t *id)
{
    const char *name = group == ASNAP_V8_LEAKED ? "(leaked: nothing points to these)"
                                                : names_of((enum asnap_root_kind)group).group;
    asnap_strings_name(strings, name, "");
    return asnap_strings_end(strings, id);
}

struct asnap_error *asnap_v8_root_name(const struct asnap_export_options *options, uint32_t root,
                                       struct asnap_strings *strings, uint32_t *id)
{
    size_t count;
    const struct asnap_root *roots = asnap_graph_roots(options->graph, &count);
    const char *name = NULL;
    if (options->root_names != NULL && root < options->root_name_count)
        name = options->root_names[root];
    asnap_strings_name(
        strings, name != NULL ? name : names_of((enum asnap_root_kind)roots[root].kind).root, "");
    return asnap_strings_end(strings, id);
}
