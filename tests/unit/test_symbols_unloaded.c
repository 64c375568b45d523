/* Names of return addresses in files that are not mapped there any more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elf_file.h"
#include "region_map.h"
#include "symbolizer.h"
#include "test_symbols_process.h"
#include "unit.h"

/* Where this program's file is said to have been, and another file to be now. */
#define PLACE UINT64_C(0x100000000)
#define SIZE UINT64_C(0x10000000)

/* Paths of modules, which may be written to. */
static char gone[] = "/nonexistent/gone.so";
static char library[] = "/lib/a.so";

__attribute__((noinline)) static uint64_t known_call(void)
{
    uint64_t address = (uint64_t)__builtin_return_address(0);
    __asm__ volatile("" : "+r"(address));
    return address;
}

__attribute__((noinline)) static uint64_t known_caller(void)
{
    uint64_t address = known_call();
    __asm__ volatile("" : "+r"(address));
    return address;
}

/* Where this program's file begins in memory. */
static uint64_t own_start(void)
{
    struct own_regions own;
    uint64_t start = 0;
    own_regions_init(&own);
    for (size_t i = 0; i < own.count && start == 0; i++) {
        if (strcmp(own.regions[i].path, own_path()) == 0 && own.regions[i].file_offset == 0)
            start = own.regions[i].start;
    }
    own_regions_deinit(&own);
    CU_ASSERT_FATAL(start != 0);
    return start;
}

/* What a return address in this program would have been at PLACE. */
static uint64_t moved(uint64_t address)
{
    return address - own_start() + PLACE;
}

/* Module 1 is this program's file at PLACE. */
static void own_module(struct asnap_raw_module modules[2])
{
    struct asnap_elf *elf;
    struct asnap_build_id id;
    ASNAP_ASSERT_OK(asnap_elf_open(own_path(), &elf));
    asnap_elf_build_id(elf, &id);
    asnap_elf_close(elf);
    CU_ASSERT_FATAL(id.size > 0 && id.size <= 32);
    memset(modules, 0, 2 * sizeof(*modules));
    modules[1] = (struct asnap_raw_module){.start = PLACE,
                                           .end = PLACE + SIZE,
                                           .path = (char *)(uintptr_t)own_path(),
                                           .build_id_bytes = (uint32_t)id.size};
    memcpy(modules[1].build_id, id.bytes, id.size);
}

/* A symbolizer of a process with this file where module 1 was; NULL: with none. */
static struct asnap_symbolizer *symbolizer_with(const char *path)
{
    const struct asnap_region region = {
        .start = PLACE, .end = PLACE + SIZE, .path = path, .flags = ASNAP_REGION_EXECUTABLE};
    struct asnap_symbolizer *symbolizer;
    ASNAP_ASSERT_OK(asnap_symbolizer_create(NULL, &symbolizer));
    ASNAP_ASSERT_OK(asnap_symbolizer_set_regions(symbolizer, NULL, &region, path == NULL ? 0 : 1));
    return symbolizer;
}

static struct asnap_frame name_in(struct asnap_symbolizer *symbolizer,
                                  const struct asnap_raw_module *modules, struct asnap_pc pc)
{
    struct asnap_named_pc named = {0};
    ASNAP_ASSERT_OK(asnap_symbolizer_name_pcs(symbolizer, modules, &pc, 1, NULL, &named));
    CU_ASSERT_EQUAL_FATAL(named.frame_count, 1);
    return named.frames[0];
}

static void check_named(struct asnap_frame frame)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(frame.function);
    CU_ASSERT_STRING_EQUAL(frame.function, "known_caller");
    CU_ASSERT_PTR_NOT_NULL(strstr(frame.filename, "test_symbols_unloaded.c"));
    CU_ASSERT(frame.lineno > 0);
}

static void check_note(struct asnap_symbolizer *symbolizer, const char *part)
{
    CU_ASSERT_EQUAL_FATAL(asnap_symbolizer_note_count(symbolizer), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(asnap_symbolizer_note(symbolizer, 0), part));
    CU_ASSERT_PTR_NULL(strchr(asnap_symbolizer_note(symbolizer, 0), '\n'));
}

ASNAP_TEST(symbols_unloaded, are_named_by_their_file)
{
    struct asnap_raw_module modules[2];
    own_module(modules);
    struct asnap_pc pc = {moved(known_caller()), 1};
    struct asnap_symbolizer *symbolizer = symbolizer_with(NULL);
    check_named(name_in(symbolizer, modules, pc));
    CU_ASSERT_EQUAL(asnap_symbolizer_note_count(symbolizer), 0);
    asnap_symbolizer_destroy(symbolizer);
}

