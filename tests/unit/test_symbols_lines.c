/* Line number programs, byte by byte. */
#include <stdlib.h>
#include <string.h>

#include "line_program.h"
#include "unit.h"

/* DWARF 5: directories "/src" and "inc" (in .debug_line_str), files "a.c" of directory 0 and
 * "b.h" of directory 1 (in .debug_str). */
static const unsigned char table_5[] = {
    84, 0,    0,    0,    5,    0, 8, 0,                  /* length, version, sizes */
    43, 0,    0,    0,    1,    1, 1, 0xfb, 14, 10,       /* header length ... opcode base */
    0,  1,    1,    1,    1,    0, 0, 0,    1,            /* lengths of opcodes 1 to 9 */
    1,  1,    0x1f, 2,    0,    0, 0, 0,    5,  0,  0, 0, /* directories */
    2,  1,    0x0e, 2,    0x0b, 2,                        /* files: format and count */
    0,  0,    0,    0,    0,    4, 0, 0,    0,  1,        /* files */
    0,  9,    2,    0x00, 0x10, 0, 0, 0,    0,  0,  0,    /* set address 0x1000 */
    3,  9,                                                /* line 10 */
    1,                                                    /* copy */
    4,  7,                                                /* file 7 */
    2,  4,                                                /* 4 bytes on */
    3,  0x7f,                                             /* line 9 */
    5,  3,                                                /* column */
    85,                                                   /* 5 bytes on, line + 0 */
    8,                                                    /* 17 bytes on */
    9,  0x00, 0x01,                                       /* 256 bytes on */
    0,  1,    1,                                          /* end */
    0,  1,    1,                                          /* an empty sequence */
};

/* DWARF 4, with a directory "inc" and files "a.c" (of directory 0) and "b.h" (of 1); what is
 * two operations of each instruction of 4 bytes. */
static const unsigned char table_4[] = {
    50,  0,   0,   0, 4, 0,                  /* length, version */
    35,  0,   0,   0, 4, 2, 1, 0xfb, 14, 10, /* header length ... opcode base */
    0,   1,   1,   1, 1, 0, 0, 0,    1,      /* lengths of opcodes 1 to 9 */
    'i', 'n', 'c', 0, 0,                     /* directories */
    'a', '.', 'c', 0, 0, 0, 0,               /* */
    'b', '.', 'h', 0, 1, 0, 0, 0,            /* files */
    1,                                       /* copy */
    2,   3,                                  /* 3 operations on: 4 bytes */
    1,                                       /* copy */
    2,   1,                                  /* 1 on: 4 bytes */
    0,   1,   1,                             /* end */
};

static const unsigned char line_strings[] = "/src\0inc";
static const unsigned char strings[] = "a.c\0b.h";

static struct asnap_line_sections sections_of(const unsigned char *table, size_t size)
{
    return (struct asnap_line_sections){
        .lines = {table, size, 8, false},
        .line_strings = {line_strings, sizeof(line_strings), 8, false},
        .strings = {strings, sizeof(strings), 8, false},
    };
}

static void expect_row(const struct asnap_line_program *program, size_t i, uint64_t address,
                       uint32_t file, uint32_t line, bool ends)
{
    CU_ASSERT_FATAL(i < program->row_count);
    CU_ASSERT_EQUAL(program->rows[i].address, address);
    CU_ASSERT_EQUAL(program->rows[i].file, file);
    CU_ASSERT_EQUAL(program->rows[i].line, line);
    CU_ASSERT_EQUAL(program->rows[i].ends, ends);
}

static void expect_file(const struct asnap_line_program *program, uint64_t file,
                        const char *compilation_directory, const char *directory, const char *name)
{
    const char *found[3] = {"/comp", NULL, NULL};
    CU_ASSERT_FATAL(asnap_line_program_file(program, file, &found[0], &found[1], &found[2]));
    CU_ASSERT_STRING_EQUAL(found[0], compilation_directory);
    CU_ASSERT_EQUAL(found[1] == NULL, directory == NULL);
    if (found[1] != NULL && directory != NULL)
        CU_ASSERT_STRING_EQUAL(found[1], directory);
    CU_ASSERT_STRING_EQUAL(found[2], name);
}

static void read_whole(const struct asnap_line_sections *sections,
                       struct asnap_line_program *program)
{
    const char *damage;
    ASNAP_ASSERT_OK(asnap_line_program_read(sections, 0, program, &damage));
    CU_ASSERT_PTR_NULL_FATAL(damage);
}

