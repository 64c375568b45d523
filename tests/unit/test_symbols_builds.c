/* The symbolizer where the file at a mapped path is not the one in memory. */
#include <inttypes.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "own_memory.h"
#include "symbolizer.h"
#include "test_symbols_process.h"
#include "unit.h"

#define GONE "/nonexistent/program"
#define OTHER_BUILD "/bin/sh"

__attribute__((noinline)) static uint64_t here(void)
{
    uint64_t address = (uint64_t)__builtin_return_address(0);
    __asm__ volatile("" : "+r"(address));
    return address;
}

/* This process, its program mapped from another path. */
struct mapped {
    struct own_regions own;
    struct asnap_region *regions;
    uint64_t address; /* in this file */
    const struct asnap_memory *memory;
};

static void mapped_init(struct mapped *mapped, const char *path)
{
    mapped->address = here();
    mapped->memory = &own_memory;
    own_regions_init(&mapped->own);
    mapped->regions = mapped->own.regions;
    for (size_t i = 0; i < mapped->own.count; i++) {
        struct asnap_region *region = &mapped->regions[i];
        region->flags = ASNAP_REGION_READABLE | ASNAP_REGION_EXECUTABLE;
        if (strcmp(region->path, own_path()) != 0)
            continue;
        free((char *)region->path);
        region->path = strdup(path);
    }
}

/* Names this file's address in a new symbolizer that knows of `files`. */
static struct asnap_error *name(const struct mapped *mapped, const char *const *files, size_t count,
                                struct asnap_symbolizer **symbolizer, struct asnap_named_pc *named)
{
    struct asnap_error *error = asnap_symbolizer_create(NULL, symbolizer);
    if (error != NULL)
        return error;
    error = asnap_symbolizer_set_regions(*symbolizer, mapped->memory, mapped->regions,
                                         mapped->own.count);
    if (error == NULL)
        error = asnap_symbolizer_set_files(*symbolizer, files, count);
    if (error == NULL)
        error = asnap_symbolizer_name(*symbolizer, &mapped->address, 1, NULL, named);
    if (error != NULL)
        asnap_symbolizer_destroy(*symbolizer);
    return error;
}

static int note_bias(struct dl_phdr_info *info, size_t size, void *bias)
{
    (void)size;
    *(uint64_t *)bias = info->dlpi_addr;
    return 1; /* the first one is this program */
}

