#include "data_end.h"

#include <stdbool.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { PIECE = 65536 };

/* Where the stack pointer is in NT_PRSTATUS (struct elf_prstatus: pr_reg begins at 112; the
 * registers are those of struct user_regs_struct). */
enum { SP_X86_64 = 112 + 8 * 19, SP_AARCH64 = 112 + 8 * 31 };

void asnap_core_stacks_add(struct asnap_core_stacks *stacks, uint16_t machine, const void *note,
                           size_t size)
{
    size_t at = machine == EM_X86_64 ? SP_X86_64 : machine == EM_AARCH64 ? SP_AARCH64 : size;
    uint64_t pointer;
    if (size < sizeof(pointer) || at > size - sizeof(pointer) || stacks->count == ASNAP_STACKS_MOST)
        return;
    memcpy(&pointer, (const char *)note + at, sizeof(pointer));
    stacks->pointers[stacks->count++] = pointer;
}

/* How many bytes remain of `count` without the zeros at their end. */
static size_t without_zeros(const unsigned char *bytes, size_t count)
{
    static const unsigned char zeros[4096];
    while (count >= sizeof(zeros) &&
           memcmp(bytes + count - sizeof(zeros), zeros, sizeof(zeros)) == 0)
        count -= sizeof(zeros);
    while (count > 0 && bytes[count - 1] == 0)
        count--;
    return count;
}

static bool read_whole(int file, unsigned char *bytes, size_t count, uint64_t offset)
{
    size_t done = 0;
    while (done < count) {
        ssize_t got = pread(file, bytes + done, count - done, (off_t)(offset + done));
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

/* Where the zeros begin that a file ends in. */
static uint64_t find_zeros(int file, uint64_t size)
{
    unsigned char bytes[PIECE];
    uint64_t end = size;
    while (end > 0 && size - end < ASNAP_ZEROS_MOST) {
        size_t count = end < PIECE ? (size_t)end : PIECE;
        if (!read_whole(file, bytes, count, end - count))
            break;
        size_t left = without_zeros(bytes, count);
        end -= count - left;
        if (left != 0)
            break;
    }
    return end;
}

/* Whether a thread's stack pointer is in this segment, the file's bytes there in its zeros. */
static bool is_zero_stack(const Elf64_Phdr *header, uint64_t pointer, uint64_t zeros)
{
    return header->p_type == PT_LOAD && pointer - header->p_vaddr < header->p_filesz &&
           header->p_offset + (pointer - header->p_vaddr) >= zeros;
}

uint64_t asnap_data_end(int file, uint64_t size, const Elf64_Phdr *headers, size_t count,
                        const struct asnap_core_stacks *stacks)
{
    bool zero_stack = false;
    uint64_t zeros = stacks->count == 0 ? size : find_zeros(file, size);
    for (size_t i = 0; i < count && zeros != size; i++) {
        uint64_t end = headers[i].p_offset + headers[i].p_filesz;
        if (headers[i].p_type == PT_LOAD && (end < headers[i].p_offset || end > size))
            return size;
        for (size_t j = 0; j < stacks->count; j++)
            zero_stack = zero_stack || is_zero_stack(&headers[i], stacks->pointers[j], zeros);
    }
    return zero_stack ? zeros : size;
}
