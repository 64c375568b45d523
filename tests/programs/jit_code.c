/* Runs code as a compiler at run time does: from anonymous memory, made known to the debugger
 * by gdb's JIT interface. The argument is an ELF program, linked to where its code goes, that
 * begins with a function of the type below. */
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef void *function(void *(*allocate)(size_t));

/* gdb's manual, "JIT Compilation Interface". */
struct jit_code_entry {
    struct jit_code_entry *next;
    struct jit_code_entry *previous;
    const char *file;
    uint64_t file_bytes;
};

struct {
    uint32_t version;
    uint32_t action;
    struct jit_code_entry *relevant;
    struct jit_code_entry *first;
} __jit_debug_descriptor = {.version = 1};

__attribute__((noinline)) void __jit_debug_register_code(void)
{
    __asm__ volatile("");
}

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static struct jit_code_entry entry;
static void *kept;

static void *load(const char *file)
{
    Elf64_Ehdr header;
    memcpy(&header, file, sizeof(header));
    for (int i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr piece;
        memcpy(&piece, file + header.e_phoff + (size_t)i * sizeof(piece), sizeof(piece));
        if (piece.p_type != PT_LOAD || (piece.p_flags & PF_X) == 0)
            continue;
        uint64_t start = piece.p_vaddr & ~(uint64_t)4095;
        void *place = mmap((void *)start, 65536, PROT_READ | PROT_WRITE | PROT_EXEC,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        if (place == MAP_FAILED)
            exit(3);
        memcpy((void *)piece.p_vaddr, file + piece.p_offset, piece.p_filesz);
        return (void *)header.e_entry;
    }
    exit(4);
}

int main(int count, char **arguments)
{
    static char file[65536];
    int fd = count == 2 ? open(arguments[1], O_RDONLY) : -1;
    ssize_t bytes = fd < 0 ? -1 : read(fd, file, sizeof(file));
    if (bytes < (ssize_t)sizeof(Elf64_Ehdr))
        return 2;
    function *code = (function *)load(file);
    entry.file = file;
    entry.file_bytes = (uint64_t)bytes;
    __jit_debug_descriptor.first = &entry;
    __jit_debug_descriptor.relevant = &entry;
    __jit_debug_descriptor.action = 1; /* JIT_REGISTER_FN */
    __jit_debug_register_code();
    kept = code(malloc);
    stop_here();
    free(kept);
    return 0;
}
