#include "line_program.h"

/* Opcodes (DWARF 5, section 7.22). */
enum {
    LNS_COPY = 1,
    LNS_SET_FILE = 4,
    LNS_FIXED_ADVANCE_PC = 9,
    LNE_END_SEQUENCE = 1,
};

struct cursor {
    const unsigned char *at;
    const unsigned char *end;
    bool big_endian;
    bool is_bad; /* something was asked for behind the end */
};

static uint64_t take(struct cursor *cursor, size_t bytes)
{
    if ((size_t)(cursor->end - cursor->at) < bytes) {
        cursor->is_bad = true;
        cursor->at = cursor->end;
        return 0;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++) {
        size_t place = cursor->big_endian ? i : bytes - 1 - i;
        value = value << 8 | cursor->at[place];
    }
    cursor->at += bytes;
    return value;
}

/* An unsigned LEB128 number (section 7.6). */
static uint64_t take_leb(struct cursor *cursor)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint64_t byte = take(cursor, 1);
        if (shift < 64)
            value |= (byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return value;
    }
}

static void skip(struct cursor *cursor, uint64_t bytes)
{
    if ((uint64_t)(cursor->end - cursor->at) < bytes) {
        cursor->is_bad = true;
        cursor->at = cursor->end;
        return;
    }
    cursor->at += bytes;
}

/* A program, once its header is read (section 6.2.4). */
struct program {
    struct cursor code;
    unsigned opcode_base;
    const unsigned char *lengths; /* of the standard opcodes, from 1 */
};

static bool read_header(struct cursor cursor, struct program *program)
{
    uint64_t length = take(&cursor, 4);
    size_t offset_size = 4;
    if (length == UINT32_MAX) {
        length = take(&cursor, 8);
        offset_size = 8;
    }
    if (length > (uint64_t)(cursor.end - cursor.at))
        return false;
    cursor.end = cursor.at + length;
    if (take(&cursor, 2) != 5)
        return false;
    skip(&cursor, 2); /* sizes of addresses and segment selectors */
    uint64_t header_length = take(&cursor, offset_size);
    struct cursor code = cursor;
    skip(&code, header_length);
    skip(&cursor, 5); /* instruction length and count, default, line base and range */
    program->opcode_base = (unsigned)take(&cursor, 1);
    program->lengths = cursor.at;
    skip(&cursor, program->opcode_base == 0 ? 0 : program->opcode_base - 1);
    program->code = code;
    return !cursor.is_bad && !code.is_bad && program->opcode_base != 0;
}

/* What an opcode does, as far as it matters here. */
enum effect {
    EFFECT_NONE,
    EFFECT_ROW,
    EFFECT_FILE,
    EFFECT_END, /* a row too */
};

static enum effect step(struct program *program, uint64_t *file)
{
    struct cursor *code = &program->code;
    unsigned opcode = (unsigned)take(code, 1);
    if (opcode >= program->opcode_base)
        return EFFECT_ROW;
    if (opcode == 0) {
        uint64_t length = take_leb(code);
        struct cursor extended = *code;
        skip(code, length);
        return length > 0 && take(&extended, 1) == LNE_END_SEQUENCE ? EFFECT_END : EFFECT_NONE;
    }
    if (opcode == LNS_COPY)
        return EFFECT_ROW;
    if (opcode == LNS_SET_FILE) {
        *file = take_leb(code);
        return EFFECT_FILE;
    }
    if (opcode == LNS_FIXED_ADVANCE_PC) {
        skip(code, 2);
        return EFFECT_NONE;
    }
    for (unsigned i = 0; i < program->lengths[opcode - 1]; i++)
        take_leb(code);
    return EFFECT_NONE;
}

/* Runs the program; sets the files of `rows` unless that is NULL. Returns how many
 * rows it makes. */
static size_t run(struct program program, struct asnap_line_row *rows, size_t count)
{
    size_t made = 0;
    uint64_t file = 1;
    while (program.code.at < program.code.end) {
        uint64_t given = 0;
        enum effect effect = step(&program, &given);
        if (program.code.is_bad)
            break;
        if (effect == EFFECT_FILE)
            file = given;
        if (effect == EFFECT_ROW || effect == EFFECT_END) {
            if (rows != NULL && made < count)
                rows[made].file = file;
            made++;
        }
        if (effect == EFFECT_END)
            file = 1;
    }
    return made;
}

void asnap_line_program_correct(const unsigned char *bytes, size_t size, bool big_endian,
                                uint64_t offset, struct asnap_line_row *rows, size_t count)
{
    struct program program;
    if (offset >= size)
        return;
    struct cursor cursor = {.at = bytes + offset, .end = bytes + size, .big_endian = big_endian};
    if (read_header(cursor, &program) && run(program, NULL, 0) == count)
        run(program, rows, count);
}
