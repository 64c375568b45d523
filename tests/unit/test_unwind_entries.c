/* core/hooks/unwind/eh_frame.c over bytes made here: what a good entry says, and that nothing is
 * read beyond the end of a damaged one. Each copy ends at its memory's end, so that the
 * address sanitizer would see it. */
#include <stdlib.h>
#include <string.h>

#include "eh_frame.h"
#include "unit.h"

enum { FDE_AT = 24, ENTRIES = 60 };

/* A CIE "zR" with 4-byte addresses relative to their place, and an FDE. */
static const uint8_t good[ENTRIES] = {
    20,   0,    0,  0,    0,    0, 0, 0, 1, 'z', 'R', 0, /* length, id, version, augmentation */
    1,    0x78, 16, 1,    0x1b,                          /* factors, return column, its data */
    0x0c, 7,    8,  0x90, 1,    0, 0,                    /* def_cfa rsp+8, offset rip at -8 */
    24,   0,    0,  0,    28,   0, 0, 0,                 /* length, distance to the CIE */
    0x00, 1,    0,  0,    0x40, 0, 0, 0,                 /* 0x100 from here on, 0x40 bytes */
    0,                                                   /* no augmentation data */
    0x41, 0x0e, 16, 0x86, 2,    0, 0, 0,
};

static uint8_t *copy(size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    memcpy(bytes, good, size < ENTRIES ? size : ENTRIES);
    return bytes;
}

static bool read_all(const uint8_t *bytes, size_t size, struct asnap_fde *fde)
{
    return asnap_fde_read(bytes + FDE_AT, (struct asnap_bytes){bytes, bytes + size}, fde);
}

ASNAP_TEST(unwind_entries, say_what_they_describe)
{
    uint8_t *bytes = copy(ENTRIES);
    struct asnap_fde fde;
    CU_ASSERT_FATAL(read_all(bytes, ENTRIES, &fde));
    uint64_t place = (uint64_t)(uintptr_t)(bytes + FDE_AT + 8);
    CU_ASSERT_EQUAL(fde.pc_begin, place + 0x100);
    CU_ASSERT_EQUAL(fde.pc_end, place + 0x140);
    CU_ASSERT_EQUAL(fde.code_alignment, 1);
    CU_ASSERT_EQUAL(fde.data_alignment, -8);
    CU_ASSERT_EQUAL(fde.return_register, 16);
    CU_ASSERT_EQUAL(fde.pointer_encoding, 0x1b);
    CU_ASSERT_TRUE(fde.augmented);
    CU_ASSERT_FALSE(fde.signal_frame);
    CU_ASSERT_PTR_EQUAL(fde.initial.at, bytes + 17);
    CU_ASSERT_PTR_EQUAL(fde.initial.end, bytes + FDE_AT);
    CU_ASSERT_PTR_EQUAL(fde.instructions.at, bytes + FDE_AT + 17);
    CU_ASSERT_PTR_EQUAL(fde.instructions.end, bytes + 52);
    free(bytes);
}

ASNAP_TEST(unwind_entries, end_where_their_bytes_end)
{
    struct asnap_fde fde;
    for (size_t size = FDE_AT; size < 52; size++) {
        uint8_t *bytes = malloc(size);
        CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
        memcpy(bytes, good, size);
        CU_ASSERT_FALSE(read_all(bytes, size, &fde));
        free(bytes);
    }
}

ASNAP_TEST(unwind_entries, have_no_length_where_nothing_announces_it)
{
    uint8_t *bytes = copy(ENTRIES);
    struct asnap_fde fde;
    static const uint8_t plain[] = {1, 0, 1, 0x78, 16, 0x0c, 7, 8, 0x90, 1, 0, 0, 0, 0, 0, 0};
    memcpy(bytes + 8, plain, sizeof(plain));
    uint8_t *moved = malloc(ENTRIES);
    CU_ASSERT_PTR_NOT_NULL_FATAL(moved);
    memcpy(moved, bytes, ENTRIES);
    uint64_t start = 0x1234567812345678;
    uint64_t length = 0x50;
    moved[FDE_AT] = 28;
    memcpy(moved + FDE_AT + 8, &start, 8);
    memcpy(moved + FDE_AT + 16, &length, 8);
    moved[FDE_AT + 24] = 0x41;
    CU_ASSERT_FATAL(read_all(moved, ENTRIES, &fde));
    CU_ASSERT_FALSE(fde.augmented);
    CU_ASSERT_EQUAL(fde.pc_begin, start);
    CU_ASSERT_EQUAL(fde.pc_end, start + 0x50);
    CU_ASSERT_EQUAL(*fde.instructions.at, 0x41);
    free(moved);
    free(bytes);
}

