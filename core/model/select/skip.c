/* The frame that each block is attributed to: skip rules and the user's own code. */
#include <stdlib.h>
#include <string.h>

#include "pattern.h"
#include "skip_sets.h"
#include "snapshot.h"

/* What is known of a frame. */
enum {
    BY_USER = 1 << 0,     /* a rule of the user's passes over it */
    BY_SET = 1 << 1,      /* a built-in set does */
    IS_NAMELESS = 1 << 2, /* neither a function nor a line is known */
    HAS_LINE = 1 << 3,
    IS_MINE = 1 << 4,
};

struct job {
    const struct asnap_store *store;
    uint8_t *flags;       /* by frame */
    bool *functions;      /* by function: a rule of the user's is for it */
    bool *files;          /* by file, likewise */
    bool *own_files;      /* by file: it is the user's own code */
    bool *own_modules;    /* by mapping name: likewise */
    bool has_own;         /* something is said to be the user's own code */
    bool passes_nameless; /* over frames without a name */
    struct asnap_attribution *attribution;
};

static struct asnap_error *match_names(const struct asnap_names *names, const char *text,
                                       bool *matches)
{
    struct asnap_pattern pattern = {0};
    struct asnap_error *error = asnap_pattern_init(&pattern, text);
    for (uint32_t i = 0; error == NULL && i < names->count; i++) {
        if (!matches[i])
            error = asnap_pattern_match(&pattern, asnap_names_get(names, i), &matches[i]);
    }
    asnap_pattern_deinit(&pattern);
    return error;
}

static struct asnap_error *match_rules(struct job *job, const struct asnap_skip_rules *rules)
{
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < rules->pattern_count; i++) {
        const char *text = rules->patterns[i];
        error = strchr(text, '/') != NULL
                    ? match_names(&job->store->files, text, job->files)
                    : match_names(&job->store->functions, text, job->functions);
    }
    return error;
}

/* Matches a pattern of the user's own code, which is for paths of sources and of modules. */
static struct asnap_error *match_own_pattern(struct job *job, const char *text)
{
    struct asnap_error *error = match_names(&job->store->files, text, job->own_files);
    return error != NULL ? error : match_names(&job->store->mapping_names, text, job->own_modules);
}

/* Without a / in it, a pattern is for the end of a path too. */
static struct asnap_error *match_own_or_end(struct job *job, const char *text)
{
    struct asnap_error *error = match_own_pattern(job, text);
    if (error != NULL || strchr(text, '/') != NULL)
        return error;
    char *end = malloc(strlen(text) + sizeof("*/"));
    if (end == NULL)
        return asnap_error_no_memory();
    memcpy(end, "*/", 2);
    memcpy(end + 2, text, strlen(text) + 1);
    error = match_own_pattern(job, end);
    free(end);
    return error;
}

static struct asnap_error *match_own(struct job *job, const struct asnap_skip_rules *rules)
{
    struct asnap_error *error = NULL;
    job->has_own = rules->mine_count > 0;
    for (size_t i = 0; error == NULL && i < rules->mine_count; i++)
        error = match_own_or_end(job, rules->mine[i]);
    return error;
}

static bool is_own(const struct job *job, const struct asnap_stored_frame *frame)
{
    return job->own_files[job->store->locations[frame->location].file] ||
           (frame->mapping != ASNAP_NONE &&
            job->own_modules[job->store->mappings[frame->mapping].path]);
}

static uint8_t flags_of(const struct job *job, uint32_t frame_id)
{
    const struct asnap_store *store = job->store;
    const struct asnap_stored_frame *frame = &store->frames[frame_id];
    const struct asnap_location *location = &store->locations[frame->location];
    unsigned int flags = 0;
    if (job->files[location->file] ||
        (frame->function != ASNAP_NONE && job->functions[frame->function]))
        flags |= BY_USER;
    if (location->lineno != 0)
        flags |= HAS_LINE;
    else if (frame->named_by == ASNAP_NAMED_NONE && asnap_frame_is_code(frame))
        flags |= IS_NAMELESS;
    if (is_own(job, frame))
        flags |= IS_MINE;
    return (uint8_t)flags;
}

static struct asnap_error *flag_frames(struct job *job, const struct asnap_skip_rules *rules)
{
    struct asnap_set_matches matches;
    struct asnap_error *error = asnap_set_matches_init(&matches, job->store);
    if (error != NULL)
        return error;
    job->passes_nameless = (rules->sets & ASNAP_SET_NAMELESS) != 0;
    for (uint32_t i = 0; i < job->store->frame_count; i++) {
        uint8_t sets = asnap_sets_of_frame(&matches, job->store, i);
        job->flags[i] = flags_of(job, i);
        if ((sets & rules->sets) != 0)
            job->flags[i] |= BY_SET;
        job->attribution->in_libc[i] = (sets & ASNAP_SET_LIBC) != 0;
    }
    asnap_set_matches_deinit(&matches);
    return NULL;
}

/* A stack, most recent frame first. */
struct stack {
    const uint32_t *frame_ids;
    uint32_t count;
    bool is_whole; /* the older frames are all there */
};

/* The first frame from `first` on that has one of the flags `wanted`, or where that is 0 any,
 * and none of `unwanted`; the stack's count where there is none. */
static uint32_t find(const struct job *job, const struct stack *stack, uint32_t first,
                     unsigned int wanted, unsigned int unwanted)
{
    for (uint32_t i = first; i < stack->count; i++) {
        unsigned int flags = job->flags[stack->frame_ids[i]];
        if ((wanted == 0 || (flags & wanted) != 0) && (flags & unwanted) == 0)
            return i;
    }
    return stack->count;
}

