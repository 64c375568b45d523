/* Which blocks are not shown as leaks: rules of files, and built-in ones. */
#include <stdlib.h>
#include <string.h>

#include "allocsnap_graph.h"
#include "builtin_suppressions.h"
#include "grow.h"
#include "snapshot.h"
#include "suppression_file.h"

/* A rule of a file. */
struct rule {
    char *pattern;
    uint32_t file; /* which of the paths */
    uint32_t line;
};

struct asnap_suppressions {
    bool has_builtin; /* their numbers follow those of the rules */
    struct rule *rules;
    size_t rule_count;
    size_t rule_capacity;
    char **paths;
    size_t path_count;
};

struct asnap_error *asnap_suppressions_create(bool builtin, struct asnap_suppressions **made)
{
    struct asnap_suppressions *suppressions = calloc(1, sizeof(*suppressions));
    if (suppressions == NULL)
        return asnap_error_no_memory();
    suppressions->has_builtin = builtin;
    *made = suppressions;
    return NULL;
}

void asnap_suppressions_destroy(struct asnap_suppressions *suppressions)
{
    if (suppressions == NULL)
        return;
    for (size_t i = 0; i < suppressions->rule_count; i++)
        free(suppressions->rules[i].pattern);
    for (size_t i = 0; i < suppressions->path_count; i++)
        free(suppressions->paths[i]);
    free(suppressions->rules);
    free(suppressions->paths);
    free(suppressions);
}

static struct asnap_error *add_rule(void *context, const char *pattern, uint32_t line)
{
    struct asnap_suppressions *suppressions = context;
    size_t count = suppressions->rule_count;
    if (count == ASNAP_SUPPRESSIONS_MAX)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "%s:%u: there are more than %u rules: join some by a * in them",
                                  suppressions->paths[suppressions->path_count - 1], line,
                                  ASNAP_SUPPRESSIONS_MAX);
    struct rule *rules =
        asnap_grow(suppressions->rules, &suppressions->rule_capacity, count + 1, sizeof(*rules));
    if (rules == NULL)
        return asnap_error_no_memory();
    suppressions->rules = rules;
    rules[count] = (struct rule){
        .pattern = strdup(pattern), .file = (uint32_t)(suppressions->path_count - 1), .line = line};
    if (rules[count].pattern == NULL)
        return asnap_error_no_memory();
    suppressions->rule_count++;
    return NULL;
}

struct asnap_error *asnap_suppressions_read(struct asnap_suppressions *suppressions,
                                            const char *path)
{
    char **paths = reallocarray(suppressions->paths, suppressions->path_count + 1, sizeof(*paths));
    if (paths == NULL)
        return asnap_error_no_memory();
    suppressions->paths = paths;
    paths[suppressions->path_count] = strdup(path);
    if (paths[suppressions->path_count] == NULL)
        return asnap_error_no_memory();
    suppressions->path_count++;
    return asnap_suppression_file_read(path, add_rule, suppressions);
}

uint32_t asnap_suppressions_count(const struct asnap_suppressions *suppressions)
{
    uint32_t builtin = suppressions->has_builtin ? asnap_builtin_suppression_count() : 0;
    return (uint32_t)suppressions->rule_count + builtin;
}

struct asnap_suppression asnap_suppressions_rule(const struct asnap_suppressions *suppressions,
                                                 uint32_t number)
{
    if (number < suppressions->rule_count) {
        const struct rule *rule = &suppressions->rules[number];
        return (struct asnap_suppression){
            .rule = rule->pattern, .path = suppressions->paths[rule->file], .line = rule->line};
    }
    uint32_t builtin = number - (uint32_t)suppressions->rule_count;
    return (struct asnap_suppression){.rule = asnap_builtin_suppression_name(builtin),
                                      .what = asnap_builtin_suppression_what(builtin)};
}

/* ---- which rule the blocks of a stack fall under ---- */

#define NO_RULE UINT32_MAX
#define NOT_ASKED (UINT32_MAX - 1)

/* The first rule for each name and each stack, found when it is asked for. */
struct matching {
    const struct asnap_suppressions *suppressions;
    const struct asnap_store *store;
    struct asnap_set_matches sets;
    uint32_t *files;
    uint32_t *functions;
    uint32_t *mapped; /* by mapping name */
    uint32_t *tracebacks;
    uint32_t no_module;
};

static uint32_t *make_rules(size_t count)
{
    uint32_t *rules = malloc((count + 1) * sizeof(*rules));
    for (size_t i = 0; rules != NULL && i <= count; i++)
        rules[i] = NOT_ASKED;
    return rules;
}

static struct asnap_error *matching_init(struct matching *matching,
                                         const struct asnap_suppressions *suppressions,
                                         const struct asnap_store *store)
{
    *matching = (struct matching){
        .suppressions = suppressions,
        .store = store,
        .files = make_rules(store->files.count),
        .functions = make_rules(store->functions.count),
        .mapped = make_rules(store->mapping_names.count),
        .tracebacks = make_rules(store->traceback_count),
        .no_module = NOT_ASKED,
    };
    if (matching->files == NULL || matching->functions == NULL || matching->mapped == NULL ||
        matching->tracebacks == NULL)
        return asnap_error_no_memory();
    return suppressions->has_builtin ? asnap_set_matches_init(&matching->sets, store) : NULL;
}