ASNAP_TEST(unwind_entries, are_refused_where_damaged)
{
    static const struct {
        size_t at;
        uint8_t byte;
    } damage[] = {
        {0, 0xf0},           /* the CIE is longer than what there is */
        {4, 1},              /* it is no CIE */
        {8, 2},              /* of no known version */
        {9, 'q'},            /* with an augmentation of no length */
        {15, 0x70},          /* whose data are longer than it */
        {16, 0x2b},          /* addresses relative to what is not known */
        {FDE_AT, 0},         /* the end of the section */
        {FDE_AT, 200},       /* longer than what there is */
        {FDE_AT + 4, 0},     /* a CIE */
        {FDE_AT + 4, 29},    /* a CIE before the bytes */
        {FDE_AT + 16, 0x7f}, /* augmentation data longer than it */
    };
    struct asnap_fde fde;
    for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
        uint8_t *bytes = copy(ENTRIES);
        bytes[damage[i].at] = damage[i].byte;
        CU_ASSERT_FALSE(read_all(bytes, ENTRIES, &fde));
        free(bytes);
    }
}

ASNAP_TEST(unwind_entries, mark_signal_frames_and_skip_what_is_unknown)
{
    struct asnap_fde fde;
    static const uint8_t marked[] = {1, 'z', 'R', 'S', 0, 1, 0x78, 16, 1, 0x1b, 0};
    static const uint8_t unknown[] = {1, 'z', 'R', '?', 0, 1, 0x78, 16, 1, 0x1b, 0};
    uint8_t *bytes = copy(ENTRIES);
    memcpy(bytes + 8, marked, sizeof(marked));
    CU_ASSERT_FATAL(read_all(bytes, ENTRIES, &fde));
    CU_ASSERT_TRUE(fde.signal_frame);
    memcpy(bytes + 8, unknown, sizeof(unknown));
    CU_ASSERT_FATAL(read_all(bytes, ENTRIES, &fde));
    CU_ASSERT_FALSE(fde.signal_frame);
    CU_ASSERT_EQUAL(fde.pointer_encoding, 0x1b);
    free(bytes);
}

ASNAP_TEST(unwind_entries, have_numbers_in_every_encoding)
{
    static const uint8_t raw[8] = {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const struct {
        uint8_t encoding;
        size_t size;
        uint64_t value;
    } encodings[] = {
        {0x00, 8, UINT64_MAX - 1}, {0x04, 8, UINT64_MAX - 1}, {0x0c, 8, UINT64_MAX - 1},
        {0x02, 2, 0xfffe},         {0x0a, 2, UINT64_MAX - 1}, {0x03, 4, 0xfffffffe},
        {0x0b, 4, UINT64_MAX - 1},
    };
    for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++) {
        struct asnap_bytes bytes = {raw, raw + sizeof(raw)};
        uint64_t value = 0;
        CU_ASSERT_TRUE(asnap_bytes_pointer(&bytes, encodings[i].encoding, &value));
        CU_ASSERT_EQUAL(value, encodings[i].value);
        CU_ASSERT_PTR_EQUAL(bytes.at, raw + encodings[i].size);
        bytes = (struct asnap_bytes){raw, raw + encodings[i].size - 1};
        CU_ASSERT_FALSE(asnap_bytes_pointer(&bytes, encodings[i].encoding, &value));
        bytes = (struct asnap_bytes){raw, raw + sizeof(raw)};
        CU_ASSERT_TRUE(
            asnap_bytes_pointer(&bytes, (uint8_t)(encodings[i].encoding | 0x10), &value));
        CU_ASSERT_EQUAL(value, encodings[i].value + (uint64_t)(uintptr_t)raw);
    }
    static const uint8_t leb[] = {0xe5, 0x8e, 0x26, 0x9b, 0xf1, 0x59, 0x80};
    struct asnap_bytes bytes = {leb, leb + sizeof(leb)};
    uint64_t number = 0;
    int64_t negative = 0;
    CU_ASSERT_TRUE(asnap_bytes_uleb(&bytes, &number));
    CU_ASSERT_EQUAL(number, 624485);
    CU_ASSERT_TRUE(asnap_bytes_sleb(&bytes, &negative));
    CU_ASSERT_EQUAL(negative, -624485);
    CU_ASSERT_FALSE(asnap_bytes_uleb(&bytes, &number));
}

