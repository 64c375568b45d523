#include "thread_list.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "grow.h"

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

/* Adds a word of the last thread, where it can be an address. */
static struct asnap_error *add_word(struct asnap_thread_list *list, uint64_t value,
                                    const char *format, unsigned number)
{
    if (value < LOWEST)
        return NULL;
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
        if (x86_64_names[i][0] != '\0')
            error = add_word(list, word_at(bytes, i * 8), x86_64_names[i], 0);
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
        error = add_word(list, word_at(bytes, i * 8), name, i);
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

struct asnap_error *asnap_thread_list_vectors(struct asnap_thread_list *list, uint16_t machine,
                                              const uint8_t *bytes, size_t size)
{
    struct asnap_error *error = NULL;
    list->threads[list->count - 1].vectors_unknown = false;
    for (size_t at = 0; error == NULL && at + 8 <= size; at += 8) {
        char name[sizeof(list->registers->name)] = "vector";
        if (machine == EM_X86_64 && at >= XMM_AT && at < XMM_END)
            snprintf(name, sizeof(name), "xmm%u", (unsigned)(at - XMM_AT) / 16);
        else if (machine == EM_AARCH64)
            snprintf(name, sizeof(name), "v%u", (unsigned)(at / 16) % 100);
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