/* Where the file cannot be read, its program headers in memory tell the call's offset in it. */
static void expect_offset(const struct mapped *mapped, const char *path,
                          const struct asnap_frame *frame)
{
    char name[PATH_MAX];
    uint64_t bias = 0;
    CU_ASSERT_EQUAL(frame->lineno, 0);
    if (mapped->memory == NULL) {
        CU_ASSERT_PTR_NULL(frame->function);
        return;
    }
    dl_iterate_phdr(note_bias, &bias);
    snprintf(name, sizeof(name), "%s+0x%" PRIx64, strrchr(path, '/') + 1,
             mapped->address - 1 - bias);
    CU_ASSERT_EQUAL(frame->named_by, ASNAP_NAMED_NONE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(frame->function);
    CU_ASSERT_STRING_EQUAL(frame->function, name);
}

/* Whether the address is named; if not, by which path and with what in the note. */
static void expect(const struct mapped *mapped, const char *file, bool is_named, const char *path,
                   const char *note)
{
    struct asnap_symbolizer *symbolizer;
    struct asnap_named_pc named;
    ASNAP_ASSERT_OK(name(mapped, &file, file == NULL ? 0 : 1, &symbolizer, &named));
    CU_ASSERT_EQUAL(named.frame_count, 1);
    if (is_named) {
        CU_ASSERT_PTR_NOT_NULL(strstr(named.frames[0].filename, __FILE__));
        CU_ASSERT_PTR_NOT_NULL_FATAL(named.frames[0].function);
        CU_ASSERT_STRING_EQUAL(named.frames[0].function, "mapped_init");
        CU_ASSERT_EQUAL(asnap_symbolizer_note_count(symbolizer), 0);
    } else {
        CU_ASSERT_STRING_EQUAL(named.frames[0].filename, path);
        expect_offset(mapped, path, &named.frames[0]);
        CU_ASSERT_EQUAL_FATAL(asnap_symbolizer_note_count(symbolizer), 1);
        CU_ASSERT_PTR_NOT_NULL(strstr(asnap_symbolizer_note(symbolizer, 0), note));
    }
    asnap_symbolizer_destroy(symbolizer);
}

ASNAP_TEST(symbols_builds, missing)
{
    struct mapped mapped;
    mapped_init(&mapped, GONE);
    expect(&mapped, NULL, false, GONE, "No such file");
    expect(&mapped, OTHER_BUILD, false, GONE, "No such file");
    expect(&mapped, own_path(), true, NULL, NULL);
    own_regions_deinit(&mapped.own);
}

ASNAP_TEST(symbols_builds, another_build)
{
    struct mapped mapped;
    mapped_init(&mapped, OTHER_BUILD);
    expect(&mapped, NULL, false, OTHER_BUILD, "its build ID differs");
    expect(&mapped, "/proc/self/maps", false, OTHER_BUILD, "its build ID differs");
    expect(&mapped, own_path(), true, NULL, NULL);
    own_regions_deinit(&mapped.own);
}

/* The file is another one at the path that is seen here, also where no build ID tells it. */
ASNAP_TEST(symbols_builds, seen_elsewhere)
{
    struct mapped mapped;
    mapped_init(&mapped, OTHER_BUILD);
    const char *const its_path[] = {NULL, OTHER_BUILD};
    const char *const opened[] = {"/proc/self/maps", own_path()};
    for (int knows_build = 0; knows_build < 2; knows_build++) {
        struct asnap_symbolizer *symbolizer;
        struct asnap_named_pc named;
        ASNAP_ASSERT_OK(asnap_symbolizer_create(NULL, &symbolizer));
        ASNAP_ASSERT_OK(asnap_symbolizer_set_regions(symbolizer, knows_build ? mapped.memory : NULL,
                                                     mapped.regions, mapped.own.count));
        ASNAP_ASSERT_OK(asnap_symbolizer_set_seen_files(symbolizer, its_path, opened, 2));
        ASNAP_ASSERT_OK(asnap_symbolizer_name(symbolizer, &mapped.address, 1, NULL, &named));
        CU_ASSERT_EQUAL_FATAL(named.frame_count, 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(named.frames[0].function);
        CU_ASSERT_STRING_EQUAL(named.frames[0].function, "mapped_init");
        CU_ASSERT_EQUAL(asnap_symbolizer_note_count(symbolizer), 0);
        /* What is told anew counts, and what is not told no more. */
        ASNAP_ASSERT_OK(asnap_symbolizer_set_seen_files(symbolizer, NULL, opened, 1));
        ASNAP_ASSERT_OK(asnap_symbolizer_name(symbolizer, &mapped.address, 1, NULL, &named));
        CU_ASSERT(named.frames[0].function == NULL ||
                  strcmp(named.frames[0].function, "mapped_init") != 0);
        asnap_symbolizer_destroy(symbolizer);
    }
    own_regions_deinit(&mapped.own);
}

ASNAP_TEST(symbols_builds, deleted)
{
    struct mapped mapped;
    mapped_init(&mapped, GONE " (deleted)");
    expect(&mapped, NULL, false, GONE, "was deleted or replaced");
    expect(&mapped, own_path(), true, NULL, NULL);
    own_regions_deinit(&mapped.own);
}

/* Fails to read, or changes a byte of what it reads: one after the other. */
static int read_damaged(void *context, uint64_t address, void *buffer, size_t size)
{
    const size_t *damage = context;
    if (*damage >= size)
        return ASNAP_READ_FAILED;
    memcpy(buffer, (const void *)address, size);
    ((unsigned char *)buffer)[*damage] ^= 0xff;
    return ASNAP_READ_OK;
}

ASNAP_TEST(symbols_builds, damaged_memory)
{
    size_t damage;
    const struct asnap_memory memory = {.read = read_damaged, .context = &damage};
    struct mapped mapped;
    mapped_init(&mapped, own_path());
    mapped.memory = &memory;
    for (damage = 0; damage < 1100; damage++) {
        struct asnap_symbolizer *symbolizer;
        struct asnap_named_pc named;
        ASNAP_ASSERT_OK(name(&mapped, NULL, 0, &symbolizer, &named));
        CU_ASSERT_EQUAL(named.frame_count, 1);
        /* It is the right file, unless the build ID was hit. */
        if (named.frames[0].lineno == 0) {
            CU_ASSERT_EQUAL_FATAL(asnap_symbolizer_note_count(symbolizer), 1);
            CU_ASSERT_PTR_NOT_NULL(strstr(asnap_symbolizer_note(symbolizer, 0), "build ID"));
        }
        asnap_symbolizer_destroy(symbolizer);
    }
    damage = SIZE_MAX;
    expect(&mapped, NULL, true, NULL, NULL);
    own_regions_deinit(&mapped.own);
}

static struct asnap_error *named_by_other(void *context)
{
    const char *files[] = {"/nonexistent", OTHER_BUILD, own_path()};
    struct asnap_symbolizer *symbolizer;
    struct asnap_named_pc named;
    struct asnap_error *error = name(context, files, 3, &symbolizer, &named);
    if (error == NULL) {
        CU_ASSERT_PTR_NOT_NULL_FATAL(named.frames[0].function);
        CU_ASSERT_STRING_EQUAL(named.frames[0].function, "mapped_init");
        asnap_symbolizer_destroy(symbolizer);
    }
    return error;
}

ASNAP_TEST(symbols_builds, failing_allocations)
{
    struct mapped mapped;
    mapped_init(&mapped, OTHER_BUILD);
    CU_ASSERT(asnap_unit_sweep(named_by_other, &mapped) > 20);
    own_regions_deinit(&mapped.own);
}
