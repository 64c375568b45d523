/* Files whose headers say that they have far more than they do. */
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "debug_sections.h"
#include "elf_contents.h"
#include "elf_symbols.h"
#include "made_elf.h"
#include "mini_debug.h"
#include "range_index.h"

#define MIB ((size_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static struct asnap_elf *open_elf(const struct made_elf *made)
{
    struct asnap_elf *elf = NULL;
    ASNAP_ASSERT_OK(asnap_elf_open(made->path, &elf));
    return elf;
}

/* ---- holes ---- */

ASNAP_TEST(symbols_bounds, sections_in_holes_have_no_contents)
{
    const struct made_section sections[] = {
        {.name = ".symtab", .type = SHT_SYMTAB, .hole = 6 * GIB, .link = 2, .entry_size = 24},
        {.name = ".strtab", .type = SHT_STRTAB, .hole = 6 * GIB},
        {.name = ".note.gnu.build-id", .type = SHT_NOTE, .hole = 6 * GIB},
        {.name = ".gnu_debuglink", .type = SHT_PROGBITS, .hole = 6 * GIB},
        {.name = ".gnu_debugaltlink", .type = SHT_PROGBITS, .hole = 6 * GIB},
        {.name = ".gnu_debugdata", .type = SHT_PROGBITS, .hole = 6 * GIB},
        {.name = ".debug_info", .type = SHT_PROGBITS, .hole = 6 * GIB},
        {.name = ".debug_sup", .type = SHT_PROGBITS, .flags = SHF_COMPRESSED, .hole = 6 * GIB},
    };
    const size_t count = sizeof(sections) / sizeof(sections[0]);
    struct made_elf made;
    made_elf_init(&made, sections, count);
    struct asnap_elf *elf = open_elf(&made);
    asnap_unit_requested();
    for (size_t i = 0; i < count; i++) {
        Elf_Scn *section = asnap_elf_section(elf, sections[i].name);
        struct asnap_contents contents;
        CU_ASSERT_PTR_NOT_NULL_FATAL(section);
        CU_ASSERT_PTR_NULL(asnap_elf_data(elf, section));
        CU_ASSERT_PTR_NULL(asnap_elf_raw_data(elf, section));
        asnap_elf_section_contents(elf, section, &contents);
        CU_ASSERT(contents.bytes == NULL && contents.size == 0);
    }
    const char *text;
    uint32_t checksum;
    struct asnap_build_id id;
    CU_ASSERT(!asnap_elf_debuglink(elf, &text, &checksum));
    CU_ASSERT(!asnap_elf_supplement_link(elf, &text, &id));
    CU_ASSERT(!asnap_elf_is_packed_otherwise(elf, ".debug_sup"));
    asnap_elf_build_id(elf, &id);
    CU_ASSERT_EQUAL(id.size, 0);
    CU_ASSERT_STRING_EQUAL(asnap_debug_sections_unsound(elf), "section of holes");
    struct asnap_symbols *symbols;
    ASNAP_ASSERT_OK(asnap_symbols_create(elf, NULL, ASNAP_SYMBOLS_FUNCTIONS, &symbols));
    CU_ASSERT_PTR_NULL(asnap_symbols_find(symbols, 0x1000));
    asnap_symbols_destroy(symbols);
    CU_ASSERT(asnap_unit_requested() < MIB);
    asnap_elf_close(elf);
    made_elf_deinit(&made);
}

static bool is_refused(const struct made_elf *made)
{
    struct asnap_elf *elf = NULL;
    struct asnap_error *error = asnap_elf_open(made->path, &elf);
    bool is_damaged = error != NULL && asnap_error_code(error) == ASNAP_ERROR_DAMAGED;
    asnap_error_destroy(error);
    asnap_elf_close(elf);
    return is_damaged;
}

/* A file header with other tables. */
static void change_header(const struct made_elf *made, uint64_t segments, uint16_t segment_count,
                          uint64_t sections, uint16_t section_count)
{
    Elf64_Ehdr header;
    CU_ASSERT_FATAL(pread(made->fd, &header, sizeof(header), 0) == sizeof(header));
    header.e_phoff = segments;
    header.e_phnum = segment_count;
    header.e_shoff = sections;
    header.e_shnum = section_count;
    CU_ASSERT_FATAL(pwrite(made->fd, &header, sizeof(header), 0) == sizeof(header));
}

