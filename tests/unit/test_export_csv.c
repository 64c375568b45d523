/* CSV, byte for byte. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_model_dump.h"

#define HEADER                                                                                     \
    "size,count,sampled,block_size,domain,domain_name,thread,age,reach,filename,lineno,function,"  \
    "module,"                                                                                      \
    "build_id,offset,named_by,total_nframe,traceback\r\n"

static void add_stack(struct asnap_builder *builder, const struct asnap_frame *frames,
                      uint32_t frame_count, uint32_t total, uint64_t size)
{
    static uint64_t address = 0x1000;
    uint32_t ids[3];
    struct asnap_trace trace = {.address = address += 64, .size = size, .domain = 7, .thread = 1};
    for (uint32_t i = 0; i < frame_count; i++)
        ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frames[i], 0, ASNAP_NO_MAPPING, &ids[i]));
    ASNAP_ASSERT_OK(asnap_builder_traceback(builder, ids, frame_count, total, &trace.traceback_id));
    ASNAP_ASSERT_OK(asnap_builder_traces(builder, &trace, 1));
}

ASNAP_TEST(export_csv, cells)
{
    static const uint32_t threads[] = {0, 4711};
    const struct asnap_frame plain[] = {{"/src/a.c", "read", 3, false, ASNAP_NAMED_LINE},
                                        {"/src/a.c", "main", 9, false, ASNAP_NAMED_LINE}};
    const struct asnap_frame odd[] = {{"=1+1", "say \"a;b\", '\n", 0, false, ASNAP_NAMED_SYMBOL},
                                      {"'x", "@main", 0, false, ASNAP_NAMED_SYMBOL}};
    const struct asnap_frame wide[] = {{"\xef\xbc\x9d\xff", NULL, 0, false, ASNAP_NAMED_NONE}};
    struct asnap_builder *builder;
    struct asnap_snapshot *snapshot;
    const char *path = dump_path("out.csv");
    size_t size;
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    ASNAP_ASSERT_OK(asnap_builder_threads(builder, threads, 2));
    ASNAP_ASSERT_OK(asnap_builder_domain_name(builder, 7, "-pool"));
    add_stack(builder, odd, 2, 9, 5);
    add_stack(builder, wide, 1, ASNAP_TOTAL_UNKNOWN, 0);
    add_stack(builder, plain, 2, 2, 40);
    add_stack(builder, plain, 2, 2, 40);
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 3, &snapshot));
    asnap_builder_destroy(builder);
    ASNAP_ASSERT_OK(asnap_export(snapshot, ASNAP_EXPORT_CSV, NULL, path));
    char *bytes = (char *)dump_bytes(path, &size);
    bytes[size] = '\0';
    CU_ASSERT_STRING_EQUAL(
        bytes, HEADER
        "80,2,,40,7,\"'-pool\",4711,,,\"/src/a.c\",3,\"read\",,,,line table,2,\"main;read\"\r\n"
        "5,1,,5,7,\"'-pool\",4711,,,\"'=1+1\",0,\"say \"\"a;b\"\", '\\x0a\",,,,symbol table,9,"
        "\"'@main;say \"\"a\\x3bb\"\", '\\x0a\"\r\n"
        "0,1,,0,7,\"'-pool\",4711,,,\"'\xef\xbc\x9d\\xff\",0,,,,,none,,"
        "\"'\xef\xbc\x9d\\xff\"\r\n");
    free(bytes);
    asnap_snapshot_destroy(snapshot);
}

/* The cells of a stack are the same in each of its rows, also of one that the buffer has no room
 * for. */
ASNAP_TEST(export_csv, rows_of_a_stack)
{
    enum { LONG = 300000 };
    char *name = calloc(1, LONG + 1);
    CU_ASSERT_FATAL(name != NULL);
    memset(name, 'n', LONG);
    const struct asnap_frame plain[] = {{"/src/a.c", "read", 3, false, ASNAP_NAMED_LINE}};
    const struct asnap_frame large[] = {{"/src/b.c", name, 4, false, ASNAP_NAMED_LINE}};
    struct asnap_builder *builder;
    struct asnap_snapshot *snapshot;
    const char *path = dump_path("out.csv");
    size_t size;
    static const uint32_t threads[] = {0, 4711};
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    ASNAP_ASSERT_OK(asnap_builder_threads(builder, threads, 2));
    for (uint64_t i = 1; i <= 3; i++) {
        add_stack(builder, plain, 1, 1, 10 * i);
        add_stack(builder, large, 1, 1, 100 * i);
    }
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 3, &snapshot));
    asnap_builder_destroy(builder);
    ASNAP_ASSERT_OK(asnap_export(snapshot, ASNAP_EXPORT_CSV, NULL, path));
    char *bytes = (char *)dump_bytes(path, &size);
    bytes[size] = '\0';
    char *at = strstr(bytes, "\r\n") + 2;
    for (uint64_t i = 3; i >= 1; i--) {
        char begin[64];
        int length = snprintf(begin, sizeof(begin), "%d,1,,%d,7,,4711,,,\"/src/b.c\",4,\"",
                              (int)(100 * i), (int)(100 * i));
        CU_ASSERT_EQUAL_FATAL(strncmp(at, begin, (size_t)length), 0);
        CU_ASSERT_EQUAL_FATAL(strncmp(at + length, name, LONG), 0);
        at = strstr(at, "\r\n") + 2;
    }
    CU_ASSERT_STRING_EQUAL(
        at, "30,1,,30,7,,4711,,,\"/src/a.c\",3,\"read\",,,,line table,1,\"read\"\r\n"
            "20,1,,20,7,,4711,,,\"/src/a.c\",3,\"read\",,,,line table,1,\"read\"\r\n"
            "10,1,,10,7,,4711,,,\"/src/a.c\",3,\"read\",,,,line table,1,\"read\"\r\n");
    free(bytes);
    free(name);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(export_csv, nothing)
{
    struct asnap_builder *builder;
    struct asnap_snapshot *snapshot;
    const char *path = dump_path("out.csv");
    size_t size;
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 3, &snapshot));
    asnap_builder_destroy(builder);
    ASNAP_ASSERT_OK(asnap_export(snapshot, ASNAP_EXPORT_CSV, NULL, path));
    unsigned char *bytes = dump_bytes(path, &size);
    CU_ASSERT_EQUAL_FATAL(size, strlen(HEADER));
    CU_ASSERT(memcmp(bytes, HEADER, size) == 0);
    free(bytes);
    asnap_snapshot_destroy(snapshot);
}
