/* The threads of a core file: the notes NT_PRSTATUS (struct elf_prstatus), NT_PRFPREG,
 * NT_X86_XSTATE and NT_ARM_TLS as the kernel and gdb write them. Those of a thread follow its
 * NT_PRSTATUS. */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core_map.h"
#include "core_notes.h"
#include "error.h"
#include "grow.h"

/* Of struct elf_prstatus. */
enum { PID_AT = 32, REGISTERS_AT = 112 };

/* The state that AVX-512 and AMX take is below this. */
enum { NOTE_BYTES_MAX = 64 << 10 };

/* Addresses of programs. */
#define LOWEST UINT64_C(4096)

static const char *const x86_64_names[] = {
    "r15", "r14", "r13", "r12", "rbp", "rbx", "r11",    "r10", "r9", "r8",      "rax",     "rcx",
    "rdx", "rsi", "rdi", "",    "rip", "cs",  "eflags", "rsp", "ss", "fs_base", "gs_base",
};
enum { X86_64_SP = 19, X86_64_FS_BASE = 21, X86_64_REGISTERS = 23 };
enum { AARCH64_SP = 31, AARCH64_REGISTERS = 33 };

/* Of struct user_fpregs_struct, and of XSAVE's area, which begins with the same. */
enum { XMM_AT = 160, XMM_END = 416 };

struct asnap_core_threads {
    struct asnap_thread *threads;
    size_t count;
    size_t capacity;
    struct asnap_register *registers;
    size_t register_count;
    size_t register_capacity;
    uint64_t main_stack;
};

struct reading {
    struct asnap_core_threads *threads;
    int file;
    uint16_t machine;
    uint8_t *bytes; /* of a note */
};

