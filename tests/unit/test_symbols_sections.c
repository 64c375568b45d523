/* What is noticed of debug sections before libdwarf gets them. */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "debug_sections.h"
#include "test_symbols_process.h"
#include "unit.h"

/* A copy of this program, and where its section headers are. */
struct copy {
    int fd;
    char path[64];
    unsigned char *bytes;
    size_t size;
    Elf64_Shdr *headers;
    const char *names;
    size_t count;
};

static void copy_init(struct copy *copy)
{
    FILE *file = fopen(own_path(), "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    struct stat status;
    CU_ASSERT_EQUAL_FATAL(fstat(fileno(file), &status), 0);
    copy->size = (size_t)status.st_size;
    copy->bytes = malloc(copy->size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy->bytes);
    CU_ASSERT_EQUAL_FATAL(fread(copy->bytes, 1, copy->size, file), copy->size);
    fclose(file);
    copy->fd = memfd_create("sections", MFD_CLOEXEC);
    snprintf(copy->path, sizeof(copy->path), "/proc/self/fd/%d", copy->fd);
    const Elf64_Ehdr *header = (const void *)copy->bytes;
    copy->headers = (void *)(copy->bytes + header->e_shoff);
    copy->count = header->e_shnum;
    copy->names = (const char *)copy->bytes + copy->headers[header->e_shstrndx].sh_offset;
}

static void copy_deinit(struct copy *copy)
{
    close(copy->fd);
    free(copy->bytes);
}

static Elf64_Shdr *section_of(struct copy *copy, const char *name)
{
    for (size_t i = 0; i < copy->count; i++) {
        if (strcmp(copy->names + copy->headers[i].sh_name, name) == 0)
            return &copy->headers[i];
    }
    CU_FAIL_FATAL("this program has no such section");
    return NULL;
}

/* What is said of the copy as it is now: `expected`, or NULL. */
static void expect(struct copy *copy, const char *expected)
{
    for (size_t done = 0; done < copy->size;) {
        ssize_t put = pwrite(copy->fd, copy->bytes + done, copy->size - done, (off_t)done);
        CU_ASSERT_FATAL(put > 0);
        done += (size_t)put;
    }
    struct asnap_elf *elf;
    ASNAP_ASSERT_OK(asnap_elf_open(copy->path, &elf));
    const char *found = asnap_debug_sections_unsound(elf);
    CU_ASSERT_EQUAL(found == NULL, expected == NULL);
    if (found != NULL && expected != NULL)
        CU_ASSERT_STRING_EQUAL(found, expected);
    asnap_elf_close(elf);
}

ASNAP_TEST(symbols_sections, sound_and_unsound)
{
    struct copy copy;
    copy_init(&copy);
    expect(&copy, NULL);
    Elf64_Shdr *section = section_of(&copy, ".debug_line");
    const Elf64_Shdr original = *section;
    section->sh_type = SHT_RELA;
    expect(&copy, "type of a section");
    *section = original;
    section->sh_name = section_of(&copy, ".debug_info")->sh_name;
    expect(&copy, "two sections of one name");
    *section = original;
    section->sh_size = copy.size;
    expect(&copy, "section behind the end");
    *section = original;
    section->sh_offset = UINT64_MAX;
    expect(&copy, "section behind the end");
    *section = original;
    section->sh_name = UINT32_MAX;
    expect(&copy, "names of sections");
    *section = original;
    expect(&copy, NULL);
    section->sh_type = SHT_NOBITS;
    expect(&copy, NULL);
    *section = original;
    /* libdwarf reads these lists as soon as it reads anything. */
    section = section_of(&copy, ".debug_rnglists");
    section->sh_type = SHT_NOBITS;
    expect(&copy, "section without contents");
    section->sh_size = 0;
    expect(&copy, NULL);
    copy_deinit(&copy);
}

/* Of zlib, and of zstd, whose number not every elf.h has. */
static void check_compressed(uint32_t type)
{
    struct copy copy;
    copy_init(&copy);
    Elf64_Shdr *section = section_of(&copy, ".debug_line");
    section->sh_flags |= SHF_COMPRESSED;
    /* Its place may not suit a header. */
    Elf64_Chdr header = {.ch_type = type, .ch_size = 1100, .ch_addralign = 1};
    section->sh_offset = (section->sh_offset + 7) / 8 * 8;
    section->sh_size = sizeof(header) + 8;
    section->sh_addralign = 8;
    unsigned char *at = copy.bytes + section->sh_offset;
    memcpy(at, &header, sizeof(header));
    expect(&copy, NULL);
    header.ch_size = UINT64_C(1) << 40;
    memcpy(at, &header, sizeof(header));
    expect(&copy, "size of a compressed section");
    header.ch_type = 77;
    memcpy(at, &header, sizeof(header));
    expect(&copy, "sections compressed in a way that is not known");
    section->sh_size = 3;
    expect(&copy, "header of a compressed section");
    copy_deinit(&copy);
}

ASNAP_TEST(symbols_sections, compressed_ones)
{
    check_compressed(ELFCOMPRESS_ZLIB);
    check_compressed(2);
}
