#include "core_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void core_init(struct core *core, size_t headers_max)
{
    core->fd = memfd_create("core", MFD_CLOEXEC);
    CU_ASSERT_FATAL(core->fd >= 0);
    snprintf(core->path, sizeof(core->path), "/proc/self/fd/%d", core->fd);
    core->headers = calloc(headers_max, sizeof(*core->headers));
    CU_ASSERT_PTR_NOT_NULL_FATAL(core->headers);
    core->count = 0;
    core->end = (sizeof(Elf64_Ehdr) + headers_max * sizeof(Elf64_Phdr) + PAGE) / PAGE * PAGE;
}

void core_put(const struct core *core, uint64_t offset, const void *bytes, size_t size)
{
    CU_ASSERT_FATAL(pwrite(core->fd, bytes, size, (off_t)offset) == (ssize_t)size);
}

uint64_t core_append(struct core *core, const void *bytes, size_t size)
{
    uint64_t offset = core->end;
    core_put(core, offset, bytes, size);
    core->end += (size + PAGE - 1) / PAGE * PAGE;
    CU_ASSERT_EQUAL_FATAL(ftruncate(core->fd, (off_t)core->end), 0);
    return offset;
}

void core_add(struct core *core, uint32_t type, uint64_t address, uint64_t offset, uint64_t size)
{
    core->headers[core->count++] = (Elf64_Phdr){.p_type = type,
                                                .p_flags = PF_R | PF_W,
                                                .p_vaddr = address,
                                                .p_offset = offset,
                                                .p_filesz = size,
                                                .p_memsz = size};
}

Elf64_Ehdr core_header(size_t count)
{
    return (Elf64_Ehdr){
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
                    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB,
                    EV_CURRENT},
        .e_type = ET_CORE,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_phoff = sizeof(Elf64_Ehdr),
        .e_ehsize = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = (Elf64_Half)count,
    };
}

struct asnap_error *core_read(struct core *core, struct asnap_core_map **map)
{
    Elf64_Ehdr header = core_header(core->count);
    core_put(core, 0, &header, sizeof(header));
    core_put(core, sizeof(header), core->headers, core->count * sizeof(*core->headers));
    return asnap_core_map_create(core->path, map);
}

void core_deinit(struct core *core)
{
    close(core->fd);
    free(core->headers);
}

void notes_add(struct notes *notes, const char *owner, uint32_t type, const void *contents,
               size_t size)
{
    Elf64_Nhdr header = {
        .n_namesz = (uint32_t)strlen(owner) + 1, .n_descsz = (uint32_t)size, .n_type = type};
    size_t name_size = (header.n_namesz + 3) / 4 * 4;
    size_t padded = (size + 3) / 4 * 4;
    notes->bytes = realloc(notes->bytes, notes->size + sizeof(header) + name_size + padded);
    CU_ASSERT_PTR_NOT_NULL_FATAL(notes->bytes);
    char *at = notes->bytes + notes->size;
    memset(at, 0, sizeof(header) + name_size + padded);
    memcpy(at, &header, sizeof(header));
    memcpy(at + sizeof(header), owner, header.n_namesz);
    memcpy(at + sizeof(header) + name_size, contents, size);
    notes->size += sizeof(header) + name_size + padded;
}

void notes_append(struct core *core, struct notes *notes)
{
    uint64_t offset = core_append(core, notes->bytes, notes->size);
    core_add(core, PT_NOTE, 0, offset, notes->size);
    free(notes->bytes);
    *notes = (struct notes){0};
}
