/* Files of format 1, whose traces have neither thread nor time. */
#include <stdlib.h>
#include <string.h>

#include "dump_format.h"
#include "dump_repair.h"
#include "test_model_dump.h"

/* The first 24 bytes of each of the traces, one after the other. */
static void shorten_traces(unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        memmove(bytes + i * sizeof(struct asnap_dump_timeless_trace),
                bytes + i * sizeof(struct asnap_trace), sizeof(struct asnap_dump_timeless_trace));
}

/* Makes a file of format 1 of one that is written now, whose last sections format 1 does not
 * have. Returns its size. */
static size_t make_version_1(unsigned char *bytes)
{
    struct asnap_dump_header *header = (struct asnap_dump_header *)bytes;
    struct asnap_dump_section *sections = (struct asnap_dump_section *)(header + 1);
    uint32_t count = 0;
    while (count < header->section_count && sections[count].kind < ASNAP_DUMP_FRAME_MAPPINGS)
        count++;
    size_t table = count * sizeof(*sections);
    uint64_t end = sizeof(*header) + table;
    for (uint32_t i = 0; i < count; i++) {
        struct asnap_dump_section *section = &sections[i];
        memmove(bytes + end, bytes + section->offset, section->size);
        if (section->kind == ASNAP_DUMP_TRACES) {
            size_t traces = section->size / sizeof(struct asnap_trace);
            shorten_traces(bytes + end, traces);
            section->size = traces * sizeof(struct asnap_dump_timeless_trace);
        }
        section->offset = end;
        end += section->size;
        memset(bytes + end, 0, -end % ASNAP_DUMP_ALIGNMENT);
        end += -end % ASNAP_DUMP_ALIGNMENT;
    }
    header->version = ASNAP_DUMP_VERSION_TIMELESS;
    header->section_count = count;
    header->file_size = end;
    dump_repair(bytes, end);
    return end;
}

ASNAP_TEST(model_dump_version_1, is_loaded_without_threads_and_times)
{
    struct asnap_snapshot *snapshot = dump_snapshot();
    const char *path = dump_path("version_1");
    ASNAP_ASSERT_OK(asnap_snapshot_dump(snapshot, path, NULL, 0));
    size_t size;
    unsigned char *bytes = dump_bytes(path, &size);
    size = make_version_1(bytes);
    dump_write(path, bytes, size);
    free(bytes);
    struct asnap_snapshot *loaded = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_load(path, &loaded));
    const struct asnap_trace *wanted = NULL;
    const struct asnap_trace *traces = NULL;
    ASNAP_ASSERT_OK(asnap_snapshot_traces(snapshot, &wanted));
    ASNAP_ASSERT_OK(asnap_snapshot_traces(loaded, &traces));
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_count(loaded), 6);
    CU_ASSERT_EQUAL(asnap_snapshot_size(loaded), asnap_snapshot_size(snapshot));
    for (size_t i = 0; i < 6; i++) {
        CU_ASSERT(traces[i].address == wanted[i].address && traces[i].size == wanted[i].size);
        CU_ASSERT(traces[i].traceback_id == wanted[i].traceback_id);
        CU_ASSERT(traces[i].domain == wanted[i].domain);
        CU_ASSERT(traces[i].thread == 0 && traces[i].time == ASNAP_TIME_UNKNOWN);
    }
    CU_ASSERT_EQUAL(asnap_snapshot_thread_count(loaded), 0);
    CU_ASSERT_EQUAL(asnap_snapshot_start_time(loaded), 0);
    CU_ASSERT_EQUAL(asnap_snapshot_mapping_count(loaded), 3);
    for (uint32_t i = 0; i < asnap_snapshot_frame_count(loaded); i++) {
        CU_ASSERT_EQUAL(asnap_snapshot_frame_mapping(loaded, i), UINT32_MAX);
        CU_ASSERT_EQUAL(asnap_snapshot_frame_address(loaded, i),
                        asnap_snapshot_frame_address(snapshot, i));
    }
    CU_ASSERT_EQUAL(asnap_snapshot_attribute_count(loaded), 2);
    asnap_snapshot_destroy(loaded);
    asnap_snapshot_destroy(snapshot);
}

static struct asnap_error *load_version_1(void *context)
{
    struct asnap_snapshot *loaded = NULL;
    struct asnap_error *error = asnap_snapshot_load(context, &loaded);
    asnap_snapshot_destroy(loaded);
    return error;
}

ASNAP_TEST(model_dump_version_1, survives_every_failed_allocation)
{
    struct asnap_snapshot *snapshot = dump_snapshot();
    const char *path = dump_path("version_1");
    ASNAP_ASSERT_OK(asnap_snapshot_dump(snapshot, path, NULL, 0));
    asnap_snapshot_destroy(snapshot);
    size_t size;
    unsigned char *bytes = dump_bytes(path, &size);
    size = make_version_1(bytes);
    dump_write(path, bytes, size);
    free(bytes);
    CU_ASSERT(asnap_unit_sweep(load_version_1, (void *)(uintptr_t)path) > 20);
}
