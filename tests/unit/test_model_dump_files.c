#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test_model_dump.h"

static char directory[] = "/tmp/allocsnap-test-XXXXXX";

static void remove_directory(void)
{
    DIR *files = opendir(directory);
    char path[512];
    for (struct dirent *file; files != NULL && (file = readdir(files)) != NULL;) {
        snprintf(path, sizeof(path), "%s/%s", directory, file->d_name);
        unlink(path);
        rmdir(path);
    }
    if (files != NULL)
        closedir(files);
    rmdir(directory);
}

const char *dump_path(const char *name)
{
    static char paths[2][512];
    static size_t next;
    /* All six: a name that mkdtemp has made may well end in an X. */
    if (strstr(directory, "XXXXXX") != NULL) {
        CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
        atexit(remove_directory);
    }
    next = 1 - next;
    snprintf(paths[next], sizeof(paths[next]), "%s/%s", directory, name);
    unlink(paths[next]);
    return paths[next];
}

size_t dump_file_count(void)
{
    size_t count = 0;
    DIR *files = opendir(directory);
    CU_ASSERT_PTR_NOT_NULL_FATAL(files);
    for (struct dirent *file; (file = readdir(files)) != NULL;)
        count += strcmp(file->d_name, ".") != 0 && strcmp(file->d_name, "..") != 0;
    closedir(files);
    return count;
}

unsigned char *dump_bytes(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*size + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    CU_ASSERT_EQUAL_FATAL(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

void dump_write(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL_FATAL(fwrite(bytes, 1, size, file), size);
    CU_ASSERT_EQUAL_FATAL(fclose(file), 0);
}

static struct asnap_error *add_stacks(struct asnap_builder *builder, uint32_t *stacks)
{
    static const struct asnap_frame frames[] = {
        {"/s/a.c", "f", 1, true, 0},         {"/s/m.c", "main", 9, false, 0},
        {"/s/b.c", NULL, 2, false, 0},       {"/lib/x.so", "y", 0, false, ASNAP_NAMED_DEBUGGER},
        {"/lib/x.so", "x", 0, false, 0},     {"/s/a.c", "g", 1, false, 0},
        {"/s/\xc3\xa9.c", "h", 7, false, 0},
    };
    static const uint64_t addresses[] = {0x401005, 0x401005, 0x402000, 0, 0x7f0001, 0x401009, 0};
    static const uint32_t mappings[] = {0, 2, 0, UINT32_MAX, 1, 0, UINT32_MAX};
    uint32_t ids[7];
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < 7; i++)
        error = asnap_builder_frame(builder, &frames[i], addresses[i], mappings[i], &ids[i]);
    for (size_t i = 0; error == NULL && i < 7; i++)
        error = asnap_builder_offset(builder, ids[i], addresses[i] == 0 ? 0 : 0x1000 + i);
    if (error == NULL)
        error = asnap_builder_traceback(builder, ids, 2, 5, &stacks[0]);
    if (error == NULL)
        error = asnap_builder_traceback(builder, ids + 2, 1, 0, &stacks[1]);
    if (error == NULL)
        error = asnap_builder_traceback(builder, ids + 1, 6, 0, &stacks[2]);
    return error;
}

/* What frames and traces name. */
static struct asnap_error *add_places(struct asnap_builder *builder)
{
    static const struct asnap_mapping mappings[] = {
        {0x400000, 0x500000, 0x1000, "/bin/server", "c0ffee"},
        {0x7f0000, 0x800000, 0, "/lib/x.so", NULL},
        {0x400000, 0x480000, ASNAP_WHOLE_FILE, "/lib/gone.so", "90ne"},
    };
    static const uint32_t threads[] = {0, 4711, 4712};
    struct asnap_error *error = asnap_builder_threads(builder, threads, 3);
    if (error == NULL)
        error = asnap_builder_start_time(builder, UINT64_C(1715954590123456789));
    for (size_t i = 0; error == NULL && i < 3; i++)
        error = asnap_builder_mapping(builder, &mappings[i]);
    return error;
}

static struct asnap_error *add_lists(struct asnap_builder *builder)
{
    struct asnap_error *error = asnap_builder_note(builder, "3 blocks are missing");
    if (error == NULL)
        error = asnap_builder_note(builder, "");
    if (error == NULL)
        error = asnap_builder_domain_name(builder, 9, "pool");
    if (error == NULL)
        error = asnap_builder_domain_name(builder, 3, "arena");
    if (error == NULL)
        error = asnap_builder_attribute(builder, "process", "server (17)");
    if (error == NULL)
        error = asnap_builder_attribute(builder, "host", "");
    return error;
}

struct asnap_error *dump_try(struct asnap_snapshot **snapshot)
{
    struct asnap_builder *builder = NULL;
    uint32_t stacks[3];
    struct asnap_error *error = asnap_builder_create(&builder);
    if (error == NULL)
        error = add_places(builder);
    if (error == NULL)
        error = add_stacks(builder, stacks);
    if (error == NULL) {
        const struct asnap_trace traces[] = {
            {0x7000, 16, stacks[0], 0, 1, 0},
            {0x1000, 5000, stacks[1], 3, 2, 1234},
            {0x9000, 0, stacks[2], 0, 0, ASNAP_TIME_UNKNOWN},
            {0x2000, 16, stacks[0], 9, 1, 77},
            {0x3000, 1, stacks[0], 0, 0, 1234},
            {0x3000, 1, stacks[0], 0, 2, ASNAP_TIME_UNKNOWN},
        };
        error = asnap_builder_traces(builder, traces, 6);
    }
    if (error == NULL)
        error = add_lists(builder);
    if (error == NULL)
        error = asnap_builder_finish(builder, 77, snapshot);
    asnap_builder_destroy(builder);
    return error;
}

struct asnap_snapshot *dump_snapshot(void)
{
    struct asnap_snapshot *snapshot = NULL;
    ASNAP_ASSERT_OK(dump_try(&snapshot));
    return snapshot;
}
