/* Loads any bytes as a dump file: as they are, and with checksums made right, so that
 * what is behind them is reached. What loads is used as any snapshot is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "allocsnap.h"
#include "dump_repair.h"
#include "target.h"

size_t fuzz_accepted;

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_load: %s\n", what);
    abort();
}

static void require_ok(struct asnap_error *error)
{
    require(error == NULL, error == NULL ? "" : asnap_error_message(error));
}

/* A group that is too large to be summed up is the only thing that may fail. */
static void use_statistics(const struct asnap_snapshot *snapshot, enum asnap_key key,
                           bool cumulative)
{
    struct asnap_statistics *statistics = NULL;
    struct asnap_error *error = asnap_statistics_create(snapshot, key, cumulative, &statistics);
    if (error != NULL) {
        require(cumulative && asnap_error_code(error) == ASNAP_ERROR_INVALID_ARGUMENT,
                asnap_error_message(error));
        asnap_error_destroy(error);
        return;
    }
    uint64_t size = 0;
    for (size_t i = 0; i < asnap_statistics_count(statistics); i++)
        size += asnap_statistics_row(statistics, i).size;
    require(cumulative || size == asnap_snapshot_size(snapshot), "the rows have another sum");
    struct asnap_render_options options = {.limit = 20};
    char *text = NULL;
    require_ok(asnap_render_statistics(statistics, ASNAP_FORMAT_TEXT, &options, &text));
    asnap_string_destroy(text);
    require_ok(asnap_render_statistics(statistics, ASNAP_FORMAT_JSON, &options, &text));
    asnap_string_destroy(text);
    asnap_statistics_destroy(statistics);
}

static void use_traces(const struct asnap_snapshot *snapshot)
{
    const struct asnap_trace *traces = NULL;
    require_ok(asnap_snapshot_traces(snapshot, &traces));
    struct asnap_render_options options = {.limit = 5};
    char *text = NULL;
    require_ok(asnap_render_traces(snapshot, ASNAP_FORMAT_JSON, &options, &text));
    asnap_string_destroy(text);
    options.order = ASNAP_ORDER_AGE;
    require_ok(asnap_render_traces(snapshot, ASNAP_FORMAT_TEXT, &options, &text));
    asnap_string_destroy(text);
    if (asnap_snapshot_count(snapshot) == 0)
        return;
    bool found = false;
    struct asnap_trace trace;
    require_ok(asnap_snapshot_find(snapshot, traces[0].address, &found, &trace));
    require(found, "a block is not found at its address");
    require_ok(asnap_render_who(snapshot, traces[0].address, ASNAP_FORMAT_TEXT, &options, &text));
    asnap_string_destroy(text);
}

static void use_lists(const struct asnap_snapshot *snapshot)
{
    size_t length = 0;
    for (size_t i = 0; i < asnap_snapshot_note_count(snapshot); i++)
        length += strlen(asnap_snapshot_note(snapshot, i));
    for (size_t i = 0; i < asnap_snapshot_attribute_count(snapshot); i++)
        length += strlen(asnap_snapshot_attribute(snapshot, i).value);
    for (size_t i = 0; i < asnap_snapshot_mapping_count(snapshot); i++)
        length += strlen(asnap_snapshot_mapping(snapshot, i).build_id);
    for (uint32_t i = 0; i < asnap_snapshot_frame_count(snapshot); i++) {
        uint32_t mapping = asnap_snapshot_frame_mapping(snapshot, i);
        struct asnap_place place = asnap_snapshot_place(snapshot, i);
        length += strlen(asnap_snapshot_frame(snapshot, i).filename);
        length += strlen(place.build_id) + (place.module == NULL ? 0 : strlen(place.module));
        if (mapping != UINT32_MAX)
            length += strlen(asnap_snapshot_mapping(snapshot, mapping).path);
    }
    require(length < SIZE_MAX, "strings have no length");
}

static void use_filters(const struct asnap_snapshot *snapshot)
{
    const struct asnap_filter filter = {
        .inclusive = true, .filename_pattern = "*a*", .all_frames = true};
    struct asnap_snapshot *filtered = NULL;
    struct asnap_diff *diff = NULL;
    require_ok(asnap_snapshot_filter(snapshot, &filter, 1, &filtered));
    require_ok(asnap_diff_create(snapshot, filtered, ASNAP_KEY_TRACEBACK, false, &diff));
    require(asnap_diff_total(diff).size == asnap_snapshot_size(snapshot), "another total");
    asnap_diff_destroy(diff);
    use_traces(filtered);
    asnap_snapshot_destroy(filtered);
}

static void load(const uint8_t *bytes, size_t size)
{
    static int file = -1;
    static char path[64];
    if (file < 0) {
        file = memfd_create("fuzz_load", MFD_CLOEXEC);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    }
    require(ftruncate(file, (off_t)size) == 0 && pwrite(file, bytes, size, 0) == (ssize_t)size,
            "no memory for a file");
    struct asnap_snapshot *snapshot = NULL;
    struct asnap_error *error = asnap_snapshot_load(path, &snapshot);
    if (error != NULL) {
        require(snapshot == NULL, "an error and a snapshot");
        require(strchr(asnap_error_message(error), '\n') == NULL, "an error of several lines");
        asnap_error_destroy(error);
        return;
    }
    fuzz_accepted++;
    const struct asnap_key_description *description;
    for (enum asnap_key key = 0; (description = asnap_key_describe(key)) != NULL; key++) {
        /* Files do not say of which class objects are. */
        if (key == ASNAP_KEY_TYPE)
            continue;
        use_statistics(snapshot, key, false);
        if (description->has_cumulative)
            use_statistics(snapshot, key, true);
    }
    use_traces(snapshot);
    use_lists(snapshot);
    use_filters(snapshot);
    asnap_snapshot_destroy(snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    load(bytes, size);
    uint8_t *repaired = malloc(size + 1);
    require(repaired != NULL, "no memory");
    memcpy(repaired, bytes, size);
    dump_repair(repaired, size);
    load(repaired, size);
    free(repaired);
    return 0;
}
