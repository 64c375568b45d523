/* How much was traced over the time. */

#include "error.h"
#include "raw_read.h"
#include "table_root.h"

/* How often it is read again where it is thinned out meanwhile, by a process that goes on. */
enum { TRIES = 8 };

_Static_assert(ASNAP_HISTORY_POINTS_MAX == ASNAP_TABLE_POINTS_MAX, "what the hooks have room for");
_Static_assert(sizeof(struct asnap_history_point) == sizeof(struct asnap_table_point),
               "points are read into place");

static struct asnap_error *damaged(void)
{
    return asnap_error_create(ASNAP_ERROR_DAMAGED,
                              "what the hooks say of the history is damaged: the program has "
                              "overwritten it; restart the program to trace it again");
}

/* `told` is all zero where the hooks keep none, or are of a release that cannot. */
static struct asnap_error *read_told(const struct asnap_memory *memory, uint64_t root_address,
                                     struct asnap_table_history *told)
{
    return asnap_raw_beside(memory, root_address + ASNAP_TABLE_HISTORY_OFFSET, told, sizeof(*told),
                            ASNAP_TABLE_HISTORY_MAGIC, sizeof(struct asnap_table_point),
                            "what the hooks say of the history");
}

/* Whether it can be true; its times must be such of records. */
static bool is_possible(const struct asnap_table_history *told,
                        struct asnap_table_history_state state)
{
    uint64_t last = state.count == 0 ? 0 : state.count - 1;
    return told->capacity <= ASNAP_TABLE_POINTS_MAX && state.count <= told->capacity &&
           (told->capacity == 0) == (told->points == 0) && state.shift < 32 &&
           state.begin + (last << state.shift) <= ASNAP_TABLE_TIME_LAST;
}

/* Sums of sizes are below 2^63. */
static bool are_possible(const struct asnap_history *history)
{
    for (uint64_t i = 0; i < history->count; i++)
        if (history->points[i].size > INT64_MAX || history->points[i].count > INT64_MAX)
            return false;
    return true;
}

/* Whether the points of the one are still where they were at the other. */
static bool has_stayed(struct asnap_table_history_state was, struct asnap_table_history_state is)
{
    return was.in_second == is.in_second && was.shift == is.shift && was.begin == is.begin &&
           was.count <= is.count;
}

/* Reads the points. `stays`: whether they were there until they were read. */
static struct asnap_error *read_points(const struct asnap_memory *memory, uint64_t root_address,
                                       struct asnap_history *history, bool *stays)
{
    struct asnap_table_history told;
    struct asnap_error *error = read_told(memory, root_address, &told);
    if (error != NULL)
        return error;
    struct asnap_table_history_state state = asnap_table_history_unpack(told.state);
    if (!is_possible(&told, state))
        return damaged();
    history->is_kept = told.capacity != 0;
    history->begin = state.begin;
    history->period = UINT64_C(1) << state.shift;
    history->count = state.count;
    *stays = true;
    if (state.count == 0)
        return NULL;
    uint64_t from = told.points;
    if (state.in_second)
        from += told.capacity * sizeof(struct asnap_table_point);
    error = asnap_read(memory, from, history->points, state.count * sizeof(history->points[0]),
                       "the history");
    if (error == NULL)
        error = read_told(memory, root_address, &told);
    if (error != NULL)
        return error;
    *stays = has_stayed(state, asnap_table_history_unpack(told.state));
    return *stays && !are_possible(history) ? damaged() : NULL;
}

struct asnap_error *asnap_history_read(const struct asnap_memory *memory, uint64_t root_address,
                                       struct asnap_history *history)
{
    struct asnap_history read = {0};
    struct asnap_table_root root;
    struct asnap_status status;
    if (memory == NULL || history == NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_history_read: NULL argument");
    struct asnap_error *error = asnap_root_read(memory, root_address, &root);
    if (error == NULL)
        error = asnap_status_read(memory, root_address, &status);
    bool stays = false;
    for (int i = 0; i < TRIES && error == NULL && !stays; i++)
        error = read_points(memory, root_address, &read, &stays);
    if (error != NULL)
        return error;
    if (!stays)
        return asnap_error_create(ASNAP_ERROR_UNREADABLE,
                                  "the history is changed again and again while it is read: stop "
                                  "the process first");
    /* What is to be dropped is there no more. */
    if (!status.tracing || !asnap_root_current(&root))
        read.count = 0;
    read.of_sample = status.sample_period != 0;
    read.start = root.start_realtime;
    read.now = (struct asnap_history_point){status.traced_size, status.traced_count};
    *history = read;
    return NULL;
}
