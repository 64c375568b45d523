/* Skip rules: which frames are not answerable for the memory they ask for. */
#include <stdlib.h>
#include <string.h>

#include "pattern.h"
#include "snapshot.h"

/* What C++ puts between a line of the program and the allocator: the functions of the
 * language ([new.delete]) and of the standard allocators, as libstdc++ and libc++ name
 * them. */
static const char *const standard_allocators[] = {
    "operator new*",
    "*::operator new*",
    "std::allocator<*",
    "std::allocator_traits<*",
    "std::__new_allocator<*",
    "__gnu_cxx::new_allocator<*",
    "__gnu_cxx::__alloc_traits<*",
    "std::_Vector_base<*>::_M_allocate(*",
    "std::_Vector_base<*>::_M_create_storage(*",
    "std::__allocate_guarded<*",
    "std::__1::allocator<*",
    "std::__1::allocator_traits<*",
    "std::__1::__libcpp_allocate*",
    "std::__1::__libcpp_operator_new*",
    "std::__1::__allocate_at_least*",
};

/* Matches of one rule or more, by function and by file. */
struct matches {
    bool *functions;
    bool *files;
};

static struct asnap_error *match_names(struct asnap_pattern *pattern,
                                       const struct asnap_names *names, bool *matches)
{
    struct asnap_error *error = NULL;
    for (uint32_t i = 0; error == NULL && i < names->count; i++)
        if (!matches[i])
            error = asnap_pattern_match(pattern, asnap_names_get(names, i), &matches[i]);
    return error;
}

static struct asnap_error *add_rule(const struct asnap_store *store, const char *text,
                                    struct matches *matches)
{
    struct asnap_pattern pattern = {0};
    struct asnap_error *error = asnap_pattern_init(&pattern, text);
    if (error == NULL && strchr(text, '/') != NULL)
        error = match_names(&pattern, &store->files, matches->files);
    else if (error == NULL)
        error = match_names(&pattern, &store->functions, matches->functions);
    asnap_pattern_deinit(&pattern);
    return error;
}

static struct asnap_error *add_rules(const struct asnap_store *store, const char *const *patterns,
                                     size_t pattern_count, bool standard, struct matches *matches)
{
    struct asnap_error *error = NULL;
    size_t standard_count = sizeof(standard_allocators) / sizeof(standard_allocators[0]);
    for (size_t i = 0; standard && error == NULL && i < standard_count; i++)
        error = add_rule(store, standard_allocators[i], matches);
    for (size_t i = 0; error == NULL && i < pattern_count; i++)
        error = add_rule(store, patterns[i], matches);
    return error;
}

static bool is_skipped(const struct asnap_store *store, const struct matches *matches,
                       uint32_t frame_id)
{
    const struct asnap_stored_frame *frame = &store->frames[frame_id];
    return matches->files[store->locations[frame->location].file] ||
           (frame->function != ASNAP_NONE && matches->functions[frame->function]);
}

/* A stack of nothing but skipped frames stays with its most recent one. */
static void mark(const struct asnap_store *store, const struct matches *matches, uint16_t *skipped)
{
    for (uint32_t i = 0; i < store->traceback_count; i++) {
        const uint32_t *frame_ids = asnap_store_frame_ids(store, i);
        uint32_t count = store->tracebacks[i].frame_count;
        uint32_t first = 0;
        while (first < count && is_skipped(store, matches, frame_ids[first]))
            first++;
        skipped[i] = first == count ? 0 : (uint16_t)first;
    }
}

struct asnap_error *asnap_snapshot_skip(const struct asnap_snapshot *snapshot,
                                        const char *const *patterns, size_t pattern_count,
                                        bool standard, struct asnap_snapshot **attributed)
{
    const struct asnap_store *store = snapshot->store;
    struct matches matches = {
        .functions = calloc((size_t)store->functions.count + 1, sizeof(bool)),
        .files = calloc((size_t)store->files.count + 1, sizeof(bool)),
    };
    struct asnap_attribution *attribution = asnap_attribution_create(store->traceback_count);
    struct asnap_error *error = NULL;
    if (matches.functions == NULL || matches.files == NULL || attribution == NULL)
        error = asnap_error_no_memory();
    if (error == NULL)
        error = add_rules(store, patterns, pattern_count, standard, &matches);
    struct asnap_snapshot *made = NULL;
    if (error == NULL) {
        mark(store, &matches, attribution->skipped);
        made = asnap_snapshot_view(snapshot, asnap_total_list_share(snapshot->totals));
        if (made == NULL)
            error = asnap_error_no_memory();
    }
    if (error == NULL) {
        asnap_attribution_release(made->attribution);
        made->attribution = asnap_attribution_share(attribution);
        *attributed = made;
    }
    asnap_attribution_release(attribution);
    free(matches.functions);
    free(matches.files);
    return error;
}

uint32_t asnap_snapshot_skipped_frames(const struct asnap_snapshot *snapshot, uint32_t traceback_id)
{
    return asnap_skipped_frames(snapshot->attribution, traceback_id);
}
