/* Files in the hooks' own memory, by their program headers alone. */
#include <elf.h>
#include <string.h>

#include "elf_image.h"
#include "unit.h"

#define BIAS UINT64_C(0x500000000)

/* The first page of a file. */
union page {
    struct {
        Elf64_Ehdr file;
        Elf64_Phdr headers[8];
    };
    unsigned char bytes[4096];
};

static void add(union page *page, uint32_t type, uint32_t flags, uint64_t offset, uint64_t address,
                uint64_t bytes, uint64_t memory_bytes)
{
    page->headers[page->file.e_phnum++] = (Elf64_Phdr){
        .p_type = type,
        .p_flags = flags,
        .p_offset = offset,
        .p_vaddr = address,
        .p_filesz = bytes,
        .p_memsz = memory_bytes,
    };
}

/* As lld lays out a small library, with its first address at `base`: all in one page. */
static void make_page(union page *page, uint64_t base)
{
    memset(page, 0, sizeof(*page));
    memcpy(page->file.e_ident, ELFMAG, SELFMAG);
    page->file.e_ident[EI_CLASS] = ELFCLASS64;
    page->file.e_phoff = sizeof(Elf64_Ehdr);
    page->file.e_phentsize = sizeof(Elf64_Phdr);
    add(page, PT_LOAD, PF_R, 0, base, 0x634, 0x634);
    add(page, PT_LOAD, PF_R | PF_X, 0x640, base + 0x1640, 0x170, 0x170);
    add(page, PT_LOAD, PF_R | PF_W, 0x7b0, base + 0x27b0, 0x1b8, 0x1b8);
    add(page, PT_LOAD, PF_R | PF_W, 0x968, base + 0x3968, 0x40, 0x70);
    add(page, PT_GNU_EH_FRAME, PF_R, 0x5a0, base + 0x5a0, 0x24, 0x24);
}

static uint64_t address_of(const void *place)
{
    return (uint64_t)(uintptr_t)place;
}

ASNAP_TEST(elf_image, begins_where_the_code_says)
{
    static _Alignas(4096) union page page;
    for (uint64_t base = 0; base <= 0x3000000; base += 0x3000000) {
        make_page(&page, base);
        uint64_t start = BIAS + base;
        struct asnap_elf_image image;
        for (uint64_t offset = 0x640; offset < 0x7b0; offset += 0x16f) {
            CU_ASSERT_TRUE(asnap_elf_image_read_around(address_of(&page), start + 0x1000 + offset,
                                                       offset, &image));
            CU_ASSERT_EQUAL(image.start, start);
            CU_ASSERT_EQUAL(image.end, start + 0x39d8);
            CU_ASSERT_FALSE(image.has_gaps);
            CU_ASSERT_EQUAL(address_of(image.unwind_table.at), start + 0x5a0);
            CU_ASSERT_EQUAL(address_of(image.unwind_table.end), start + 0x5c4);
            CU_ASSERT_EQUAL(address_of(image.unwind_readable.at), start);
            CU_ASSERT_EQUAL(address_of(image.unwind_readable.end), start + 0x634);
        }
        /* Data tells as well; what is in no segment does not. */
        CU_ASSERT_TRUE(
            asnap_elf_image_read_around(address_of(&page), start + 0x3968, 0x968, &image));
        CU_ASSERT_EQUAL(image.start, start);
        CU_ASSERT_FALSE(asnap_elf_image_read_around(address_of(&page), start, 0x63a, &image));
        CU_ASSERT_FALSE(asnap_elf_image_read_around(address_of(&page), start, 0x9a8, &image));
    }
}

ASNAP_TEST(elf_image, begins_at_its_first_page)
{
    static _Alignas(4096) union page page;
    struct asnap_elf_image image;
    make_page(&page, 0);
    CU_ASSERT_TRUE(asnap_elf_image_read(address_of(&page), &image));
    CU_ASSERT_EQUAL(image.start, address_of(&page));
    CU_ASSERT_EQUAL(image.end, address_of(&page) + 0x39d8);
    /* The lowest segment is not that with the file's beginning. */
    page.headers[1].p_vaddr = 0x1640;
    page.headers[0].p_vaddr = 0x10000;
    page.headers[1].p_offset = 0x1640;
    CU_ASSERT_FALSE(asnap_elf_image_read(address_of(&page), &image));
    CU_ASSERT_TRUE(asnap_elf_image_read_around(address_of(&page), BIAS + 0x10010, 0x10, &image));
    CU_ASSERT_EQUAL(image.start, BIAS + 0x1000);
}

ASNAP_TEST(elf_image, has_gaps)
{
    static _Alignas(4096) union page page;
    struct asnap_elf_image image;
    make_page(&page, 0);
    page.headers[2].p_vaddr = 0x2027b0;
    page.headers[3].p_vaddr = 0x203968;
    CU_ASSERT_TRUE(asnap_elf_image_read(address_of(&page), &image));
    CU_ASSERT_TRUE(image.has_gaps);
    CU_ASSERT_EQUAL(image.end, address_of(&page) + 0x2039d8);
    const struct {
        uint64_t address;
        bool is_held;
    } cases[] = {{0, true},        {0x633, true},     {0x1000, true},     {0x17af, true},
                 {0x17b0, false},  {0x100000, false}, {0x201fff, false},  {0x202000, true},
                 {0x2039d7, true}, {0x2039d8, false}, {UINT64_MAX, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        CU_ASSERT_EQUAL(
            asnap_elf_image_holds(address_of(&page), address_of(&page) + cases[i].address),
            cases[i].is_held);
}

ASNAP_TEST(elf_image, is_none)
{
    static _Alignas(4096) union page page;
    struct asnap_elf_image image;
    make_page(&page, 0);
    page.file.e_phoff = 4096 - sizeof(Elf64_Phdr) + 1;
    CU_ASSERT_FALSE(asnap_elf_image_read(address_of(&page), &image));
    make_page(&page, 0);
    page.file.e_phnum = 80;
    CU_ASSERT_FALSE(asnap_elf_image_read(address_of(&page), &image));
    make_page(&page, 0);
    page.file.e_ident[0] = 'e';
    CU_ASSERT_FALSE(asnap_elf_image_read_around(address_of(&page), BIAS + 0x1640, 0x640, &image));
    make_page(&page, 0);
    page.file.e_phnum = 0;
    CU_ASSERT_FALSE(asnap_elf_image_read(address_of(&page), &image));
    CU_ASSERT_FALSE(asnap_elf_image_holds(address_of(&page), address_of(&page)));
}