ASNAP_TEST(symbols_bounds, header_tables_that_are_not_there)
{
    static const struct made_section none[1];
    struct made_elf made;
    made_elf_init(&made, none, 0);
    CU_ASSERT(!is_refused(&made));
    Elf64_Ehdr header;
    CU_ASSERT_FATAL(pread(made.fd, &header, sizeof(header), 0) == sizeof(header));
    const uint64_t end = header.e_shoff + 2 * sizeof(Elf64_Shdr);
    CU_ASSERT_EQUAL_FATAL(ftruncate(made.fd, (off_t)(end + 8 * GIB)), 0);
    CU_ASSERT(!is_refused(&made));
    /* Tables in the hole, of numbers that are in the first section. */
    Elf64_Shdr first = {.sh_size = 1 << 26, .sh_info = 1 << 26};
    const uint64_t far = end + 8 * GIB - sizeof(first);
    CU_ASSERT_FATAL(pwrite(made.fd, &first, sizeof(first), (off_t)(end + 4096)) == sizeof(first));
    change_header(&made, 64, 1, end + 4096, 0);
    CU_ASSERT(is_refused(&made));
    change_header(&made, end + 8192, PN_XNUM, end + 4096, 2);
    CU_ASSERT(is_refused(&made));
    /* Behind the end, and numbers that make no sum. */
    change_header(&made, far, 2, header.e_shoff, 2);
    CU_ASSERT(is_refused(&made));
    change_header(&made, 64, 1, far, 2);
    CU_ASSERT(is_refused(&made));
    change_header(&made, UINT64_MAX, 1, header.e_shoff, 2);
    CU_ASSERT(is_refused(&made));
    first.sh_size = UINT64_MAX;
    CU_ASSERT_FATAL(pwrite(made.fd, &first, sizeof(first), (off_t)(end + 4096)) == sizeof(first));
    change_header(&made, 64, 1, end + 4096, 0);
    CU_ASSERT(is_refused(&made));
    change_header(&made, 64, 1, header.e_shoff, 2);
    CU_ASSERT(!is_refused(&made));
    made_elf_deinit(&made);
}

/* libelf would look for its end from behind, for each name. */
ASNAP_TEST(symbols_bounds, a_string_table_ends)
{
    const Elf64_Sym symbols[] = {{0},
                                 {.st_name = 1,
                                  .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
                                  .st_shndx = 1,
                                  .st_value = 0x1000,
                                  .st_size = 16}};
    for (size_t cut = 0; cut < 2; cut++) {
        const struct made_section sections[] = {
            {.name = ".text",
             .type = SHT_PROGBITS,
             .flags = SHF_EXECINSTR,
             .bytes = "x",
             .size = 1},
            {.name = ".symtab",
             .type = SHT_SYMTAB,
             .bytes = symbols,
             .size = sizeof(symbols),
             .link = 3,
             .entry_size = sizeof(symbols[0])},
            {.name = ".strtab", .type = SHT_STRTAB, .bytes = "\0name\0more", .size = 11 - cut},
        };
        struct made_elf made;
        struct asnap_symbols *found;
        made_elf_init(&made, sections, 3);
        struct asnap_elf *elf = open_elf(&made);
        ASNAP_ASSERT_OK(asnap_symbols_create(elf, NULL, ASNAP_SYMBOLS_FUNCTIONS, &found));
        const char *name = asnap_symbols_find(found, 0x1008);
        CU_ASSERT_EQUAL(name != NULL, cut == 0);
        CU_ASSERT(name == NULL || strcmp(name, "name") == 0);
        asnap_symbols_destroy(found);
        asnap_elf_close(elf);
        made_elf_deinit(&made);
    }
}

/* ---- what is packed ---- */

/* A section's contents: `size` zeros, packed by zlib, with the header of ELF or of GNU. */
static void *pack(size_t size, bool is_old, size_t *packed_size)
{
    const size_t head = is_old ? 12 : sizeof(Elf64_Chdr);
    uLongf room = compressBound(size);
    char *zeros = calloc(1, size);
    char *packed = malloc(head + room);
    CU_ASSERT_FATAL(zeros != NULL && packed != NULL);
    CU_ASSERT_EQUAL_FATAL(compress2((Bytef *)packed + head, &room, (Bytef *)zeros, size, 9), Z_OK);
    if (is_old) {
        memcpy(packed, "ZLIB", 4);
        for (size_t i = 0; i < 8; i++)
            packed[4 + i] = (char)(size >> (56 - 8 * i));
    } else {
        const Elf64_Chdr header = {.ch_type = ELFCOMPRESS_ZLIB, .ch_size = size, .ch_addralign = 1};
        memcpy(packed, &header, sizeof(header));
    }
    free(zeros);
    *packed_size = head + room;
    return packed;
}

