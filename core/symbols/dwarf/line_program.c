#include "line_program.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "line_header.h"

/* Opcodes (DWARF 5, section 7.22). */
enum {
    LNS_COPY = 1,
    LNS_ADVANCE_PC = 2,
    LNS_ADVANCE_LINE = 3,
    LNS_SET_FILE = 4,
    LNS_CONST_ADD_PC = 8,
    LNS_FIXED_ADVANCE_PC = 9,
    LNE_END_SEQUENCE = 1,
    LNE_SET_ADDRESS = 2,
};

/* The registers (section 6.2.2) that matter here, and where the rows go. */
struct machine {
    const struct asnap_line_header *header;
    struct asnap_cursor code;
    struct asnap_line_program *program;
    size_t capacity;
    uint64_t address;
    uint64_t operation; /* within the instruction */
    uint64_t file;
    uint64_t line;
};

static void begin_sequence(struct machine *machine)
{
    machine->address = 0;
    machine->operation = 0;
    machine->file = 1;
    machine->line = 1;
}

/* Section 6.2.5.1. */
static void advance(struct machine *machine, uint64_t operations)
{
    unsigned most = machine->header->operations;
    uint64_t steps = operations;
    if (most > 1) {
        steps = (machine->operation + operations) / most;
        machine->operation = (machine->operation + operations) % most;
    }
    machine->address += machine->header->instruction_length * steps;
}

static struct asnap_error *add_row(struct machine *machine, bool ends)
{
    struct asnap_line_program *program = machine->program;
    if (program->row_count == machine->capacity) {
        size_t capacity = machine->capacity == 0 ? 256 : machine->capacity * 2;
        struct asnap_line_row *grown = reallocarray(program->rows, capacity, sizeof(*grown));
        if (grown == NULL)
            return asnap_error_no_memory();
        program->rows = grown;
        machine->capacity = capacity;
    }
    program->rows[program->row_count++] = (struct asnap_line_row){
        .address = machine->address,
        .file = machine->file > UINT32_MAX ? UINT32_MAX : (uint32_t)machine->file,
        .line = machine->line > UINT32_MAX ? 0 : (uint32_t)machine->line,
        .ends = ends,
    };
    return NULL;
}

static struct asnap_error *run_extended(struct machine *machine)
{
    struct asnap_cursor *code = &machine->code;
    uint64_t length = asnap_cursor_take_leb(code);
    struct asnap_cursor own = *code;
    asnap_cursor_skip(code, length);
    if (length == 0 || code->is_bad)
        return NULL;
    own.end = own.at + length;
    uint64_t opcode = asnap_cursor_take(&own, 1);
    if (opcode == LNE_SET_ADDRESS && length - 1 <= sizeof(machine->address)) {
        machine->address = asnap_cursor_take(&own, length - 1);
        machine->operation = 0;
    }
    if (opcode != LNE_END_SEQUENCE)
        return NULL;
    struct asnap_error *error = add_row(machine, true);
    begin_sequence(machine);
    return error;
}

static struct asnap_error *run_standard(struct machine *machine, unsigned opcode)
{
    const struct asnap_line_header *header = machine->header;
    struct asnap_cursor *code = &machine->code;
    switch (opcode) {
    case LNS_COPY:
        return add_row(machine, false);
    case LNS_ADVANCE_PC:
        advance(machine, asnap_cursor_take_leb(code));
        return NULL;
    case LNS_ADVANCE_LINE:
        machine->line += (uint64_t)asnap_cursor_take_signed_leb(code);
        return NULL;
    case LNS_SET_FILE:
        machine->file = asnap_cursor_take_leb(code);
        return NULL;
    case LNS_CONST_ADD_PC:
        advance(machine, (255 - header->opcode_base) / header->line_range);
        return NULL;
    case LNS_FIXED_ADVANCE_PC:
        machine->address += asnap_cursor_take(code, 2);
        machine->operation = 0;
        return NULL;
    default:
        for (unsigned i = 0; i < header->lengths[opcode - 1]; i++)
            asnap_cursor_take_leb(code);
        return NULL;
    }
}

static struct asnap_error *run(struct machine *machine)
{
    const struct asnap_line_header *header = machine->header;
    struct asnap_cursor *code = &machine->code;
    struct asnap_error *error = NULL;
    begin_sequence(machine);
    while (error == NULL && !code->is_bad && code->at < code->end) {
        unsigned opcode = *code->at++;
        if (opcode >= header->opcode_base) {
            unsigned special = opcode - header->opcode_base;
            advance(machine, special / header->line_range);
            machine->line += (uint64_t)(header->line_base + (int)(special % header->line_range));
            error = add_row(machine, false);
        } else if (opcode == 0) {
            error = run_extended(machine);
        } else {
            error = run_standard(machine, opcode);
        }
    }
    return error;
}

struct asnap_error *asnap_line_program_read(const struct asnap_line_sections *sections,
                                            uint64_t offset, struct asnap_line_program *program,
                                            const char **damage)
{
    struct asnap_line_program made = {0};
    struct asnap_line_header header;
    struct asnap_error *error = asnap_line_header_read(sections, offset, &header, &made, damage);
    if (error == NULL && *damage == NULL) {
        struct machine machine = {.header = &header, .code = header.code, .program = &made};
        error = run(&machine);
        if (machine.code.is_bad)
            *damage = "line table: instructions cut short";
    }
    if (error != NULL || *damage != NULL)
        asnap_line_program_deinit(&made);
    if (error == NULL)
        *program = made;
    return error;
}

/* Much longer than any path that can be opened. */
#define PATH_BYTES_MAX ((size_t)64 * 1024)

/* NULL where it is outside of its section, or too long. */
static const char *text_at(struct asnap_line_text text)
{
    if (text.section == NULL || text.offset >= text.section->size)
        return NULL;
    const unsigned char *start = text.section->bytes + text.offset;
    size_t left = text.section->size - text.offset;
    size_t most = left < PATH_BYTES_MAX ? left : PATH_BYTES_MAX;
    return memchr(start, '\0', most) == NULL ? NULL : (const char *)start;
}

bool asnap_line_program_file(const struct asnap_line_program *program, uint64_t file,
                             const char **compilation_directory, const char **directory,
                             const char **name)
{
    if (file >= program->file_count)
        return false;
    const struct asnap_line_file *found = &program->files[file];
    const char *text = text_at(found->name);
    if (text == NULL)
        return false;
    *name = text;
    *directory = found->directory < program->directory_count
                     ? text_at(program->directories[found->directory])
                     : NULL;
    /* From DWARF 5 on (6.2.4) directory 0 is the compilation directory, and can be relative
     * itself: joined once. */
    if (program->version >= 5 && found->directory == 0 && *directory != NULL) {
        *compilation_directory = *directory;
        *directory = NULL;
    }
    return true;
}

void asnap_line_program_deinit(struct asnap_line_program *program)
{
    free(program->rows);
    free(program->directories);
    free(program->files);
    *program = (struct asnap_line_program){0};
}
