#include "record_index.h"

#include <stddef.h>

#include "pages.h"
#include "watch.h"

/* An index of FIRST_LINES is a page; a small one grows by half. */
enum { FIRST_LINES = 64, SMALL_LINES = 1024 };

_Static_assert(sizeof(struct asnap_index_line) == 64, "a line is one cache line");

static size_t lines_bytes(uint32_t line_count)
{
    return line_count * sizeof(struct asnap_index_line);
}

/* Lines are kept full to seven eighths at most. */
static uint32_t room_of(uint32_t line_count)
{
    uint32_t room = line_count * ASNAP_INDEX_LINE_ITEMS;
    return room - room / 8;
}

static void set_index(struct asnap_table_shard *shard, void *lines, uint32_t line_count)
{
    shard->index = (uint64_t)(uintptr_t)lines;
    shard->line_count = line_count;
    asnap_index_watch(shard, shard->watched);
}

void asnap_index_watch(struct asnap_table_shard *shard, uint32_t watched)
{
    uint32_t room = room_of(shard->line_count);
    shard->watched = watched;
    shard->index_limit = watched != 0 && watched - 1 < room ? watched - 1 : room;
}

bool asnap_index_open(struct asnap_table_shard *shard)
{
    void *lines = asnap_pages_map(lines_bytes(FIRST_LINES));
    if (lines == NULL)
        return false;
    set_index(shard, lines, FIRST_LINES);
    return true;
}

void asnap_index_close(struct asnap_table_shard *shard)
{
    asnap_pages_unmap(asnap_index_lines(shard), lines_bytes(shard->line_count));
    shard->index = 0;
    shard->line_count = 0;
}

static void place_item(struct asnap_index_line *lines, uint32_t line_count, uint32_t line,
                       uint32_t item)
{
    uint32_t empty;
    while ((empty = asnap_index_empty(&lines[line])) == 0) {
        lines[line].passed++;
        line = asnap_index_next_line(line, line_count);
    }
    lines[line].items[__builtin_ctz(empty) - 1] = item;
}

/* By a quarter: the index stays dense, and each item moves four times or so in all. */
static uint32_t more_lines(uint32_t line_count)
{
    return line_count + (line_count < SMALL_LINES ? line_count / 2 : line_count / 4);
}

/* New lines with all items. NULL: no memory. */
static struct asnap_index_line *make_lines(const struct asnap_table_shard *shard,
                                           uint32_t line_count)
{
    struct asnap_index_line *lines = asnap_pages_map_at_once(lines_bytes(line_count));
    for (uint32_t i = 0; lines != NULL && i < shard->used; i++) {
        uint64_t key = asnap_index_record(shard, i)->key;
        struct asnap_index_home home = asnap_index_home_of(key, line_count);
        if (key != 0)
            place_item(lines, line_count, home.line, home.tag | (i + 1));
    }
    return lines;
}

bool asnap_index_mend(struct asnap_table_shard *shard)
{
    uint32_t line_count = FIRST_LINES;
    while (shard->count >= room_of(line_count))
        line_count = more_lines(line_count);
    struct asnap_index_line *lines = make_lines(shard, line_count);
    set_index(shard, lines, lines == NULL ? 0 : line_count);
    return lines != NULL;
}

static bool grow(struct asnap_table_shard *shard)
{
    uint32_t line_count = more_lines(shard->line_count);
    struct asnap_index_line *lines = make_lines(shard, line_count);
    if (lines == NULL)
        return false;
    asnap_index_close(shard);
    set_index(shard, lines, line_count);
    return true;
}

/* Without memory the lines are filled to the last. */
bool asnap_index_make_room(struct asnap_table_shard *shard)
{
    if (shard->watched != 0 && shard->count + 1 >= shard->watched)
        asnap_watch_count();
    if (shard->count < room_of(shard->line_count))
        return true;
    return grow(shard) || shard->count < (uint64_t)shard->line_count * ASNAP_INDEX_LINE_ITEMS;
}

void asnap_index_add_beyond(struct asnap_table_shard *shard,
                            const struct asnap_index_search *search, uint32_t item)
{
    place_item(asnap_index_lines(shard), shard->line_count, search->home, item);
}

void asnap_index_uncount(struct asnap_table_shard *shard, const struct asnap_index_search *search)
{
    struct asnap_index_line *lines = asnap_index_lines(shard);
    for (uint32_t at = search->home; at != search->line;
         at = asnap_index_next_line(at, shard->line_count))
        lines[at].passed--;
}