static void matching_deinit(struct matching *matching)
{
    asnap_set_matches_deinit(&matching->sets);
    free(matching->files);
    free(matching->functions);
    free(matching->mapped);
    free(matching->tracebacks);
}

/* The first rule that matches a name, kept in *known. */
static uint32_t by_name(const struct matching *matching, const char *name, uint32_t *known)
{
    const struct asnap_suppressions *suppressions = matching->suppressions;
    if (*known != NOT_ASKED)
        return *known;
    uint32_t found = 0;
    while (found < suppressions->rule_count &&
           !asnap_suppression_matches(suppressions->rules[found].pattern, name))
        found++;
    *known = found < suppressions->rule_count ? found : NO_RULE;
    return *known;
}

static uint32_t by_file(const struct matching *matching, uint32_t file)
{
    return by_name(matching, asnap_names_get(&matching->store->files, file),
                   &matching->files[file]);
}

/* As in LeakSanitizer, the module comes first; what is in none is in "<unknown module>". */
static uint32_t by_module(struct matching *matching, const struct asnap_stored_frame *frame)
{
    const struct asnap_store *store = matching->store;
    const struct asnap_location *location = &store->locations[frame->location];
    if (frame->mapping != ASNAP_NONE) {
        uint32_t path = store->mappings[frame->mapping].path;
        return by_name(matching, asnap_names_get(&store->mapping_names, path),
                       &matching->mapped[path]);
    }
    if (location->lineno != 0)
        return NO_RULE;
    if (strcmp(asnap_names_get(&store->files, location->file), "<unknown>") == 0)
        return by_name(matching, "<unknown module>", &matching->no_module);
    return by_file(matching, location->file);
}

static uint32_t by_frame(struct matching *matching, uint32_t frame_id)
{
    const struct asnap_store *store = matching->store;
    const struct asnap_stored_frame *frame = &store->frames[frame_id];
    const struct asnap_location *location = &store->locations[frame->location];
    uint32_t found = by_module(matching, frame);
    /* What stands for the name of a function is no name. */
    bool is_named = frame->function != ASNAP_NONE && frame->named_by != ASNAP_NAMED_NONE &&
                    frame->named_by != ASNAP_NAMED_ADDRESS;
    if (found == NO_RULE && is_named)
        found = by_name(matching, asnap_names_get(&store->functions, frame->function),
                        &matching->functions[frame->function]);
    if (found == NO_RULE && location->lineno != 0)
        found = by_file(matching, location->file);
    return found;
}

static uint32_t by_traceback(struct matching *matching, uint32_t traceback)
{
    const struct asnap_suppressions *suppressions = matching->suppressions;
    const uint32_t *frame_ids = asnap_store_frame_ids(matching->store, traceback);
    uint32_t count = matching->store->tracebacks[traceback].frame_count;
    uint32_t found = NO_RULE;
    if (matching->tracebacks[traceback] != NOT_ASKED)
        return matching->tracebacks[traceback];
    for (uint32_t i = 0; suppressions->rule_count > 0 && found == NO_RULE && i < count; i++)
        found = by_frame(matching, frame_ids[i]);
    if (found == NO_RULE && suppressions->has_builtin) {
        found = asnap_builtin_suppression_of(&matching->sets, matching->store, traceback);
        found += found == NO_RULE ? 0 : (uint32_t)suppressions->rule_count;
    }
    matching->tracebacks[traceback] = found;
    return found;
}

/* The rule of each block of a graph that is of one of these classes. */
static struct asnap_error *find_rules(struct matching *matching, const struct asnap_graph *graph,
                                      uint32_t classes, const struct asnap_progress *progress,
                                      uint32_t *rules)
{
    uint32_t count = asnap_graph_block_count(graph);
    for (uint32_t block = 0; block < count; block++) {
        struct asnap_graph_block_info info = asnap_graph_block(graph, block);
        bool is_asked = (classes >> info.reach & 1) != 0;
        rules[block] = is_asked ? by_traceback(matching, info.trace.traceback_id) : NO_RULE;
        if (block % 1024 == 0 && progress != NULL &&
            !progress->report(progress->context, "matching suppressions", block, count))
            return asnap_error_interrupted("matching suppressions");
    }
    return NULL;
}

struct asnap_error *asnap_graph_suppress(struct asnap_graph *graph,
                                         const struct asnap_snapshot *snapshot,
                                         const struct asnap_suppressions *suppressions,
                                         uint32_t classes, const struct asnap_progress *progress,
                                         struct asnap_graph **made)
{
    struct matching matching;
    uint32_t *rules = calloc((size_t)asnap_graph_block_count(graph) + 1, sizeof(*rules));
    if (rules == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = matching_init(&matching, suppressions, snapshot->store);
    if (error == NULL)
        error = find_rules(&matching, graph, classes, progress, rules);
    if (error == NULL)
        error = asnap_graph_hold(graph, rules, asnap_suppressions_count(suppressions), made);
    matching_deinit(&matching);
    free(rules);
    return error;
}
