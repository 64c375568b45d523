#include "made_elf.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SECTIONS_MAX = 40, NAME_BYTES = 1024 };

static void put(const struct made_elf *made, uint64_t offset, const void *bytes, size_t size)
{
    CU_ASSERT_FATAL(pwrite(made->fd, bytes, size, (off_t)offset) == (ssize_t)size);
}

void made_elf_init(struct made_elf *made, const struct made_section *sections, size_t count)
{
    Elf64_Shdr headers[SECTIONS_MAX] = {{0}};
    char names[NAME_BYTES] = "";
    size_t name_size = 1;
    uint64_t end = 4096;
    CU_ASSERT_FATAL(count + 2 <= SECTIONS_MAX);
    made->fd = memfd_create("made", MFD_CLOEXEC);
    CU_ASSERT_FATAL(made->fd >= 0);
    snprintf(made->path, sizeof(made->path), "/proc/self/fd/%d", made->fd);
    for (size_t i = 0; i <= count; i++) {
        static const struct made_section last = {.name = ".shstrtab", .type = SHT_STRTAB};
        const struct made_section *section = i < count ? &sections[i] : &last;
        headers[i + 1] = (Elf64_Shdr){
            .sh_name = (Elf64_Word)name_size,
            .sh_type = section->type,
            .sh_flags = section->flags,
            .sh_addr = section->address,
            .sh_offset = end,
            .sh_size = section->hole != 0 ? section->hole : section->size,
            .sh_link = section->link,
            .sh_addralign = 1,
            .sh_entsize = section->entry_size,
        };
        CU_ASSERT_FATAL(name_size + strlen(section->name) < sizeof(names));
        strcpy(names + name_size, section->name);
        name_size += strlen(section->name) + 1;
        if (i == count)
            headers[i + 1].sh_size = name_size;
        if (section->size > 0)
            put(made, end, section->bytes, section->size);
        end += (headers[i + 1].sh_size + 4095) / 4096 * 4096;
    }
    put(made, headers[count + 1].sh_offset, names, name_size);
    const Elf64_Ehdr header = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
                    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB,
                    EV_CURRENT},
        .e_type = ET_DYN,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_phoff = sizeof(header),
        .e_shoff = end,
        .e_ehsize = sizeof(header),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = 1,
        .e_shentsize = sizeof(Elf64_Shdr),
        .e_shnum = (Elf64_Half)(count + 2),
        .e_shstrndx = (Elf64_Half)(count + 1),
    };
    const Elf64_Phdr code = {.p_type = PT_LOAD,
                             .p_flags = PF_R | PF_X,
                             .p_offset = 0,
                             .p_vaddr = 0x1000,
                             .p_filesz = 1 << 24,
                             .p_memsz = 1 << 24};
    put(made, 0, &header, sizeof(header));
    put(made, sizeof(header), &code, sizeof(code));
    put(made, end, headers, (count + 2) * sizeof(headers[0]));
}

void made_elf_deinit(struct made_elf *made)
{
    close(made->fd);
}