/* Three entries are described: the search takes the last that begins at or before. */
ASNAP_TEST(unwind_entries, are_found_through_the_table)
{
    enum { HEADER = 12 + 3 * 8 };
    uint8_t *bytes = calloc(1, HEADER + ENTRIES);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    memcpy(bytes + HEADER, good, ENTRIES);
    const int32_t lines[3][2] = {{-4096, HEADER},
                                 {HEADER + FDE_AT + 8 + 0x100, HEADER + FDE_AT},
                                 {0x10000, HEADER + ENTRIES + 4}};
    const uint32_t count = 3;
    static const uint8_t head[4] = {1, 0x1b, 0x03, 0x3b};
    memcpy(bytes, head, 4);
    memcpy(bytes + 8, &count, 4);
    memcpy(bytes + 12, lines, sizeof(lines));
    struct asnap_bytes table = {bytes, bytes + HEADER};
    struct asnap_bytes all = {bytes, bytes + HEADER + ENTRIES};
    uint64_t begin = (uint64_t)(uintptr_t)(bytes + HEADER + FDE_AT + 8) + 0x100;
    struct asnap_fde fde;
    CU_ASSERT_TRUE(asnap_fde_find(table, all, begin, &fde));
    CU_ASSERT_TRUE(asnap_fde_find(table, all, begin + 0x3f, &fde));
    CU_ASSERT_EQUAL(fde.pc_begin, begin);
    CU_ASSERT_FALSE(asnap_fde_find(table, all, begin + 0x40, &fde));
    CU_ASSERT_FALSE(asnap_fde_find(table, all, begin - 1, &fde));
    CU_ASSERT_FALSE(asnap_fde_find(table, all, begin + 0x20000, &fde));
    for (size_t size = 0; size < HEADER; size++) {
        struct asnap_bytes cut = {bytes, bytes + size};
        CU_ASSERT_FALSE(asnap_fde_find(cut, all, begin, &fde));
    }
    bytes[3] = 0x1b;
    CU_ASSERT_FALSE(asnap_fde_find(table, all, begin, &fde));
    free(bytes);
}

/* Two entries with what they have in common before each, then the end of the section. */
ASNAP_TEST(unwind_entries, are_found_without_a_table)
{
    enum { END = 4, LENGTH = 52 };
    const struct asnap_bytes none = {NULL, NULL};
    uint8_t *bytes = calloc(1, 2 * LENGTH + END);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    memcpy(bytes, good, LENGTH);
    memcpy(bytes + LENGTH, good, LENGTH);
    struct asnap_bytes all = {bytes, bytes + 2 * LENGTH + END};
    uint64_t begin = (uint64_t)(uintptr_t)(bytes + FDE_AT + 8) + 0x100;
    struct asnap_fde fde;
    CU_ASSERT_FATAL(asnap_fde_find(none, all, begin, &fde));
    CU_ASSERT_EQUAL(fde.pc_begin, begin);
    CU_ASSERT_FATAL(asnap_fde_find(none, all, begin + LENGTH + 0x3f, &fde));
    CU_ASSERT_EQUAL(fde.pc_begin, begin + LENGTH);
    CU_ASSERT_FALSE(asnap_fde_find(none, all, begin - 1, &fde));
    CU_ASSERT_FALSE(asnap_fde_find(none, all, begin + LENGTH + 0x40, &fde));
    CU_ASSERT_FALSE(asnap_fde_find(none, none, begin, &fde));
    /* Behind the end is nothing. */
    memset(bytes + LENGTH, 0, END);
    CU_ASSERT_TRUE(asnap_fde_find(none, all, begin + 0x3f, &fde));
    CU_ASSERT_FALSE(asnap_fde_find(none, all, begin + LENGTH + 0x3f, &fde));
    /* Nor is it where an entry is longer than the section. */
    bytes[LENGTH] = 200;
    CU_ASSERT_FALSE(asnap_fde_find(none, all, begin + LENGTH + 0x3f, &fde));
    free(bytes);
}
