#include "line_header.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

#define FORMATS_MAX 255

/* What a field of an entry is (DWARF 5, section 7.22). */
enum {
    LNCT_PATH = 1,
    LNCT_DIRECTORY_INDEX = 2,
};

/* How it is written (section 7.5.6). */
enum {
    FORM_DATA2 = 0x05,
    FORM_DATA4 = 0x06,
    FORM_DATA8 = 0x07,
    FORM_STRING = 0x08,
    FORM_BLOCK = 0x09,
    FORM_DATA1 = 0x0b,
    FORM_STRP = 0x0e,
    FORM_UDATA = 0x0f,
    FORM_DATA16 = 0x1e,
    FORM_LINE_STRP = 0x1f,
};

struct field {
    uint64_t content;
    uint64_t form;
};

/* What reads the lists. */
struct lists {
    const struct asnap_line_sections *sections;
    struct asnap_cursor at;
    size_t offset_size;
    struct asnap_line_program *program;
    size_t directory_capacity;
    size_t file_capacity;
};

static struct asnap_line_text take_string(struct lists *lists)
{
    struct asnap_cursor *at = &lists->at;
    struct asnap_line_text text = {
        .section = &lists->sections->lines,
        .offset = (uint64_t)(at->at - lists->sections->lines.bytes),
    };
    size_t left = (size_t)(at->end - at->at);
    asnap_cursor_skip(at, (uint64_t)strnlen((const char *)at->at, left) + 1);
    return text;
}

static struct asnap_error *add_directory(struct lists *lists, struct asnap_line_text text)
{
    struct asnap_line_program *program = lists->program;
    if (program->directory_count == lists->directory_capacity) {
        size_t capacity = lists->directory_capacity == 0 ? 16 : lists->directory_capacity * 2;
        struct asnap_line_text *grown =
            reallocarray(program->directories, capacity, sizeof(*grown));
        if (grown == NULL)
            return asnap_error_no_memory();
        program->directories = grown;
        lists->directory_capacity = capacity;
    }
    program->directories[program->directory_count++] = text;
    return NULL;
}

static struct asnap_error *add_file(struct lists *lists, struct asnap_line_text name,
                                    uint64_t directory)
{
    struct asnap_line_program *program = lists->program;
    if (program->file_count == lists->file_capacity) {
        size_t capacity = lists->file_capacity == 0 ? 32 : lists->file_capacity * 2;
        struct asnap_line_file *grown = reallocarray(program->files, capacity, sizeof(*grown));
        if (grown == NULL)
            return asnap_error_no_memory();
        program->files = grown;
        lists->file_capacity = capacity;
    }
    program->files[program->file_count++] =
        (struct asnap_line_file){.name = name, .directory = directory};
    return NULL;
}

/* Before DWARF 5 a list ends with an empty name, and counts from 1: an empty one stands for
 * entry 0, the unit's own. */
static struct asnap_error *read_old_lists(struct lists *lists)
{
    static const struct asnap_line_text none;
    struct asnap_cursor *at = &lists->at;
    struct asnap_error *error = add_directory(lists, none);
    while (error == NULL && !at->is_bad && at->at < at->end && *at->at != '\0')
        error = add_directory(lists, take_string(lists));
    asnap_cursor_skip(at, 1);
    if (error == NULL)
        error = add_file(lists, none, 0);
    while (error == NULL && !at->is_bad && at->at < at->end && *at->at != '\0') {
        struct asnap_line_text name = take_string(lists);
        uint64_t directory = asnap_cursor_take_leb(at);
        asnap_cursor_take_leb(at); /* time */
        asnap_cursor_take_leb(at); /* size */
        error = add_file(lists, name, directory);
    }
    asnap_cursor_skip(at, 1);
    return error;
}

/* Reads a field into the one of `text` and `number` that it is. */
static void read_field(struct lists *lists, uint64_t form, struct asnap_line_text *text,
                       uint64_t *number)
{
    struct asnap_cursor *at = &lists->at;
    *text = (struct asnap_line_text){0};
    *number = 0;
    switch (form) {
    case FORM_STRING:
        *text = take_string(lists);
        break;
    case FORM_LINE_STRP:
    case FORM_STRP:
        text->offset = asnap_cursor_take(at, lists->offset_size);
        text->section = &lists->sections->line_strings;
        if (form == FORM_STRP) {
            text->section = &lists->sections->strings;
            lists->program->needs_strings = true;
        }
        break;
    case FORM_DATA1:
        *number = asnap_cursor_take(at, 1);
        break;
    case FORM_DATA2:
        *number = asnap_cursor_take(at, 2);
        break;
    case FORM_DATA4:
        *number = asnap_cursor_take(at, 4);
        break;
    case FORM_DATA8:
        *number = asnap_cursor_take(at, 8);
        break;
    case FORM_UDATA:
        *number = asnap_cursor_take_leb(at);
        break;
    case FORM_DATA16:
        asnap_cursor_skip(at, 16);
        break;
    case FORM_BLOCK:
        asnap_cursor_skip(at, asnap_cursor_take_leb(at));
        break;
    default:
        /* Of unknown length. */
        asnap_cursor_skip(at, UINT64_MAX);
    }
}