ASNAP_TEST(symbols_unloaded, another_file_in_the_place_names_only_its_own)
{
    struct asnap_raw_module modules[2];
    own_module(modules);
    struct asnap_pc pc = {moved(known_caller()), 1};
    struct asnap_symbolizer *symbolizer = symbolizer_with("/nonexistent/new.so");
    check_named(name_in(symbolizer, modules, pc));
    CU_ASSERT_EQUAL(asnap_symbolizer_note_count(symbolizer), 0);
    pc.module = 0;
    CU_ASSERT_STRING_EQUAL(name_in(symbolizer, modules, pc).filename, "/nonexistent/new.so");
    pc.module = 1;
    check_named(name_in(symbolizer, modules, pc));
    check_note(symbolizer, "/nonexistent/new.so: cannot be read");
    asnap_symbolizer_destroy(symbolizer);
}

ASNAP_TEST(symbols_unloaded, another_build_is_not_used)
{
    struct asnap_raw_module modules[2];
    own_module(modules);
    struct asnap_pc pc = {moved(known_caller()), 1};
    struct asnap_symbolizer *symbolizer = symbolizer_with(NULL);
    check_named(name_in(symbolizer, modules, pc));
    modules[1].build_id[0] ^= 1;
    for (int i = 0; i < 2; i++) {
        struct asnap_frame frame = name_in(symbolizer, modules, pc);
        CU_ASSERT_STRING_EQUAL(frame.filename, own_path());
        CU_ASSERT(frame.function == NULL && frame.lineno == 0);
        check_note(symbolizer, ": is not the file that the program had loaded (its build ID");
        /* A third build says no more. */
        modules[1].build_id[1] ^= 1;
        CU_ASSERT_PTR_NULL(name_in(symbolizer, modules, pc).function);
        check_note(symbolizer, ": is not the file that the program had loaded (its build ID");
        /* A build ID that is not known cannot be that of a file that has one. */
        modules[1].build_id_bytes = 0;
        ASNAP_ASSERT_OK(asnap_symbolizer_set_regions(symbolizer, NULL, NULL, 0));
    }
    modules[1].path = gone;
    CU_ASSERT_STRING_EQUAL(name_in(symbolizer, modules, pc).filename, "/nonexistent/gone.so");
    check_note(symbolizer, "/nonexistent/gone.so: cannot be read");
    asnap_symbolizer_destroy(symbolizer);
}

ASNAP_TEST(symbols_unloaded, outside_of_the_module_is_nowhere)
{
    struct asnap_raw_module modules[2];
    own_module(modules);
    struct asnap_symbolizer *symbolizer = symbolizer_with(own_path());
    modules[1].start += 0x1000;
    const struct asnap_pc pcs[] = {{PLACE + 0x1000, 1}, {PLACE + SIZE + 1, 1}, {0, 1}};
    for (size_t i = 0; i < 3; i++)
        CU_ASSERT_STRING_EQUAL(name_in(symbolizer, modules, pcs[i]).filename, "<unknown>");
    /* In no code of the file. */
    struct asnap_pc pc = {PLACE + SIZE, 1};
    struct asnap_frame frame = name_in(symbolizer, modules, pc);
    CU_ASSERT_STRING_EQUAL(frame.filename, own_path());
    CU_ASSERT_PTR_NULL(frame.function);
    asnap_symbolizer_destroy(symbolizer);
}

/* Whether what is mapped counts as the module. */
static bool in_place(const struct asnap_region *region, const struct asnap_raw_module *module,
                     const struct asnap_build_id *id)
{
    struct asnap_frame_store *store;
    struct asnap_region_map map;
    const struct asnap_raw_module modules[] = {{0}, *module};
    struct asnap_pc pc = {PLACE + 0x2000, 1};
    ASNAP_ASSERT_OK(asnap_frame_store_create(&store));
    ASNAP_ASSERT_OK(asnap_region_map_init(&map, store, region, 1));
    map.regions[0].build_id = *id;
    struct asnap_pc_place place = asnap_region_map_place(&map, modules, pc);
    CU_ASSERT(place.pc == pc.address - 1 && place.module == &modules[1]);
    CU_ASSERT(place.is_unloaded == (place.region == NULL));
    bool is_mapped = !place.is_unloaded;
    asnap_region_map_deinit(&map);
    asnap_frame_store_destroy(store);
    return is_mapped;
}