ASNAP_TEST(symbols_lines, version_5)
{
    struct asnap_line_sections sections = sections_of(table_5, sizeof(table_5));
    struct asnap_line_program program;
    read_whole(&sections, &program);
    CU_ASSERT_EQUAL(program.row_count, 4);
    expect_row(&program, 0, 0x1000, 1, 10, false);
    expect_row(&program, 1, 0x1009, 7, 9, false);
    expect_row(&program, 2, 0x111a, 7, 9, true);
    expect_row(&program, 3, 0, 1, 1, true);
    expect_file(&program, 0, "/src", NULL, "a.c");
    expect_file(&program, 1, "/comp", "inc", "b.h");
    const char *parts[3];
    CU_ASSERT_FALSE(asnap_line_program_file(&program, 2, &parts[0], &parts[1], &parts[2]));
    CU_ASSERT(program.needs_strings);
    asnap_line_program_deinit(&program);
}

ASNAP_TEST(symbols_lines, version_4)
{
    struct asnap_line_sections sections = sections_of(table_4, sizeof(table_4));
    struct asnap_line_program program;
    read_whole(&sections, &program);
    CU_ASSERT_EQUAL(program.row_count, 3);
    expect_row(&program, 0, 0, 1, 1, false);
    expect_row(&program, 1, 4, 1, 1, false);
    expect_row(&program, 2, 8, 1, 1, true);
    expect_file(&program, 1, "/comp", NULL, "a.c");
    expect_file(&program, 2, "/comp", "inc", "b.h");
    const char *parts[3];
    CU_ASSERT_FALSE(asnap_line_program_file(&program, 0, &parts[0], &parts[1], &parts[2]));
    CU_ASSERT_FALSE(asnap_line_program_file(&program, 3, &parts[0], &parts[1], &parts[2]));
    asnap_line_program_deinit(&program);
}

/* A copy of exactly its size, so that a read behind it is noticed. */
static void expect_damage(const unsigned char *table, size_t size, uint64_t offset)
{
    unsigned char *copy = malloc(size + (size == 0));
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, table, size);
    struct asnap_line_sections sections = sections_of(copy, size);
    struct asnap_line_program program;
    const char *damage;
    ASNAP_ASSERT_OK(asnap_line_program_read(&sections, offset, &program, &damage));
    CU_ASSERT_PTR_NOT_NULL(damage);
    CU_ASSERT_EQUAL(program.row_count, 0);
    asnap_line_program_deinit(&program);
    free(copy);
}

ASNAP_TEST(symbols_lines, cut_short)
{
    for (size_t size = 0; size < sizeof(table_5); size++)
        expect_damage(table_5, size, 0);
    for (size_t size = 0; size < sizeof(table_4); size++)
        expect_damage(table_4, size, 0);
    expect_damage(table_5, sizeof(table_5), sizeof(table_5));
    expect_damage(table_5, sizeof(table_5), UINT64_MAX);
}

static void expect_damage_with(size_t at, unsigned char byte)
{
    unsigned char copy[sizeof(table_5)];
    memcpy(copy, table_5, sizeof(copy));
    copy[at] = byte;
    expect_damage(copy, sizeof(copy), 0);
}

ASNAP_TEST(symbols_lines, headers_that_make_no_sense)
{
    expect_damage_with(4, 6);     /* version */
    expect_damage_with(6, 0);     /* size of an address */
    expect_damage_with(8, 200);   /* header behind the end */
    expect_damage_with(8, 2);     /* header within itself */
    expect_damage_with(13, 0);    /* operations of an instruction */
    expect_damage_with(16, 0);    /* line range */
    expect_damage_with(17, 0);    /* opcode base */
    expect_damage_with(29, 0x42); /* form of a directory */
    expect_damage_with(27, 0);    /* directories without fields */
    expect_damage_with(44, 200);  /* more files than there is room for */
}

/* Names outside of their sections are none. */
ASNAP_TEST(symbols_lines, names_that_are_not_there)
{
    struct asnap_line_sections sections = sections_of(table_5, sizeof(table_5));
    struct asnap_line_program program;
    read_whole(&sections, &program);
    sections.strings.size = 7; /* without the last NUL */
    sections.line_strings.size = 0;
    const char *parts[3] = {"/comp"};
    CU_ASSERT_FALSE(asnap_line_program_file(&program, 1, &parts[0], &parts[1], &parts[2]));
    CU_ASSERT(asnap_line_program_file(&program, 0, &parts[0], &parts[1], &parts[2]));
    CU_ASSERT_STRING_EQUAL(parts[0], "/comp");
    CU_ASSERT_PTR_NULL(parts[1]);
    asnap_line_program_deinit(&program);
}
