/* The small parts of the symbols room, each by itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byte_cursor.h"
#include "demangle.h"
#include "frame_store.h"
#include "list_tables.h"
#include "number_map.h"
#include "range_index.h"
#include "region_map.h"
#include "source_path.h"
#include "unit.h"

static uint64_t found(const struct asnap_range_index *index, uint64_t place)
{
    const struct asnap_range *range = asnap_range_index_find(index, place);
    return range == NULL ? 0 : range->value;
}

ASNAP_TEST(symbols_parts, ranges_within_ranges)
{
    struct asnap_range_index index = {0};
    CU_ASSERT_PTR_NULL(asnap_range_index_find(&index, 5));
    ASNAP_ASSERT_OK(asnap_range_index_add(&index, 100, 200, 1));
    ASNAP_ASSERT_OK(asnap_range_index_add(&index, 120, 130, 2));
    ASNAP_ASSERT_OK(asnap_range_index_add(&index, 300, 300, 3));
    ASNAP_ASSERT_OK(asnap_range_index_add(&index, 100, 110, 4));
    ASNAP_ASSERT_OK(asnap_range_index_add(&index, 100, 110, 5));
    ASNAP_ASSERT_OK(asnap_range_index_add(&index, 250, 260, 6));
    asnap_range_index_sort(&index);
    CU_ASSERT_EQUAL(found(&index, 99), 0);
    CU_ASSERT_EQUAL(found(&index, 100), 4);
    CU_ASSERT_EQUAL(found(&index, 109), 4);
    CU_ASSERT_EQUAL(found(&index, 110), 1);
    CU_ASSERT_EQUAL(found(&index, 125), 2);
    CU_ASSERT_EQUAL(found(&index, 130), 1);
    CU_ASSERT_EQUAL(found(&index, 200), 0);
    CU_ASSERT_EQUAL(found(&index, 255), 6);
    CU_ASSERT_EQUAL(found(&index, 300), 0);
    CU_ASSERT_EQUAL(found(&index, UINT64_MAX), 0);
    asnap_range_index_deinit(&index);
}

ASNAP_TEST(symbols_parts, map_of_many_numbers)
{
    static const char texts[3][2] = {"a", "b", "c"};
    struct asnap_number_map map = {0};
    CU_ASSERT_PTR_NULL(asnap_number_map_get(&map, 0));
    for (uint64_t i = 0; i < 1000; i++)
        ASNAP_ASSERT_OK(asnap_number_map_put(&map, i << 32 | i, texts[i % 2]));
    ASNAP_ASSERT_OK(asnap_number_map_put(&map, 0, texts[2]));
    CU_ASSERT_EQUAL(map.count, 1000);
    CU_ASSERT_PTR_EQUAL(asnap_number_map_get(&map, 0), texts[2]);
    for (uint64_t i = 1; i < 1000; i++)
        CU_ASSERT_PTR_EQUAL(asnap_number_map_get(&map, i << 32 | i), texts[i % 2]);
    CU_ASSERT_PTR_NULL(asnap_number_map_get(&map, 7));
    asnap_number_map_deinit(&map);
}

ASNAP_TEST(symbols_parts, strings_are_kept_once)
{
    struct asnap_frame_store *store;
    ASNAP_ASSERT_OK(asnap_frame_store_create(&store));
    const char *kept[600];
    for (int i = 0; i < 600; i++) {
        char text[600];
        memset(text, 'x', sizeof(text));
        text[i] = '\0';
        ASNAP_ASSERT_OK(asnap_frame_store_string(store, text, &kept[i]));
        CU_ASSERT_EQUAL(strlen(kept[i]), (size_t)i);
    }
    const char *again;
    ASNAP_ASSERT_OK(asnap_frame_store_string(store, "xxx", &again));
    CU_ASSERT_PTR_EQUAL(again, kept[3]);
    CU_ASSERT_EQUAL(strlen(kept[599]), 599);
    asnap_frame_store_destroy(store);
}

static void expect_path(const char *compilation, const char *directory, const char *name,
                        const char *expected)
{
    char *path;
    ASNAP_ASSERT_OK(asnap_source_path(compilation, directory, name, &path));
    CU_ASSERT_STRING_EQUAL(path, expected);
    free(path);
}

ASNAP_TEST(symbols_parts, source_paths)
{
    expect_path("/made/by", "src", "a.c", "/made/by/src/a.c");
    expect_path("/made/by", NULL, "a.c", "/made/by/a.c");
    expect_path("/made/by", "/usr/include", "a.h", "/usr/include/a.h");
    expect_path("/made/by", "src", "/abs/a.c", "/abs/a.c");
    expect_path("/made/by/", "./src/../inc//deep/.", "../a.h", "/made/by/inc/a.h");
    expect_path("/a", "../../..", "b.c", "/b.c");
    expect_path(NULL, "../../up", "b.c", "../../up/b.c");
    expect_path("here", "../..", "b.c", "../b.c");
    expect_path("..", "..", "b.c", "../../b.c");
    expect_path("./build", "../lib", "./x/..", "lib");
    expect_path("", "", "", "");
    expect_path("/", "", "..", "/");
    expect_path("/a/..", "", "", "/");
    expect_path("/...", "..a", "b..", "/.../..a/b..");
}

static void expect_name(const char *symbol, const char *expected)
{
    char *name;
    ASNAP_ASSERT_OK(asnap_demangle(symbol, &name));
    CU_ASSERT_STRING_EQUAL(name, expected);
    free(name);
}

/* Each level of it has the one before twice: the whole would be gigabytes. */
ASNAP_TEST(symbols_parts, name_that_never_ends)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNO";
    char symbol[512] = "_Z1f1PIiiES_IS0_S0_E";
    for (size_t i = 0; i + 1 < sizeof(digits); i++) {
        size_t length = strlen(symbol);
        snprintf(symbol + length, sizeof(symbol) - length, "S_IS%c_S%c_E", digits[i + 1],
                 digits[i + 1]);
    }
    expect_name("_Z1f1PIiiES_IS0_S0_E", "f(P<int, int>, P<P<int, int>, P<int, int> >)");
    expect_name(symbol, symbol);
}