ASNAP_TEST(symbols_unloaded, what_is_still_in_place)
{
    struct asnap_region region = {.start = PLACE, .end = PLACE + SIZE, .path = "/lib/a.so"};
    struct asnap_raw_module module = {.start = PLACE,
                                      .end = PLACE + SIZE,
                                      .path = library,
                                      .build_id = {1, 2, 3},
                                      .build_id_bytes = 3};
    const struct asnap_build_id none = {0};
    const struct asnap_build_id same = {3, {1, 2, 3}};
    const struct asnap_build_id other = {3, {1, 2, 4}};
    CU_ASSERT(in_place(&region, &module, &none));
    CU_ASSERT(in_place(&region, &module, &same));
    CU_ASSERT_FALSE(in_place(&region, &module, &other));
    region.path = "/lib/a.so (deleted)";
    CU_ASSERT(in_place(&region, &module, &none));
    region.path = "/usr/lib/a.so";
    CU_ASSERT(in_place(&region, &module, &same));
    CU_ASSERT_FALSE(in_place(&region, &module, &none));
    region.path = "/lib/a.so.1";
    CU_ASSERT_FALSE(in_place(&region, &module, &none));
    region.path = "[vdso]";
    CU_ASSERT(in_place(&region, &module, &none));
    region.path = "/lib/a.so";
    region.start -= 0x1000;
    CU_ASSERT_FALSE(in_place(&region, &module, &same));
    region.start += 0x1000;
    region.file_offset = 0x1000;
    CU_ASSERT_FALSE(in_place(&region, &module, &same));
}

ASNAP_TEST(symbols_unloaded, equal_addresses_of_two_modules_are_two_stacks)
{
    struct asnap_raw_module modules[3];
    own_module(modules);
    modules[2] = modules[1];
    modules[2].path = gone;
    uint64_t address = moved(known_caller());
    struct asnap_raw_node nodes[] = {
        {0, ASNAP_RAW_NONE, 0}, {address, 0, 1}, {address, 0, 2}, {address, 0, 0}};
    struct asnap_trace *traces = calloc(3, sizeof(*traces));
    CU_ASSERT_PTR_NOT_NULL_FATAL(traces);
    for (uint32_t i = 0; i < 3; i++)
        traces[i] = (struct asnap_trace){.address = 0x1000 + i, .size = 1, .traceback_id = i + 1};
    struct asnap_raw raw = {.traces = traces,
                            .trace_count = 3,
                            .nodes = nodes,
                            .node_count = 4,
                            .modules = modules,
                            .module_count = 3,
                            .frame_limit = 16};
    struct asnap_symbolizer *symbolizer = symbolizer_with("/nonexistent/new.so");
    struct asnap_snapshot *snapshot;
    ASNAP_ASSERT_OK(asnap_snapshot_create(&raw, symbolizer, ASNAP_NAMING_WHOLE, NULL, &snapshot));
    asnap_symbolizer_destroy(symbolizer);
    const uint32_t *ids = asnap_snapshot_frame_ids(snapshot);
    static const char *const paths[] = {NULL, "/nonexistent/gone.so", "/nonexistent/new.so"};
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_frame_id_count(snapshot), 3);
    CU_ASSERT_EQUAL_FATAL(asnap_snapshot_mapping_count(snapshot), 3);
    check_named(asnap_snapshot_frame(snapshot, ids[0]));
    for (size_t i = 0; i < 3; i++) {
        const char *path = paths[i] == NULL ? own_path() : paths[i];
        uint32_t number = asnap_snapshot_frame_mapping(snapshot, ids[i]);
        CU_ASSERT_FATAL(number < 3);
        struct asnap_mapping mapping = asnap_snapshot_mapping(snapshot, number);
        CU_ASSERT_STRING_EQUAL(mapping.path, path);
        CU_ASSERT_EQUAL(mapping.file_offset, i < 2 ? ASNAP_WHOLE_FILE : 0);
        CU_ASSERT_EQUAL(strlen(mapping.build_id), i < 2 ? 2 * modules[1].build_id_bytes : 0);
        CU_ASSERT_EQUAL(asnap_snapshot_frame_address(snapshot, ids[i]), address);
        if (i > 0)
            CU_ASSERT_STRING_EQUAL(asnap_snapshot_frame(snapshot, ids[i]).filename, path);
    }
    asnap_snapshot_destroy(snapshot);
}

static struct asnap_error *name_unloaded(void *context)
{
    const struct asnap_raw_module *modules = context;
    struct asnap_pc pcs[] = {{PLACE + 0x2000, 1}, {PLACE + 0x2000, 0}};
    struct asnap_region region = {.start = PLACE, .end = PLACE + SIZE, .path = "/nonexistent/a"};
    struct asnap_named_pc named[2];
    struct asnap_symbolizer *symbolizer = NULL;
    struct asnap_error *error = asnap_symbolizer_create(NULL, &symbolizer);
    if (error == NULL)
        error = asnap_symbolizer_set_regions(symbolizer, NULL, &region, 1);
    if (error == NULL)
        error = asnap_symbolizer_name_pcs(symbolizer, modules, pcs, 2, NULL, named);
    asnap_symbolizer_destroy(symbolizer);
    return error;
}

ASNAP_TEST(symbols_unloaded, survives_every_failed_allocation)
{
    struct asnap_raw_module modules[2];
    own_module(modules);
    modules[1].path = gone;
    CU_ASSERT(asnap_unit_sweep(name_unloaded, modules) > 10);
}
