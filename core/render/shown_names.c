#include "shown_names.h"

#include <stdlib.h>
#include <string.h>

#include "function_name.h"

struct asnap_error *asnap_moved_path(const struct asnap_render_options *options, const char *path,
                                     char **moved)
{
    *moved = NULL;
    for (size_t i = 0; options != NULL && i < options->path_rule_count; i++) {
        const struct asnap_path_rule *rule = &options->path_rules[i];
        size_t from = strlen(rule->from);
        if (from == 0 || strncmp(path, rule->from, from) != 0 ||
            (path[from] != '/' && path[from] != '\0' && rule->from[from - 1] != '/'))
            continue;
        size_t to = strlen(rule->to);
        char *made = malloc(to + strlen(path + from) + 1);
        if (made == NULL)
            return asnap_error_no_memory();
        memcpy(made, rule->to, to);
        memcpy(made + to, path + from, strlen(path + from) + 1);
        *moved = made;
        return NULL;
    }
    return NULL;
}

struct asnap_error *asnap_short_function(const char *name, char **shortened)
{
    char *output = malloc(strlen(name) + 1);
    if (output == NULL)
        return asnap_error_no_memory();
    asnap_function_shorten(name, output);
    *shortened = output;
    return NULL;
}

/* A path and the place of its span, to be sorted by its end. */
struct path {
    const char *text;
    size_t length;
    size_t place;
    size_t cut; /* bytes left out before what is shown */
};

static int compare_ends(const void *left, const void *right)
{
    const struct path *a = left;
    const struct path *b = right;
    for (size_t i = 1; i <= a->length && i <= b->length; i++) {
        unsigned char x = (unsigned char)a->text[a->length - i];
        unsigned char y = (unsigned char)b->text[b->length - i];
        if (x != y)
            return x < y ? -1 : 1;
    }
    return (a->length > b->length) - (a->length < b->length);
}

static int compare_places(const void *left, const void *right)
{
    const struct path *a = left;
    const struct path *b = right;
    return (a->place > b->place) - (a->place < b->place);
}

/* How much of a path comes before the shortest end, of whole components, that `other` does
 * not have. */
static size_t cut_of(const struct path *path, const struct path *other)
{
    size_t same = 0;
    while (same < path->length && same < other->length &&
           path->text[path->length - same - 1] == other->text[other->length - same - 1])
        same++;
    size_t cut = path->length - same;
    while (cut > 0 && path->text[cut - 1] != '/')
        cut--;
    /* The end that both have is not enough. */
    if (same > 0 && same == other->length && cut > 0) {
        cut--;
        while (cut > 0 && path->text[cut - 1] != '/')
            cut--;
    }
    return cut == 1 ? 0 : cut;
}

/* Finds the cut of each of the paths, which are sorted by their ends. */
static void find_cuts(struct path *paths, size_t count)
{
    static const struct path nothing = {.text = "", .length = 0};
    const struct path *before = &nothing;
    for (size_t first = 0, end; first < count; first = end) {
        end = first + 1;
        while (end < count && compare_ends(&paths[first], &paths[end]) == 0)
            end++;
        size_t cut = cut_of(&paths[first], before);
        size_t other = cut_of(&paths[first], end < count ? &paths[end] : &nothing);
        for (size_t i = first; i < end; i++)
            paths[i].cut = other < cut ? other : cut;
        before = &paths[end - 1];
    }
}

struct asnap_error *asnap_shorten_paths(const char *text, size_t size,
                                        struct asnap_path_span *spans, size_t count, char **result)
{
    struct path *paths = calloc(count + 1, sizeof(*paths));
    char *made = malloc(size + 1);
    if (paths == NULL || made == NULL) {
        free(paths);
        free(made);
        return asnap_error_no_memory();
    }
    for (size_t i = 0; i < count; i++)
        paths[i] = (struct path){text + spans[i].offset, spans[i].length, i, 0};
    qsort(paths, count, sizeof(*paths), compare_ends);
    find_cuts(paths, count);
    qsort(paths, count, sizeof(*paths), compare_places);
    size_t at = 0;
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        size_t before = spans[i].offset - at;
        memcpy(made + length, text + at, before);
        length += before;
        at = spans[i].offset + paths[i].cut;
    }
    memcpy(made + length, text + at, size - at);
    made[length + size - at] = '\0';
    free(paths);
    *result = made;
    return NULL;
}
