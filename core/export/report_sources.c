#include "report_sources.h"

#include <stdlib.h>
#include <string.h>

#include "order.h"
#include "report_file.h"

/* The largest sources are generated and smaller. */
#define LARGEST_FILE (16u << 20)
/* Longer lines are cut off: what is generated or packed into one line is not read by anybody. */
#define LONGEST_LINE ((size_t)400)
#define TAB 8

/* A place in a source file whose lines are wanted. */
struct place {
    uint32_t file;
    uint32_t lineno;
};

struct sources {
    const struct asnap_report_cells *cells;
    const struct asnap_report_options *options;
    struct place *places; /* by file and line */
    size_t place_count;
    struct asnap_report_names lines; /* their texts */
    struct asnap_report_list list;   /* file, line, text of each */
};

/* What all blocks below each frame hold, in bytes; free() it. */
static uint64_t *sum_frames(const struct asnap_report_cells *cells)
{
    const struct asnap_report_stacks *stacks = cells->stacks;
    uint64_t *nodes = calloc(stacks->node_count, sizeof(*nodes));
    uint64_t *frames = calloc(stacks->frame_count + 1, sizeof(*frames));
    if (nodes == NULL || frames == NULL) {
        free(nodes);
        free(frames);
        return NULL;
    }
    for (size_t i = 0; i < cells->cell_count; i++)
        nodes[stacks->stacks[cells->cells[i].stack].node] += cells->cells[i].size;
    /* A node comes after its parent. */
    for (size_t i = stacks->node_count; i-- > 1;) {
        nodes[stacks->nodes[i].parent] += nodes[i];
        frames[stacks->nodes[i].frame] += nodes[i];
    }
    free(nodes);
    return frames;
}

static uint64_t weight(const void *context, uint32_t item, uint32_t level)
{
    const uint64_t *frames = context;
    return level == 0 ? frames[item] : ~(uint64_t)item;
}

static int by_place(const void *left, const void *right)
{
    const struct place *a = left;
    const struct place *b = right;
    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    return (a->lineno > b->lineno) - (a->lineno < b->lineno);
}

/* Finds the places of the frames that hold most. */
static struct asnap_error *choose(struct sources *sources)
{
    const struct asnap_report_stacks *stacks = sources->cells->stacks;
    uint64_t *frames = sum_frames(sources->cells);
    uint32_t *order = NULL;
    struct asnap_error *error = frames == NULL ? asnap_error_no_memory() : NULL;
    if (error == NULL)
        error = asnap_order_create(
            &(struct asnap_order_keys){.key = weight, .context = frames, .levels = 2},
            (uint32_t)stacks->frame_count, &order);
    sources->places = calloc(ASNAP_REPORT_PLACES, sizeof(*sources->places));
    if (error == NULL && sources->places == NULL)
        error = asnap_error_no_memory();
    for (size_t i = 0;
         error == NULL && i < stacks->frame_count && sources->place_count < ASNAP_REPORT_PLACES;
         i++) {
        const struct asnap_report_frame *frame = &stacks->frames[order[i]];
        if (frame->lineno != 0)
            sources->places[sources->place_count++] = (struct place){frame->file, frame->lineno};
    }
    if (error == NULL)
        qsort(sources->places, sources->place_count, sizeof(*sources->places), by_place);
    free(frames);
    free(order);
    return error;
}

/* ---- files ---- */

/* The path to read, moved by the first rule that fits; free() it. NULL where memory is short. */
static char *moved(const struct asnap_report_options *options, const char *path)
{
    for (size_t i = 0; i < options->path_rule_count; i++) {
        const struct asnap_path_rule *rule = &options->path_rules[i];
        size_t from = strlen(rule->from);
        if (from == 0 || strncmp(path, rule->from, from) != 0 ||
            (path[from] != '/' && path[from] != '\0' && rule->from[from - 1] != '/'))
            continue;
        size_t to = strlen(rule->to);
        size_t rest = strlen(path + from) + 1;
        char *made = malloc(to + rest);
        if (made != NULL) {
            memcpy(made, rule->to, to);
            memcpy(made + to, path + from, rest);
        }
        return made;
    }
    return strdup(path);
}

