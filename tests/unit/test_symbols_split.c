/* A file of split debug information with sections for type units, as gcc writes it. */
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "split_types.h"
#include "unit.h"

enum {
    NOTHING,
    FIRST_TYPE,
    SECOND_TYPE,
    PROGRAM,
    OLD_TYPE,
    OTHER_OLD_TYPE,
    NAMES,
    SECTION_COUNT,
};

static const char names[] = "\0.debug_info.dwo\0.debug_types.dwo\0.shstrtab";
#define NAME_INFO 1
#define NAME_TYPES 17
#define NAME_NAMES 34

/* DWARF 5, section 7.5.1: length, version, kind of unit. */
struct unit_head {
    uint32_t length;
    uint16_t version;
    uint8_t kind;
    uint8_t rest;
};

#define KIND_COMPILE 5
#define KIND_TYPE 6

struct image {
    Elf64_Ehdr header;
    Elf64_Shdr sections[SECTION_COUNT];
    struct unit_head units[NAMES];
    char names[sizeof(names)];
};

static void add_unit(struct image *image, size_t place, unsigned name, uint8_t kind)
{
    image->units[place] = (struct unit_head){.length = 4, .version = 5, .kind = kind};
    image->sections[place] = (Elf64_Shdr){
        .sh_name = name,
        .sh_type = SHT_PROGBITS,
        .sh_offset = offsetof(struct image, units) + place * sizeof(struct unit_head),
        .sh_size = sizeof(struct unit_head),
        .sh_addralign = 1,
    };
}

static void image_init(struct image *image)
{
    memset(image, 0, sizeof(*image));
    Elf64_Ehdr *header = &image->header;
    memcpy(header->e_ident, ELFMAG, SELFMAG);
    header->e_ident[EI_CLASS] = ELFCLASS64;
    header->e_ident[EI_DATA] = ELFDATA2LSB;
    header->e_ident[EI_VERSION] = EV_CURRENT;
    header->e_type = ET_REL;
    header->e_machine = EM_X86_64;
    header->e_version = EV_CURRENT;
    header->e_ehsize = sizeof(*header);
    header->e_shentsize = sizeof(Elf64_Shdr);
    header->e_shoff = offsetof(struct image, sections);
    header->e_shnum = SECTION_COUNT;
    header->e_shstrndx = NAMES;
    add_unit(image, FIRST_TYPE, NAME_INFO, KIND_TYPE);
    add_unit(image, SECOND_TYPE, NAME_INFO, KIND_TYPE);
    add_unit(image, PROGRAM, NAME_INFO, KIND_COMPILE);
    add_unit(image, OLD_TYPE, NAME_TYPES, 0);
    add_unit(image, OTHER_OLD_TYPE, NAME_TYPES, 0);
    image->sections[NAMES] = (Elf64_Shdr){
        .sh_name = NAME_NAMES,
        .sh_type = SHT_STRTAB,
        .sh_offset = offsetof(struct image, names),
        .sh_size = sizeof(names),
        .sh_addralign = 1,
    };
    memcpy(image->names, names, sizeof(names));
}

static struct asnap_elf *opened(const struct image *image)
{
    int fd = memfd_create("split", MFD_CLOEXEC);
    CU_ASSERT_EQUAL_FATAL(write(fd, image, sizeof(*image)), (ssize_t)sizeof(*image));
    struct asnap_elf *elf;
    ASNAP_ASSERT_OK(asnap_elf_open_object(fd, "split.dwo", &elf));
    return elf;
}

/* Which sections of units there are still, one bit for each. */
static unsigned kept(const struct asnap_elf *elf)
{
    unsigned found = 0;
    for (size_t i = FIRST_TYPE; i < NAMES; i++) {
        GElf_Shdr header;
        CU_ASSERT_PTR_NOT_NULL_FATAL(gelf_getshdr(elf_getscn(elf->elf, i), &header));
        if (header.sh_type != SHT_NULL)
            found |= 1U << i;
    }
    return found;
}

/* What is left of an image. */
static unsigned kept_of(const struct image *image)
{
    struct asnap_elf *elf = opened(image);
    ASNAP_ASSERT_OK(asnap_split_types_drop(&elf));
    CU_ASSERT_STRING_EQUAL(elf->path, "split.dwo");
    unsigned found = kept(elf);
    asnap_elf_close(elf);
    return found;
}

ASNAP_TEST(symbols_split, drops_type_units)
{
    struct image image;
    image_init(&image);
    CU_ASSERT_EQUAL(kept_of(&image), 1U << PROGRAM);
}

ASNAP_TEST(symbols_split, leaves_what_is_alone)
{
    struct image image;
    image_init(&image);
    image.sections[FIRST_TYPE].sh_type = SHT_NOBITS;
    image.sections[SECOND_TYPE].sh_type = SHT_NOBITS;
    image.sections[OLD_TYPE].sh_type = SHT_NOBITS;
    unsigned all = (1U << NAMES) - (1U << FIRST_TYPE);
    CU_ASSERT_EQUAL(kept_of(&image), all);
}

ASNAP_TEST(symbols_split, keeps_units_that_make_no_sense)
{
    struct image image;
    image_init(&image);
    image.units[FIRST_TYPE].length = 5;
    image.units[SECOND_TYPE].version = 4;
    image.sections[PROGRAM].sh_size = 6;
    CU_ASSERT_EQUAL(kept_of(&image), 1U << FIRST_TYPE | 1U << SECOND_TYPE | 1U << PROGRAM);
}

static struct asnap_error *drop(void *context)
{
    struct asnap_elf *elf = NULL;
    int fd = dup(*(int *)context);
    struct asnap_error *error = asnap_elf_open_object(fd, "split.dwo", &elf);
    if (error == NULL)
        error = asnap_split_types_drop(&elf);
    asnap_elf_close(elf);
    return error;
}

ASNAP_TEST(symbols_split, without_memory)
{
    struct image image;
    image_init(&image);
    int fd = memfd_create("split", MFD_CLOEXEC);
    CU_ASSERT_EQUAL_FATAL(write(fd, &image, sizeof(image)), (ssize_t)sizeof(image));
    CU_ASSERT_EQUAL(asnap_unit_sweep(drop, &fd), 4);
    close(fd);
}