ASNAP_TEST(symbols_bounds, sections_that_unpack_to_a_thousand_times_their_size)
{
    static const struct {
        size_t size;
        bool is_unpacked;
    } cases[] = {{8 * MIB, true}, {64 * MIB, false}};
    for (size_t i = 0; i < 2; i++) {
        size_t size;
        void *packed = pack(cases[i].size, false, &size);
        const struct made_section section = {.name = ".debug_info",
                                             .type = SHT_PROGBITS,
                                             .flags = SHF_COMPRESSED,
                                             .bytes = packed,
                                             .size = size};
        struct made_elf made;
        struct asnap_contents contents;
        made_elf_init(&made, &section, 1);
        struct asnap_elf *elf = open_elf(&made);
        const char *unsound = asnap_debug_sections_unsound(elf);
        CU_ASSERT_EQUAL(unsound == NULL, cases[i].is_unpacked);
        asnap_elf_debug_contents(elf, ".debug_info", &contents);
        CU_ASSERT_EQUAL(contents.size, cases[i].is_unpacked ? cases[i].size : 0);
        asnap_elf_close(elf);
        made_elf_deinit(&made);
        free(packed);
    }
}

/* Each is none too large, and all of them are. */
ASNAP_TEST(symbols_bounds, many_packed_sections_count_together)
{
    enum { SECTIONS = 30 };
    for (size_t is_old = 0; is_old < 2; is_old++) {
        struct made_section sections[SECTIONS];
        char names[SECTIONS][24];
        size_t size;
        void *packed = pack(8 * MIB, is_old == 1, &size);
        for (size_t i = 0; i < SECTIONS; i++) {
            snprintf(names[i], sizeof(names[i]), ".%sdebug_%zu", is_old == 1 ? "z" : "", i);
            sections[i] = (struct made_section){.name = names[i],
                                                .type = SHT_PROGBITS,
                                                .flags = is_old == 1 ? 0 : SHF_COMPRESSED,
                                                .bytes = packed,
                                                .size = size};
        }
        for (size_t count = 1; count <= SECTIONS; count += SECTIONS - 1) {
            struct made_elf made;
            made_elf_init(&made, sections, count);
            struct asnap_elf *elf = open_elf(&made);
            const char *unsound = asnap_debug_sections_unsound(elf);
            CU_ASSERT_EQUAL(unsound == NULL, count == 1);
            CU_ASSERT(unsound == NULL || strcmp(unsound, "size of a compressed section") == 0);
            asnap_elf_close(elf);
            made_elf_deinit(&made);
        }
        free(packed);
    }
}

ASNAP_TEST(symbols_bounds, mini_debug_information_that_unpacks_to_anything)
{
    static const size_t sizes[] = {200 * MIB, MIB};
    for (size_t i = 0; i < 2; i++) {
        size_t used = 0;
        size_t room = lzma_stream_buffer_bound(sizes[i]);
        uint8_t *zeros = calloc(1, sizes[i]);
        uint8_t *packed = malloc(room);
        CU_ASSERT_FATAL(zeros != NULL && packed != NULL);
        CU_ASSERT_EQUAL_FATAL(
            lzma_easy_buffer_encode(0, LZMA_CHECK_NONE, NULL, zeros, sizes[i], packed, &used, room),
            LZMA_OK);
        const struct made_section section = {
            .name = ".gnu_debugdata", .type = SHT_PROGBITS, .bytes = packed, .size = used};
        struct made_elf made;
        struct asnap_mini_debug mini;
        made_elf_init(&made, &section, 1);
        struct asnap_elf *elf = open_elf(&made);
        asnap_unit_requested();
        ASNAP_ASSERT_OK(asnap_mini_debug_open(elf, &mini));
        CU_ASSERT(asnap_unit_requested() < 500 * used + MIB);
        CU_ASSERT_PTR_NULL(mini.elf);
        asnap_mini_debug_close(&mini);
        asnap_elf_close(elf);
        made_elf_deinit(&made);
        free(packed);
        free(zeros);
    }
}

/* ---- symbols ---- */

