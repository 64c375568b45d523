#include "line_program.h"

#include "byte_cursor.h"

/* Opcodes (DWARF 5, section 7.22). */
enum {
    LNS_COPY = 1,
    LNS_SET_FILE = 4,
    LNS_FIXED_ADVANCE_PC = 9,
    LNE_END_SEQUENCE = 1,
};

/* A program, once its header is read (section 6.2.4). */
struct program {
    struct asnap_cursor code;
    unsigned opcode_base;
    const unsigned char *lengths; /* of the standard opcodes, from 1 */
};

static bool read_header(struct asnap_cursor cursor, struct program *program)
{
    size_t offset_size = asnap_cursor_take_length(&cursor);
    if (asnap_cursor_take(&cursor, 2) != 5)
        return false;
    asnap_cursor_skip(&cursor, 2); /* sizes of addresses and segment selectors */
    uint64_t header_length = asnap_cursor_take(&cursor, offset_size);
    struct asnap_cursor code = cursor;
    asnap_cursor_skip(&code, header_length);
    asnap_cursor_skip(&cursor, 5); /* instruction length and count, default, line base and range */
    program->opcode_base = (unsigned)asnap_cursor_take(&cursor, 1);
    program->lengths = cursor.at;
    asnap_cursor_skip(&cursor, program->opcode_base == 0 ? 0 : program->opcode_base - 1);
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
    struct asnap_cursor *code = &program->code;
    unsigned opcode = (unsigned)asnap_cursor_take(code, 1);
    if (opcode >= program->opcode_base)
        return EFFECT_ROW;
    if (opcode == 0) {
        uint64_t length = asnap_cursor_take_leb(code);
        struct asnap_cursor extended = *code;
        asnap_cursor_skip(code, length);
        return length > 0 && asnap_cursor_take(&extended, 1) == LNE_END_SEQUENCE ? EFFECT_END
                                                                                 : EFFECT_NONE;
    }
    if (opcode == LNS_COPY)
        return EFFECT_ROW;
    if (opcode == LNS_SET_FILE) {
        *file = asnap_cursor_take_leb(code);
        return EFFECT_FILE;
    }
    if (opcode == LNS_FIXED_ADVANCE_PC) {
        asnap_cursor_skip(code, 2);
        return EFFECT_NONE;
    }
    for (unsigned i = 0; i < program->lengths[opcode - 1]; i++)
        asnap_cursor_take_leb(code);
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

void asnap_line_program_correct(const struct asnap_contents *section, uint64_t offset,
                                struct asnap_line_row *rows, size_t count)
{
    struct program program;
    if (offset >= section->size)
        return;
    struct asnap_cursor cursor = {.at = section->bytes + offset,
                                  .end = section->bytes + section->size,
                                  .big_endian = section->big_endian};
    if (read_header(cursor, &program) && run(program, NULL, 0) == count)
        run(program, rows, count);
}