ASNAP_TEST(symbols_parts, readable_names)
{
    expect_name("main", "main");
    expect_name("", "");
    expect_name("@", "@");
    expect_name("memcpy@@GLIBC_2.14", "memcpy");
    expect_name("_Znwm", "operator new(unsigned long)");
    expect_name("_ZN4shop5twiceIiEET_S1_", "int shop::twice<int>(int)");
    expect_name("_Znwm@@GLIBCXX_3.4", "operator new(unsigned long)");
    expect_name("_Z", "_Z");
    expect_name("_ZN4shop", "_ZN4shop");
    expect_name("_ZN99999999999999999999E", "_ZN99999999999999999999E");
}

ASNAP_TEST(symbols_parts, numbers_of_bytes)
{
    static const unsigned char bytes[] = {0x01, 0x02, 0xe5, 0x8e, 0x26, 0x80};
    struct asnap_cursor little = {.at = bytes, .end = bytes + sizeof(bytes)};
    struct asnap_cursor big = little;
    big.big_endian = true;
    CU_ASSERT_EQUAL(asnap_cursor_take(&little, 2), 0x0201);
    CU_ASSERT_EQUAL(asnap_cursor_take(&big, 2), 0x0102);
    CU_ASSERT_EQUAL(asnap_cursor_take_leb(&little), 624485);
    CU_ASSERT_FALSE(little.is_bad);
    CU_ASSERT_EQUAL(asnap_cursor_take_leb(&little), 0);
    CU_ASSERT_TRUE(little.is_bad);
    static const unsigned char signs[] = {0x7f, 0x80, 0x7f, 0xff, 0x00};
    struct asnap_cursor with_signs = {.at = signs, .end = signs + sizeof(signs)};
    CU_ASSERT_EQUAL(asnap_cursor_take_signed_leb(&with_signs), -1);
    CU_ASSERT_EQUAL(asnap_cursor_take_signed_leb(&with_signs), -128);
    CU_ASSERT_EQUAL(asnap_cursor_take_signed_leb(&with_signs), 127);
    asnap_cursor_skip(&big, 5);
    CU_ASSERT_TRUE(big.is_bad);
    CU_ASSERT_EQUAL(asnap_cursor_take(&big, 1), 0);
}

static struct asnap_contents contents(const unsigned char *bytes, size_t size, bool big_endian)
{
    return (struct asnap_contents){bytes, size, 8, big_endian};
}

/* A table of no lists, and one of two: an offset pair and the end; the end. */
static const unsigned char list_table[] = {
    8,  0, 0, 0, 5,  0, 8, 0, 0, 0, 0, 0, /* */
    20, 0, 0, 0, 5,  0, 8, 0, 2, 0, 0, 0, /* */
    8,  0, 0, 0, 11, 0, 0, 0,             /* offsets */
    4,  1, 2, 0,                          /* */
};