/* ---- lines ---- */

/* Copies a line, with blanks for tabs, and without white space at its end. */
static void copy_line(const char *text, size_t length, char line[LONGEST_LINE + TAB + 1])
{
    size_t used = 0;
    for (size_t i = 0; i < length && used < LONGEST_LINE; i++) {
        if (text[i] != '\t') {
            line[used++] = text[i] == '\0' ? ' ' : text[i];
            continue;
        }
        do
            line[used++] = ' ';
        while (used % TAB != 0);
    }
    while (used > 0 && (line[used - 1] == ' ' || line[used - 1] == '\r'))
        used--;
    line[used] = '\0';
}

static struct asnap_error *add_line(struct sources *sources, uint32_t file, uint32_t lineno,
                                    const char *text, size_t length)
{
    char line[LONGEST_LINE + TAB + 1];
    copy_line(text, length, line);
    struct asnap_error *error = asnap_report_list_add(&sources->list, file);
    if (error == NULL)
        error = asnap_report_list_add(&sources->list, lineno);
    if (error == NULL)
        error = asnap_report_add_name(&sources->lines, line, ASNAP_PRINTABLE_TEXT, &sources->list);
    return error;
}

/* Adds the lines around `count` places of one file, each once. */
static struct asnap_error *add_lines(struct sources *sources, const struct place *places,
                                     size_t count, const char *text, size_t size)
{
    struct asnap_error *error = NULL;
    size_t next = 0;
    const char *end = text + size;
    uint32_t lineno = 1;
    for (const char *line = text; error == NULL && line < end && next < count; lineno++) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        if (stop == NULL)
            stop = end;
        if (places[next].lineno <= lineno + ASNAP_REPORT_LINES_AROUND)
            error = add_line(sources, places->file, lineno, line, (size_t)(stop - line));
        while (next < count && places[next].lineno + ASNAP_REPORT_LINES_AROUND <= lineno)
            next++;
        line = stop + 1;
    }
    return error;
}

static struct asnap_error *add_file(struct sources *sources, const struct place *places,
                                    size_t count)
{
    struct asnap_report_file file = {0};
    char *path = moved(sources->options,
                       asnap_report_name_text(sources->cells->stacks->names, places->file));
    struct asnap_error *error = path == NULL ? asnap_error_no_memory() : NULL;
    /* A relative path is one of another directory. */
    if (error == NULL && path[0] == '/')
        error = asnap_report_file_read(path, LARGEST_FILE, &file);
    if (error == NULL && file.text != NULL)
        error = add_lines(sources, places, count, file.text, file.size);
    free(path);
    free(file.text);
    return error;
}

static struct asnap_error *add_files(struct sources *sources)
{
    struct asnap_error *error = choose(sources);
    for (size_t i = 0; error == NULL && i < sources->place_count;) {
        size_t end = i + 1;
        while (end < sources->place_count && sources->places[end].file == sources->places[i].file)
            end++;
        error = add_file(sources, sources->places + i, end - i);
        i = end;
    }
    return error;
}

struct asnap_error *asnap_report_sources_write(const struct asnap_report_cells *cells,
                                               const struct asnap_report_options *options,
                                               struct asnap_report_output *output)
{
    struct sources sources = {.cells = cells, .options = options};
    struct asnap_error *error = asnap_report_names_init(&sources.lines);
    if (error != NULL || !options->source_lines)
        goto done;
    error = add_files(&sources);
    if (error == NULL) {
        asnap_report_section(output, "srcs", 4, sources.list.numbers, sources.list.count);
        asnap_report_names_write(&sources.lines, "srcl", "srcb", output);
    }
done:
    asnap_report_names_deinit(&sources.lines);
    free(sources.places);
    free(sources.list.numbers);
    return error;
}
