/* Dump files that are not what was written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dump_format.h"
#include "dump_repair.h"
#include "test_model_dump.h"
#include "test_model_heap.h"

/* A dump in memory, and a file for changed copies of it. */
struct original {
    unsigned char *bytes;
    unsigned char *copy;
    size_t size;
    const char *path;
};

static struct original original_dump(void)
{
    struct asnap_snapshot *snapshot = dump_snapshot();
    struct original original = {.path = dump_path("damaged")};
    ASNAP_ASSERT_OK(asnap_snapshot_dump(snapshot, original.path, NULL, 0));
    asnap_snapshot_destroy(snapshot);
    original.bytes = dump_bytes(original.path, &original.size);
    original.copy = malloc(original.size + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(original.copy);
    memcpy(original.copy, original.bytes, original.size);
    return original;
}

static void forget(struct original *original)
{
    free(original->bytes);
    free(original->copy);
}

/* What the last error said. */
static char last_message[512];

/* What loading the copy gives: 0 for a snapshot, else the error's code. Where there is a
 * snapshot it must be the original one. */
static int load_copy(const struct original *original, size_t size)
{
    struct asnap_snapshot *snapshot = NULL;
    dump_write(original->path, original->copy, size);
    struct asnap_error *error = asnap_snapshot_load(original->path, &snapshot);
    if (error != NULL) {
        int code = (int)asnap_error_code(error);
        CU_ASSERT_PTR_NULL(snapshot);
        CU_ASSERT_PTR_NULL(strchr(asnap_error_message(error), '\n'));
        CU_ASSERT_STRING_EQUAL(asnap_error_path(error), original->path);
        snprintf(last_message, sizeof(last_message), "%s", asnap_error_message(error));
        asnap_error_destroy(error);
        return code;
    }
    const char *again = dump_path("again");
    ASNAP_ASSERT_OK(asnap_snapshot_dump(snapshot, again, NULL, 0));
    size_t again_size;
    unsigned char *bytes = dump_bytes(again, &again_size);
    CU_ASSERT(again_size == original->size && memcmp(bytes, original->bytes, again_size) == 0);
    free(bytes);
    asnap_snapshot_destroy(snapshot);
    return 0;
}

ASNAP_TEST(model_dump_damage, any_changed_byte)
{
    static const unsigned char changes[] = {0x01, 0x80, 0xff, 0x20};
    struct original original = original_dump();
    size_t harmless = 0;
    for (size_t i = 0; i < original.size; i++) {
        for (size_t k = 0; k < sizeof(changes); k++) {
            original.copy[i] ^= changes[k];
            int code = load_copy(&original, original.size);
            CU_ASSERT(code == 0 || code == ASNAP_ERROR_DAMAGED || code == ASNAP_ERROR_VERSION);
            harmless += code == 0;
            original.copy[i] ^= changes[k];
        }
    }
    /* The bytes between sections. */
    CU_ASSERT(harmless < sizeof(changes) * 8 * ASNAP_DUMP_KINDS);
    forget(&original);
}

ASNAP_TEST(model_dump_damage, any_other_length)
{
    struct original original = original_dump();
    for (size_t size = 0; size < original.size; size++)
        CU_ASSERT_EQUAL(load_copy(&original, size), ASNAP_ERROR_DAMAGED);
    original.copy[original.size] = 0;
    CU_ASSERT_EQUAL(load_copy(&original, original.size + 1), ASNAP_ERROR_DAMAGED);
    forget(&original);
}

ASNAP_TEST(model_dump_damage, other_versions_and_machines)
{
    struct original original = original_dump();
    struct asnap_dump_header *header = (struct asnap_dump_header *)original.copy;
    header->version = ASNAP_DUMP_VERSION + 1;
    dump_repair(original.copy, original.size);
    CU_ASSERT_EQUAL(load_copy(&original, original.size), ASNAP_ERROR_VERSION);
    header->version = ASNAP_DUMP_VERSION_TIMELESS - 1;
    dump_repair(original.copy, original.size);
    CU_ASSERT_EQUAL(load_copy(&original, original.size), ASNAP_ERROR_VERSION);
    header->version = ASNAP_DUMP_VERSION;
    header->byte_order = __builtin_bswap32(ASNAP_DUMP_BYTE_ORDER);
    CU_ASSERT_EQUAL(load_copy(&original, original.size), ASNAP_ERROR_UNSUPPORTED);
    forget(&original);
}

ASNAP_TEST(model_dump_damage, a_section_of_an_unknown_kind_is_passed_over)
{
    const struct heap_blocks blocks = {
        .size = 8, .count = 6, .stack = {{"/a.c", "f", 1, false, 0}}};
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(heap_try(&blocks, 1, "a note", &snapshot));
    const char *path = dump_path("unknown");
    ASNAP_ASSERT_OK(asnap_snapshot_dump(snapshot, path, NULL, 0));
    asnap_snapshot_destroy(snapshot);
    size_t size;
    unsigned char *bytes = dump_bytes(path, &size);
    struct asnap_dump_header *header = (struct asnap_dump_header *)bytes;
    struct asnap_dump_section *sections = (struct asnap_dump_section *)(header + 1);
    CU_ASSERT_EQUAL_FATAL(sections[header->section_count - 1].kind, ASNAP_DUMP_NOTES);
    sections[header->section_count - 1].kind = 1000;
    dump_repair(bytes, size);
    dump_write(path, bytes, size);
    free(bytes);
    ASNAP_ASSERT_OK(asnap_snapshot_load(path, &snapshot));
    CU_ASSERT_EQUAL(asnap_snapshot_note_count(snapshot), 0);
    CU_ASSERT_EQUAL(asnap_snapshot_count(snapshot), 6);
    asnap_snapshot_destroy(snapshot);
}

/* Sets 32 bits of a section, makes the checksums right, and tells what loading gives. */
static int load_changed(enum asnap_dump_kind kind, size_t offset, uint32_t value)
{
    struct original original = original_dump();
    const struct asnap_dump_header *header = (struct asnap_dump_header *)original.copy;
    const struct asnap_dump_section *section = (const struct asnap_dump_section *)(header + 1);
    while (section->kind != kind)
        section++;
    CU_ASSERT_FATAL(offset + sizeof(value) <= section->size);
    CU_ASSERT_NOT_EQUAL(memcmp(original.copy + section->offset + offset, &value, sizeof(value)), 0);
    memcpy(original.copy + section->offset + offset, &value, sizeof(value));
    dump_repair(original.copy, original.size);
    int code = load_copy(&original, original.size);
    forget(&original);
    return code;
}

/* Changes as above, and checks what the error says of it. */
static void check_damaged(enum asnap_dump_kind kind, size_t offset, uint32_t value,
                          const char *what)
{
    CU_ASSERT_EQUAL(load_changed(kind, offset, value), ASNAP_ERROR_DAMAGED);
    if (strstr(last_message, what) == NULL)
        fprintf(stderr, "%s\n    does not say: %s\n", last_message, what);
    CU_ASSERT_PTR_NOT_NULL(strstr(last_message, what));
}

ASNAP_TEST(model_dump_damage, right_checksums_and_wrong_contents)
{
    check_damaged(ASNAP_DUMP_FILES, 0, 0x7f7f7f7f, "section 1: name 1 is not greater than name 0");
    check_damaged(ASNAP_DUMP_FUNCTIONS, 0, 0x007f007f,
                  "section 2: name 1 is not greater than name 0");
    check_damaged(ASNAP_DUMP_LOCATIONS, 0, 100, "location 0: file index 100 of 5 files");
    check_damaged(ASNAP_DUMP_LOCATIONS, 4, 999999,
                  "location 0 has both line 999999 and a function");
    check_damaged(ASNAP_DUMP_LOCATIONS, 8, 100, "function index 100 of 6 functions");
    check_damaged(ASNAP_DUMP_FRAMES, 0, 100, "frame 0: location index 100 of 6 locations");
    check_damaged(ASNAP_DUMP_FRAMES, 4, 100,
                  "frame 0: location index 2 of 6 locations, function index 100 of 6 functions");
    check_damaged(ASNAP_DUMP_FRAMES, 8, 2, "frame 0: inlined is 2, not 0 or 1");
    check_damaged(ASNAP_DUMP_FRAME_ORDER, 0, 100,
                  "entry 0 in the order of frames: frame index 100 of 7 frames");
    check_damaged(ASNAP_DUMP_FRAME_ORDER, 4, 0,
                  "entry 2 in the order of frames: frame index 0 of 7 frames");
    check_damaged(ASNAP_DUMP_FRAME_IDS, 8, 100, "a traceback has frame index 100 of 7 frames");
    check_damaged(ASNAP_DUMP_FRAME_IDS, 8, UINT32_MAX,
                  "a traceback has frame index 4294967295 of 7 frames");
    check_damaged(ASNAP_DUMP_TRACEBACKS, 0, 1,
                  "traceback 0: frame_count 2 from index 1 of 9 frame indexes on");
    check_damaged(ASNAP_DUMP_TRACEBACKS, 8, 0, "traceback 0: frame_count 0 from index 0");
    check_damaged(ASNAP_DUMP_TRACEBACKS, 8, UINT32_MAX, "traceback 0: frame_count 4294967295");
    check_damaged(ASNAP_DUMP_TRACEBACKS, 12, 1, "total_nframe 1)");
    check_damaged(ASNAP_DUMP_TRACEBACKS, 12, 65536, "total_nframe 65536");
    check_damaged(ASNAP_DUMP_TRACEBACKS, 12, UINT32_MAX - 1, "total_nframe 4294967294");
    check_damaged(ASNAP_DUMP_TRACES, 16, 3, "block at 0x7000: traceback index 3 of 3 tracebacks");
    check_damaged(ASNAP_DUMP_TRACES, 12, UINT32_MAX,
                  "the sizes of its blocks, up to the block at 0x7000, are 2^63 bytes or more");
    check_damaged(ASNAP_DUMP_TRACES, 24, 3, "block at 0x7000: thread index 3 of 3 threads");
    check_damaged(ASNAP_DUMP_FRAME_MAPPINGS, 0, 3, "frame 0: mapping index 3 of 3 mappings");
    check_damaged(
        ASNAP_DUMP_THREADS, 0, 1,
        "the first entry of the list of threads is 1, not 0, which stands for an unknown thread");
    check_damaged(ASNAP_DUMP_NAMED_BY, 0, ASNAP_NAMED_UNTOLD,
                  "frame 0: named_by is 0, not a number from 1 to 6");
    check_damaged(ASNAP_DUMP_NAMED_BY, 0, ASNAP_NAMED_KINDS,
                  "frame 0: named_by is 7, not a number from 1 to 6");
    check_damaged(ASNAP_DUMP_MAPPINGS, 8, 0x400000, "mapping 0: start 0x400000, end 0x400000");
    check_damaged(ASNAP_DUMP_MAPPINGS, 24, 100, "path index 100 and build ID index 1 of 6 names");
    check_damaged(ASNAP_DUMP_MAPPINGS, 28, 100, "path index 0 and build ID index 100 of 6 names");
    check_damaged(ASNAP_DUMP_DOMAINS, 0, 9, "domain 1: its number 9 is not greater than 9");
    check_damaged(ASNAP_DUMP_DOMAIN_NAMES, 0, 0x41414100, "2 domains, but 3 names of domains");
    check_damaged(ASNAP_DUMP_ATTRIBUTES, 0, 0x41414100,
                  "5 strings for attributes, of which each has two, a name and a value");
    check_damaged(ASNAP_DUMP_ATTRIBUTES, 0, 0x7f7f7f7f, "the name of attribute 1 is not greater");
}

/* Sets a field of a section's entry in the table. */
static int load_entry(size_t field, uint64_t value)
{
    struct original original = original_dump();
    size_t at = sizeof(struct asnap_dump_header) + sizeof(struct asnap_dump_section) + field;
    memcpy(original.copy + at, &value, field < 8 ? 4 : 8);
    dump_repair(original.copy, original.size);
    int code = load_copy(&original, original.size);
    forget(&original);
    return code;
}

ASNAP_TEST(model_dump_damage, wrong_section_tables)
{
    CU_ASSERT_EQUAL(load_entry(0, ASNAP_DUMP_FILES), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(load_entry(0, 0), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(load_entry(4, 1), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(load_entry(8, 0), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(load_entry(8, UINT64_MAX - 7), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(load_entry(16, 0), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(load_entry(16, UINT64_MAX), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_EQUAL(load_entry(16, 1), ASNAP_ERROR_DAMAGED);
}

static int load_from(const char *path)
{
    struct asnap_snapshot *snapshot = NULL;
    struct asnap_error *error = asnap_snapshot_load(path, &snapshot);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    int code = (int)asnap_error_code(error);
    CU_ASSERT_PTR_NOT_NULL(strstr(asnap_error_message(error), path));
    asnap_error_destroy(error);
    return code;
}

ASNAP_TEST(model_dump_damage, what_is_no_dump)
{
    CU_ASSERT_EQUAL(load_from("/nonexistent/allocsnap.dump"), ASNAP_ERROR_IO);
    CU_ASSERT_EQUAL(load_from("/"), ASNAP_ERROR_IO);
    CU_ASSERT_EQUAL(load_from("/dev/null"), ASNAP_ERROR_IO);
    CU_ASSERT_EQUAL(load_from("/dev/zero"), ASNAP_ERROR_IO);
    const char *pipe = dump_path("pipe");
    CU_ASSERT_EQUAL_FATAL(mkfifo(pipe, 0600), 0);
    CU_ASSERT_EQUAL(load_from(pipe), ASNAP_ERROR_IO);
    unlink(pipe);
    const char *text = dump_path("text");
    dump_write(text, "", 0);
    CU_ASSERT_EQUAL(load_from(text), ASNAP_ERROR_DAMAGED);
    dump_write(text, "a text file that is longer than the header of a dump", 52);
    CU_ASSERT_EQUAL(load_from(text), ASNAP_ERROR_DAMAGED);
}