/* One function over all others, many times; and one name, as long as the table, of them all. */
ASNAP_TEST(symbols_bounds, many_symbols_that_lie_over_each_other)
{
    enum { SYMBOLS = 20000, NAME = 200000 };
    Elf64_Sym *symbols = calloc(SYMBOLS + 2, sizeof(*symbols));
    char *names = malloc(NAME);
    CU_ASSERT_FATAL(symbols != NULL && names != NULL);
    memset(names, '_', NAME);
    names[0] = names[NAME - 1] = '\0';
    memcpy(names + NAME - 8, "f\0inner", 7);
    for (size_t i = 1; i < SYMBOLS + 2; i++)
        symbols[i] = (Elf64_Sym){.st_name = NAME - 6,
                                 .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
                                 .st_shndx = 1,
                                 .st_value = 0x1000 + 16 * i,
                                 .st_size = 8};
    /* Over all. */
    symbols[1] = (Elf64_Sym){.st_name = NAME - 8,
                             .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
                             .st_shndx = 1,
                             .st_value = 0x1000,
                             .st_size = 16 * (SYMBOLS + 2)};
    /* Too long. */
    symbols[2].st_name = 1;
    const struct made_section sections[] = {
        {.name = ".text", .type = SHT_PROGBITS, .flags = SHF_EXECINSTR, .bytes = "x", .size = 1},
        {.name = ".symtab",
         .type = SHT_SYMTAB,
         .bytes = symbols,
         .size = (SYMBOLS + 2) * sizeof(*symbols),
         .link = 3,
         .entry_size = sizeof(*symbols)},
        {.name = ".strtab", .type = SHT_STRTAB, .bytes = names, .size = NAME},
    };
    struct made_elf made;
    struct asnap_symbols *found;
    made_elf_init(&made, sections, 3);
    struct asnap_elf *elf = open_elf(&made);
    ASNAP_ASSERT_OK(asnap_symbols_create(elf, NULL, ASNAP_SYMBOLS_FUNCTIONS, &found));
    size_t wrong = 0;
    for (uint64_t i = 3; i < SYMBOLS + 2; i++) {
        const char *inner = asnap_symbols_find(found, 0x1000 + 16 * i + 7);
        const char *outer = asnap_symbols_find(found, 0x1000 + 16 * i + 8);
        wrong += inner == NULL || outer == NULL || strcmp(inner, "inner") != 0 ||
                 strcmp(outer, "f") != 0;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_STRING_EQUAL(asnap_symbols_find(found, 0x1000 + 32), "f");
    CU_ASSERT_PTR_NULL(asnap_symbols_find(found, 0xfff));
    asnap_symbols_destroy(found);
    asnap_elf_close(elf);
    made_elf_deinit(&made);
    free(symbols);
    free(names);
}

/* ---- ranges ---- */

/* The value of the range that is to be preferred, by going through all. */
static bool find_slowly(const struct asnap_range *ranges, size_t count, uint64_t place,
                        uint64_t *value)
{
    const struct asnap_range *best = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct asnap_range *range = &ranges[i];
        if (range->start > place || range->end <= place)
            continue;
        if (best == NULL || range->start > best->start ||
            (range->start == best->start &&
             (range->end < best->end || (range->end == best->end && range->value < best->value))))
            best = range;
    }
    *value = best == NULL ? 0 : best->value;
    return best != NULL;
}

ASNAP_TEST(symbols_bounds, ranges_are_found_as_if_all_were_looked_at)
{
    enum { RANGES_MAX = 12, PLACES = 24 };
    uint64_t state = 1;
    size_t wrong = 0;
    for (size_t turn = 0; turn < 20000; turn++) {
        struct asnap_range_index index = {0};
        struct asnap_range ranges[RANGES_MAX];
        size_t count = 0;
        for (size_t i = 0; i < turn % (RANGES_MAX + 1); i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            uint64_t start = (state >> 33) % PLACES;
            uint64_t end = start + 1 + (state >> 40) % (turn % 3 == 0 ? 2 : PLACES);
            ranges[count++] = (struct asnap_range){.start = start, .end = end, .value = i % 5};
            ASNAP_ASSERT_OK(asnap_range_index_add(&index, start, end, i % 5));
        }
        ASNAP_ASSERT_OK(asnap_range_index_sort(&index));
        for (uint64_t place = 0; place < 2 * PLACES + 2; place++) {
            uint64_t value;
            bool is_in = find_slowly(ranges, count, place, &value);
            const struct asnap_range *found = asnap_range_index_find(&index, place);
            wrong += is_in != (found != NULL) || (found != NULL && found->value != value);
        }
        asnap_range_index_deinit(&index);
    }
    CU_ASSERT_EQUAL(wrong, 0);
}
