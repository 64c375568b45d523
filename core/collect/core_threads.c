/* The threads of a core file: the notes NT_PRSTATUS (struct elf_prstatus), NT_PRFPREG,
 * NT_X86_XSTATE and NT_ARM_TLS as the kernel and gdb write them. Those of a thread follow its
 * NT_PRSTATUS. */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core_map.h"
#include "core_notes.h"
#include "error.h"
#include "thread_list.h"

/* Of struct elf_prstatus. */
enum { PID_AT = 32, REGISTERS_AT = 112 };

struct asnap_core_threads {
    struct asnap_thread_list list;
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

static struct asnap_error *add_thread(struct reading *reading, size_t size)
{
    struct asnap_thread_list *list = &reading->threads->list;
    if (size < REGISTERS_AT)
        return NULL;
    uint32_t number;
    memcpy(&number, reading->bytes + PID_AT, sizeof(number));
    struct asnap_error *error = asnap_thread_list_add(list, number);
    if (error == NULL)
        error = asnap_thread_list_general(list, reading->machine, reading->bytes + REGISTERS_AT,
                                          size - REGISTERS_AT);
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
    if (size > ASNAP_VECTORS_MAX)
        size = ASNAP_VECTORS_MAX;
    if (!is_known || !read_whole(reading->file, reading->bytes, size, offset))
        return NULL;
    if (type == NT_AUXV)
        find_main_stack(reading, size);
    if (type == NT_PRSTATUS)
        return add_thread(reading, size);
    struct asnap_thread_list *list = &reading->threads->list;
    if (list->count == 0)
        return NULL;
    if (type == NT_ARM_TLS && size >= 8)
        asnap_thread_list_storage(list, word_at(reading->bytes, 0));
    if (type != NT_PRFPREG && type != NT_X86_XSTATE)
        return NULL;
    return asnap_thread_list_vectors(list, reading->machine, reading->bytes, size);
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
                              .bytes = malloc(ASNAP_VECTORS_MAX)};
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
    *count = threads->list.count;
    return threads->list.threads;
}

const struct asnap_register *asnap_core_threads_registers(const struct asnap_core_threads *threads,
                                                          size_t *count)
{
    *count = threads->list.register_count;
    return threads->list.registers;
}

uint64_t asnap_core_threads_main_stack(const struct asnap_core_threads *threads)
{
    return threads->main_stack;
}

void asnap_core_threads_destroy(struct asnap_core_threads *threads)
{
    if (threads == NULL)
        return;
    asnap_thread_list_deinit(&threads->list);
    free(threads);
}