/* A list of DWARF 5. Each field has a byte at least, so that the end of the header ends any
 * list. */
static struct asnap_error *read_list(struct lists *lists, bool of_files)
{
    struct field fields[FORMATS_MAX];
    struct asnap_cursor *at = &lists->at;
    size_t field_count = (size_t)asnap_cursor_take(at, 1);
    for (size_t i = 0; i < field_count; i++) {
        fields[i].content = asnap_cursor_take_leb(at);
        fields[i].form = asnap_cursor_take_leb(at);
    }
    uint64_t count = asnap_cursor_take_leb(at);
    if (field_count == 0 && count > 0)
        asnap_cursor_skip(at, UINT64_MAX);
    struct asnap_error *error = NULL;
    for (uint64_t i = 0; i < count && error == NULL; i++) {
        struct asnap_line_text path = {0};
        uint64_t directory = 0;
        for (size_t f = 0; f < field_count; f++) {
            struct asnap_line_text text;
            uint64_t number;
            read_field(lists, fields[f].form, &text, &number);
            if (fields[f].content == LNCT_PATH)
                path = text;
            else if (fields[f].content == LNCT_DIRECTORY_INDEX)
                directory = number;
        }
        if (at->is_bad)
            break;
        error = of_files ? add_file(lists, path, directory) : add_directory(lists, path);
    }
    return error;
}

static struct asnap_error *read_lists(struct lists *lists)
{
    if (lists->program->version < 5)
        return read_old_lists(lists);
    struct asnap_error *error = read_list(lists, false);
    return error != NULL ? error : read_list(lists, true);
}

/* Reads what comes before the lists; `at` is left there. NULL, or what is wrong. */
static const char *read_numbers(struct asnap_cursor *at, struct asnap_line_header *header,
                                unsigned *version, size_t *offset_size)
{
    *offset_size = asnap_cursor_take_length(at);
    *version = (unsigned)asnap_cursor_take(at, 2);
    if (at->is_bad)
        return "line table: cut short";
    if (*version < 2 || *version > 5)
        return "line table: unknown version";
    if (*version == 5) {
        header->address_size = (size_t)asnap_cursor_take(at, 1);
        asnap_cursor_skip(at, 1); /* size of segment selectors */
    }
    uint64_t length = asnap_cursor_take(at, *offset_size);
    header->code = *at;
    asnap_cursor_skip(&header->code, length);
    header->instruction_length = (unsigned)asnap_cursor_take(at, 1);
    header->operations = *version < 4 ? 1 : (unsigned)asnap_cursor_take(at, 1);
    asnap_cursor_skip(at, 1); /* whether rows are statements at first */
    uint64_t base = asnap_cursor_take(at, 1);
    header->line_base = base < 128 ? (int)base : (int)base - 256;
    header->line_range = (unsigned)asnap_cursor_take(at, 1);
    header->opcode_base = (unsigned)asnap_cursor_take(at, 1);
    header->lengths = at->at;
    asnap_cursor_skip(at, header->opcode_base == 0 ? 0 : header->opcode_base - 1);
    if (at->is_bad || header->code.is_bad || at->at > header->code.at)
        return "line table: header cut short";
    if (header->operations == 0 || header->line_range == 0 || header->opcode_base == 0 ||
        header->address_size == 0 || header->address_size > 8)
        return "line table: header makes no sense";
    return NULL;
}

struct asnap_error *asnap_line_header_read(const struct asnap_line_sections *sections,
                                           uint64_t offset, struct asnap_line_header *header,
                                           struct asnap_line_program *program, const char **damage)
{
    const struct asnap_contents *lines = &sections->lines;
    *damage = "line table: outside of .debug_line";
    if (offset >= lines->size)
        return NULL;
    struct lists lists = {
        .sections = sections,
        .at = {.at = lines->bytes + offset,
               .end = lines->bytes + lines->size,
               .big_endian = lines->big_endian},
        .program = program,
    };
    *header = (struct asnap_line_header){.address_size = lines->address_size};
    *damage = read_numbers(&lists.at, header, &program->version, &lists.offset_size);
    if (*damage != NULL)
        return NULL;
    lists.at.end = header->code.at;
    struct asnap_error *error = read_lists(&lists);
    if (error == NULL && lists.at.is_bad)
        *damage = "line table: files cut short";
    return error;
}
