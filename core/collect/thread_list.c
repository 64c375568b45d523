#include "thread_list.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "grow.h"

/* Of general registers sizes are kept as well as addresses, of vector registers addresses. */
enum { LEAST_SIZE = 32, LOWEST = 4096 };

static const char *const x86_64_names[] = {
    "r15", "r14", "r13", "r12", "rbp", "rbx", "r11",    "r10", "r9", "r8",      "rax",     "rcx",
    "rdx", "rsi", "rdi", "",    "rip", "cs",  "eflags", "rsp", "ss", "fs_base", "gs_base",
};
enum { X86_64_SP = 19, X86_64_FS_BASE = 21, X86_64_REGISTERS = 23 };
enum { AARCH64_SP = 31, AARCH64_REGISTERS = 33 };

/* Of struct user_fpregs_struct, and of XSAVE's area, which begins with the same; there the kernel
 * says which parts follow (XCR0, in the bytes that are for software). */
enum { XMM_AT = 160, XMM_END = 416, XCR0_AT = 464, XCR0_AVX512 = 0xe0 };

/* A part of XSAVE's area: registers of `bytes` each, from number `first` on. */
struct part {
    size_t at;
    size_t end;
    size_t bytes;
    const char *format;
    unsigned first;
};

/* Where the parts are (Intel SDM 1, 13.4, and CPUID leaf 0xd): Intel's processors keep the place of
 * MPX free, and AMD's, which never had that, do not, so that their areas are smaller. */
static const struct part intel_parts[] = {
    {XMM_AT, XMM_END, 16, "xmm%u", 0}, {576, 832, 16, "ymm%u", 0},    {1088, 1152, 8, "k%u", 0},
    {1152, 1664, 32, "zmm%u", 0},      {1664, 2688, 64, "zmm%u", 16}, {0, 0, 1, NULL, 0},
};
static const struct part amd_parts[] = {
    {XMM_AT, XMM_END, 16, "xmm%u", 0}, {576, 832, 16, "ymm%u", 0},    {832, 896, 8, "k%u", 0},
    {896, 1408, 32, "zmm%u", 0},       {1408, 2432, 64, "zmm%u", 16}, {0, 0, 1, NULL, 0},
};
enum { AMD_BYTES_MOST = 2440 };

static uint64_t word_at(const uint8_t *bytes, size_t at)
{
    uint64_t word;
    memcpy(&word, bytes + at, sizeof(word));
    return word;
}

struct asnap_error *asnap_thread_list_add(struct asnap_thread_list *list, uint64_t number)
{
    struct asnap_thread *grown =
        asnap_grow(list->threads, &list->capacity, list->count + 1, sizeof(*grown));
    if (grown == NULL)
        return asnap_error_no_memory();
    list->threads = grown;
    grown[list->count++] = (struct asnap_thread){.number = number, .vectors_unknown = true};
    return NULL;
}

/* Adds a word of the last thread. */
static struct asnap_error *add_word(struct asnap_thread_list *list, uint64_t value,
                                    const char *format, unsigned number)
{
    struct asnap_register *registers = asnap_grow(list->registers, &list->register_capacity,
                                                  list->register_count + 1, sizeof(*registers));
    if (registers == NULL)
        return asnap_error_no_memory();
    list->registers = registers;
    struct asnap_register *made = &registers[list->register_count++];
    *made = (struct asnap_register){.value = value, .thread = (uint32_t)list->count - 1};
    if (format == NULL)
        snprintf(made->name, sizeof(made->name), "x%u", number);
    else
        snprintf(made->name, sizeof(made->name), "%s", format);
    return NULL;
}

static struct asnap_error *add_x86_64(struct asnap_thread_list *list, const uint8_t *bytes,
                                      size_t size)
{
    if (size < X86_64_REGISTERS * 8)
        return NULL;
    struct asnap_thread *thread = &list->threads[list->count - 1];
    thread->stack_pointer = word_at(bytes, X86_64_SP * 8);
    thread->thread_pointer = word_at(bytes, X86_64_FS_BASE * 8);
    struct asnap_error *error = NULL;
    for (unsigned i = 0; error == NULL && i < X86_64_REGISTERS; i++) {
        uint64_t value = word_at(bytes, i * 8);
        if (x86_64_names[i][0] != '\0' && value >= LEAST_SIZE)
            error = add_word(list, value, x86_64_names[i], 0);
    }
    return error;
}

static struct asnap_error *add_aarch64(struct asnap_thread_list *list, const uint8_t *bytes,
                                       size_t size)
{
    if (size < AARCH64_REGISTERS * 8)
        return NULL;
    struct asnap_thread *thread = &list->threads[list->count - 1];
    thread->stack_pointer = word_at(bytes, AARCH64_SP * 8);
    struct asnap_error *error = NULL;
    for (unsigned i = 0; error == NULL && i < AARCH64_REGISTERS; i++) {
        const char *name = i == AARCH64_SP ? "sp" : i == AARCH64_SP + 1 ? "pc" : NULL;
        uint64_t value = word_at(bytes, i * 8);
        if (value >= LEAST_SIZE)
            error = add_word(list, value, name, i);
    }
    return error;
}

struct asnap_error *asnap_thread_list_general(struct asnap_thread_list *list, uint16_t machine,
                                              const uint8_t *bytes, size_t size)
{
    if (machine == EM_X86_64)
        return add_x86_64(list, bytes, size);
    return machine == EM_AARCH64 ? add_aarch64(list, bytes, size) : NULL;
}

static const struct part *parts_of(const uint8_t *bytes, size_t size)
{
    bool has_avx512 = size >= XCR0_AT + 8 && (word_at(bytes, XCR0_AT) & XCR0_AVX512) != 0;
    return has_avx512 && size <= AMD_BYTES_MOST ? amd_parts : intel_parts;
}

static void name_vector(const struct part *parts, size_t at, char *name, size_t room)
{
    for (const struct part *part = parts; part->format != NULL; part++) {
        if (at < part->at || at >= part->end)
            continue;
        unsigned number = part->first + (unsigned)((at - part->at) / part->bytes);
        snprintf(name, room, part->format, number); // NOLINT: one of the table
        return;
    }
    snprintf(name, room, "vector");
}

struct asnap_error *asnap_thread_list_vectors(struct asnap_thread_list *list, uint16_t machine,
                                              const uint8_t *bytes, size_t size)
{
    struct asnap_error *error = NULL;
    const struct part *parts = parts_of(bytes, size);
    list->threads[list->count - 1].vectors_unknown = false;
    for (size_t at = 0; error == NULL && at + 8 <= size; at += 8) {
        char name[sizeof(list->registers->name)] = "vector";
        if (machine == EM_X86_64)
            name_vector(parts, at, name, sizeof(name));
        else if (machine == EM_AARCH64)
            snprintf(name, sizeof(name), "v%u", (unsigned)(at / 16) % 100);
        if (word_at(bytes, at) >= LOWEST)
            error = add_word(list, word_at(bytes, at), name, 0);
    }
    return error;
}

void asnap_thread_list_storage(struct asnap_thread_list *list, uint64_t pointer)
{
    list->threads[list->count - 1].thread_pointer = pointer;
}

void asnap_thread_list_deinit(struct asnap_thread_list *list)
{
    free(list->threads);
    free(list->registers);
}