static uint32_t module_of(const struct job *job, uint32_t frame_id)
{
    uint32_t mapping = job->store->frames[frame_id].mapping;
    return mapping == ASNAP_NONE ? ASNAP_NONE : job->store->mappings[mapping].path;
}

/* Whether the code that calls frame `caller` may be that of frame `place`: then another library
 * calls it back, and does not ask it for anything. Also where that cannot be told. */
static bool may_be_called_back(const struct job *job, const struct stack *stack, uint32_t place,
                               uint32_t caller)
{
    uint32_t module = module_of(job, stack->frame_ids[place]);
    if (module != ASNAP_NONE && module_of(job, stack->frame_ids[caller]) == module)
        return false;
    for (uint32_t i = caller + 1; i < stack->count; i++) {
        if (module_of(job, stack->frame_ids[i]) == module)
            return true;
    }
    return !stack->is_whole || module == ASNAP_NONE;
}

/* The frame with a name that a frame without one works for, or that frame itself. A line says
 * more than a symbol: one of a library between two parts of the program does not count. */
static uint32_t find_named(const struct job *job, const struct stack *stack, uint32_t place)
{
    uint32_t caller = find(job, stack, place, 0, BY_USER | BY_SET | IS_NAMELESS);
    if (caller == stack->count)
        return place;
    bool has_line = (job->flags[stack->frame_ids[caller]] & HAS_LINE) != 0;
    return has_line || !may_be_called_back(job, stack, place, caller) ? caller : place;
}

/* The place of the frame that a stack's blocks are attributed to. */
static uint32_t attribute(const struct job *job, const struct stack *stack)
{
    if (job->has_own) {
        uint32_t own = find(job, stack, 0, IS_MINE, BY_USER | BY_SET);
        if (own == stack->count)
            own = find(job, stack, 0, IS_MINE, 0);
        if (own < stack->count)
            return own;
    }
    uint32_t place = find(job, stack, 0, 0, BY_USER | BY_SET);
    /* The user's rules count for more than the sets; where nothing is left, all stays. */
    if (place == stack->count)
        place = find(job, stack, 0, 0, BY_USER);
    if (place == stack->count)
        return 0;
    bool is_nameless = (job->flags[stack->frame_ids[place]] & IS_NAMELESS) != 0;
    return is_nameless && job->passes_nameless ? find_named(job, stack, place) : place;
}

static void attribute_all(struct job *job)
{
    const struct asnap_store *store = job->store;
    for (uint32_t i = 0; i < store->traceback_count; i++) {
        const struct asnap_traceback *traceback = &store->tracebacks[i];
        struct stack stack = {
            .frame_ids = asnap_store_frame_ids(store, i),
            .count = traceback->frame_count,
            .is_whole = traceback->total_nframe == traceback->frame_count,
        };
        job->attribution->skipped[i] = (uint16_t)attribute(job, &stack);
    }
}

static struct asnap_error *job_init(struct job *job, const struct asnap_store *store)
{
    *job = (struct job){
        .store = store,
        .flags = calloc(store->frame_count + 1, sizeof(*job->flags)),
        .functions = calloc((size_t)store->functions.count + 1, sizeof(bool)),
        .files = calloc((size_t)store->files.count + 1, sizeof(bool)),
        .own_files = calloc((size_t)store->files.count + 1, sizeof(bool)),
        .own_modules = calloc((size_t)store->mapping_names.count + 1, sizeof(bool)),
        .attribution = asnap_attribution_create(store->traceback_count, store->frame_count),
    };
    bool is_ready = job->flags != NULL && job->functions != NULL && job->files != NULL &&
                    job->own_files != NULL && job->own_modules != NULL && job->attribution != NULL;
    return is_ready ? NULL : asnap_error_no_memory();
}

static void job_deinit(struct job *job)
{
    free(job->flags);
    free(job->functions);
    free(job->files);
    free(job->own_files);
    free(job->own_modules);
    asnap_attribution_release(job->attribution);
}

struct asnap_error *asnap_snapshot_skip(const struct asnap_snapshot *snapshot,
                                        const struct asnap_skip_rules *rules,
                                        struct asnap_snapshot **attributed)
{
    struct job job;
    struct asnap_snapshot *made = NULL;
    struct asnap_error *error = job_init(&job, snapshot->store);
    if (error == NULL)
        error = match_rules(&job, rules);
    if (error == NULL)
        error = match_own(&job, rules);
    if (error == NULL)
        error = flag_frames(&job, rules);
    if (error == NULL) {
        attribute_all(&job);
        made = asnap_snapshot_view(snapshot, asnap_total_list_share(snapshot->totals));
        if (made == NULL)
            error = asnap_error_no_memory();
    }
    if (error == NULL) {
        asnap_attribution_release(made->attribution);
        made->attribution = asnap_attribution_share(job.attribution);
        *attributed = made;
    }
    job_deinit(&job);
    return error;
}

struct asnap_error *asnap_snapshot_has_own(const struct asnap_snapshot *snapshot,
                                           const char *pattern, bool *has)
{
    struct job job;
    struct asnap_error *error = job_init(&job, snapshot->store);
    if (error == NULL)
        error = match_own_or_end(&job, pattern);
    bool found = false;
    for (uint32_t i = 0; error == NULL && !found && i < snapshot->store->frame_count; i++)
        found = is_own(&job, &snapshot->store->frames[i]);
    job_deinit(&job);
    if (error == NULL)
        *has = found;
    return error;
}

uint32_t asnap_snapshot_skipped_frames(const struct asnap_snapshot *snapshot, uint32_t traceback_id)
{
    return asnap_skipped_frames(snapshot->attribution, traceback_id);
}