static bool are_sound(const unsigned char *bytes, size_t size, bool holds_ranges)
{
    struct asnap_contents section = contents(bytes, size, false);
    return asnap_list_tables_are_sound(&section, holds_ranges);
}

ASNAP_TEST(symbols_parts, list_tables)
{
    unsigned char table[sizeof(list_table)];
    memcpy(table, list_table, sizeof(table));
    CU_ASSERT_TRUE(are_sound(table, 0, true));
    CU_ASSERT_TRUE(are_sound(table, sizeof(table), true));
    CU_ASSERT_TRUE(are_sound(table, 12, true));
    for (size_t size = 1; size < sizeof(table); size++)
        CU_ASSERT_EQUAL(are_sound(table, size, true), size == 12);
    /* Length, version, address size, count, offset: each by one too much. */
    static const size_t places[] = {0, 4, 6, 8, 12, 28};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        table[places[i]]++;
        CU_ASSERT_FALSE(are_sound(table, sizeof(table), false));
        table[places[i]]--;
    }
    struct asnap_contents section = contents(table, sizeof(table), true);
    CU_ASSERT_FALSE(asnap_list_tables_are_sound(&section, true));
}

ASNAP_TEST(symbols_parts, range_lists_end)
{
    unsigned char table[sizeof(list_table)];
    memcpy(table, list_table, sizeof(table));
    struct asnap_contents section = contents(table, sizeof(table), false);
    CU_ASSERT_TRUE(asnap_range_list_ends(&section, 32));
    CU_ASSERT_TRUE(asnap_range_list_ends(&section, 35));
    CU_ASSERT_FALSE(asnap_range_list_ends(&section, 36));
    CU_ASSERT_FALSE(asnap_range_list_ends(&section, UINT64_MAX));
    /* Each kind of entry but the last runs over the end here. */
    for (unsigned char kind = 0; kind < 9; kind++) {
        table[35] = kind;
        CU_ASSERT_EQUAL(asnap_range_list_ends(&section, 35), kind == 0 || kind == 8);
        CU_ASSERT_EQUAL(are_sound(table, sizeof(table), true), kind == 0 || kind == 8);
        CU_ASSERT_TRUE(are_sound(table, sizeof(table), false));
    }
}

ASNAP_TEST(symbols_parts, regions_with_files)
{
    struct asnap_frame_store *store;
    ASNAP_ASSERT_OK(asnap_frame_store_create(&store));
    static const struct asnap_region regions[] = {
        {.start = 0x5000, .end = 0x6000, .path = "/lib/b", .file_offset = 0x2000},
        {.start = 0x1000, .end = 0x2000, .path = "/lib/a"},
        {.start = 0x2000, .end = 0x3000, .path = "[heap]"},
        {.start = 0x3000, .end = 0x4000},
        {.start = 0x4000, .end = 0x4000, .path = "/lib/c"},
        {.start = 0x7000, .end = 0x8000, .path = "[vdso]", .file_offset = 0x10000},
        {.start = 0x9000, .end = 0xa000, .path = ""},
    };
    struct asnap_region_map map;
    ASNAP_ASSERT_OK(asnap_region_map_init(&map, store, regions, 7));
    CU_ASSERT_EQUAL(map.count, 3);
    CU_ASSERT_PTR_NULL(asnap_region_map_find(&map, 0xfff));
    CU_ASSERT_STRING_EQUAL(asnap_region_map_find(&map, 0x1000)->path, "/lib/a");
    CU_ASSERT_PTR_NULL(asnap_region_map_find(&map, 0x2000));
    CU_ASSERT_PTR_NULL(asnap_region_map_find(&map, 0x4000));
    CU_ASSERT_EQUAL(asnap_region_map_find(&map, 0x5fff)->file_offset, 0x2000);
    const struct asnap_mapped *vdso = asnap_region_map_find(&map, 0x7abc);
    CU_ASSERT_PTR_NOT_NULL_FATAL(vdso);
    CU_ASSERT_TRUE(vdso->is_vdso);
    CU_ASSERT_EQUAL(vdso->file_offset, 0);
    CU_ASSERT_PTR_NULL(asnap_region_map_find(&map, UINT64_MAX));
    asnap_region_map_deinit(&map);
    asnap_frame_store_destroy(store);
}