static bool read_whole(int file, void *bytes, size_t size, uint64_t offset)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = pread(file, (char *)bytes + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

static uint64_t word_at(const uint8_t *bytes, size_t at)
{
    uint64_t word;
    memcpy(&word, bytes + at, sizeof(word));
    return word;
}

/* Adds a word of the last thread, where it can be an address. */
static struct asnap_error *add_word(struct asnap_core_threads *threads, uint64_t value,
                                    const char *format, unsigned number)
{
    if (value < LOWEST)
        return NULL;
    struct asnap_register *registers = asnap_grow(threads->registers, &threads->register_capacity,
                                                  threads->register_count + 1, sizeof(*registers));
    if (registers == NULL)
        return asnap_error_no_memory();
    threads->registers = registers;
    struct asnap_register *made = &registers[threads->register_count++];
    *made = (struct asnap_register){.value = value, .thread = (uint32_t)threads->count - 1};
    if (format == NULL)
        snprintf(made->name, sizeof(made->name), "x%u", number);
    else
        snprintf(made->name, sizeof(made->name), "%s", format);
    return NULL;
}

static struct asnap_error *add_x86_64(struct asnap_core_threads *threads, const uint8_t *bytes,
                                      size_t size)
{
    if (size < REGISTERS_AT + X86_64_REGISTERS * 8)
        return NULL;
    struct asnap_thread *thread = &threads->threads[threads->count - 1];
    thread->stack_pointer = word_at(bytes, REGISTERS_AT + X86_64_SP * 8);
    thread->thread_pointer = word_at(bytes, REGISTERS_AT + X86_64_FS_BASE * 8);
    struct asnap_error *error = NULL;
    for (unsigned i = 0; error == NULL && i < X86_64_REGISTERS; i++) {
        if (x86_64_names[i][0] != '\0')
            error = add_word(threads, word_at(bytes, REGISTERS_AT + i * 8), x86_64_names[i], 0);
    }
    return error;
}

static struct asnap_error *add_aarch64(struct asnap_core_threads *threads, const uint8_t *bytes,
                                       size_t size)
{
    if (size < REGISTERS_AT + AARCH64_REGISTERS * 8)
        return NULL;
    struct asnap_thread *thread = &threads->threads[threads->count - 1];
    thread->stack_pointer = word_at(bytes, REGISTERS_AT + AARCH64_SP * 8);
    struct asnap_error *error = NULL;
    for (unsigned i = 0; error == NULL && i < AARCH64_REGISTERS; i++) {
        const char *name = i == AARCH64_SP ? "sp" : i == AARCH64_SP + 1 ? "pc" : NULL;
        error = add_word(threads, word_at(bytes, REGISTERS_AT + i * 8), name, i);
    }
    return error;
}

static struct asnap_error *add_thread(struct reading *reading, size_t size)
{
    struct asnap_core_threads *threads = reading->threads;
    if (size < REGISTERS_AT)
        return NULL;
    struct asnap_thread *grown =
        asnap_grow(threads->threads, &threads->capacity, threads->count + 1, sizeof(*grown));
    if (grown == NULL)
        return asnap_error_no_memory();
    uint32_t number;
    memcpy(&number, reading->bytes + PID_AT, sizeof(number));
    threads->threads = grown;
    grown[threads->count++] = (struct asnap_thread){.number = number, .vectors_unknown = true};
    if (reading->machine == EM_X86_64)
        return add_x86_64(threads, reading->bytes, size);
    return reading->machine == EM_AARCH64 ? add_aarch64(threads, reading->bytes, size) : NULL;
}

/* The words of a vector state; those of the first sixteen vectors of x86-64 have their names. */
static struct asnap_error *add_vectors(struct reading *reading, size_t size)
{
    struct asnap_core_threads *threads = reading->threads;
    struct asnap_error *error = NULL;
    threads->threads[threads->count - 1].vectors_unknown = false;
    for (size_t at = 0; error == NULL && at + 8 <= size; at += 8) {
        char name[sizeof(threads->registers->name)] = "vector";
        if (reading->machine == EM_X86_64 && at >= XMM_AT && at < XMM_END)
            snprintf(name, sizeof(name), "xmm%u", (unsigned)(at - XMM_AT) / 16);
        else if (reading->machine == EM_AARCH64)
            snprintf(name, sizeof(name), "v%u", (unsigned)(at / 16) % 100);
        error = add_word(threads, word_at(reading->bytes, at), name, 0);
    }
    return error;
}

/* The kernel puts the name of the program's file at the end of its first stack (getauxval(3)). */
static void find_main_stack(struct reading *reading, size_t size)
{
    for (size_t at = 0; at + 16 <= size; at += 16) {
        uint64_t type = word_at(reading->bytes, at);
        if (type == AT_EXECFN || (type == AT_RANDOM && reading->threads->main_stack == 0))
            reading->threads->main_stack = word_at(reading->bytes, at + 8);
    }
}

static struct asnap_error *take_note(void *context, uint32_t type, uint64_t offset, uint32_t size)
{
    struct reading *reading = context;
    bool is_known = type == NT_PRSTATUS || type == NT_PRFPREG || type == NT_X86_XSTATE ||
                    type == NT_ARM_TLS || type == NT_AUXV;
    if (size > NOTE_BYTES_MAX)
        size = NOTE_BYTES_MAX;
    if (!is_known || !read_whole(reading->file, reading->bytes, size, offset))
        return NULL;
    if (type == NT_AUXV)
        find_main_stack(reading, size);
    if (type == NT_PRSTATUS)
        return add_thread(reading, size);
    if (reading->threads->count == 0)
        return NULL;
    if (type == NT_ARM_TLS && size >= 8)
        reading->threads->threads[reading->threads->count - 1].thread_pointer =
            word_at(reading->bytes, 0);
    return type == NT_PRFPREG || type == NT_X86_XSTATE ? add_vectors(reading, size) : NULL;
}

struct asnap_error *asnap_core_threads_create(const struct asnap_core_map *map,
                                              struct asnap_core_threads **threads)
{
    if (map == NULL || threads == NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_core_threads_create: NULL argument");
    size_t count;
    const struct asnap_core_note_piece *notes = asnap_core_map_notes(map, &count);
    struct reading reading = {.threads = calloc(1, sizeof(*reading.threads)),
                              .file = asnap_core_map_file(map),
                              .bytes = malloc(NOTE_BYTES_MAX)};
    struct asnap_error *error = NULL;
    Elf64_Ehdr header;
    if (reading.threads == NULL || reading.bytes == NULL)
        error = asnap_error_no_memory();
    else if (read_whole(reading.file, &header, sizeof(header), 0))
        reading.machine = header.e_machine;
    for (size_t i = 0; error == NULL && i < count; i++)
        error = asnap_core_notes_read(reading.file, notes[i].offset, notes[i].size, take_note,
                                      &reading);
    free(reading.bytes);
    if (error != NULL) {
        asnap_core_threads_destroy(reading.threads);
        return error;
    }
    *threads = reading.threads;
    return NULL;
}

const struct asnap_thread *asnap_core_threads_list(const struct asnap_core_threads *threads,
                                                   size_t *count)
{
    *count = threads->count;
    return threads->threads;
}

const struct asnap_register *asnap_core_threads_registers(const struct asnap_core_threads *threads,
                                                          size_t *count)
{
    *count = threads->register_count;
    return threads->registers;
}

uint64_t asnap_core_threads_main_stack(const struct asnap_core_threads *threads)
{
    return threads->main_stack;
}

void asnap_core_threads_destroy(struct asnap_core_threads *threads)
{
    if (threads == NULL)
        return;
    free(threads->threads);
    free(threads->registers);
    free(threads);
}
