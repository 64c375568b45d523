/* Bounds of functions by unwind information: of this program, and of sections made by hand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eh_functions.h"
#include "test_symbols_process.h"
#include "unit.h"

/* Link-time, of the section .eh_frame. */
#define AT UINT64_C(0x10000)

/* An ELF file that has this unwind information, and nothing else. */
struct image {
    Elf64_Ehdr header;
    char names[32];
    Elf64_Shdr sections[3];
    unsigned char frames[512];
};

static const char section_names[] = "\0.eh_frame\0.shstrtab";

/* A section that is being written. */
struct frames {
    struct image image;
    size_t size;
};

static void frames_init(struct frames *frames)
{
    *frames = (struct frames){0};
    struct image *image = &frames->image;
    image->header = (Elf64_Ehdr){
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_DYN,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_shoff = offsetof(struct image, sections),
        .e_ehsize = sizeof(Elf64_Ehdr),
        .e_shentsize = sizeof(Elf64_Shdr),
        .e_shnum = 3,
        .e_shstrndx = 2,
    };
    memcpy(image->names, section_names, sizeof(section_names));
    image->sections[1] = (Elf64_Shdr){.sh_name = 1,
                                      .sh_type = SHT_PROGBITS,
                                      .sh_flags = SHF_ALLOC,
                                      .sh_addr = AT,
                                      .sh_offset = offsetof(struct image, frames)};
    image->sections[2] = (Elf64_Shdr){.sh_name = 11,
                                      .sh_type = SHT_STRTAB,
                                      .sh_offset = offsetof(struct image, names),
                                      .sh_size = sizeof(section_names)};
}

static void put(struct frames *frames, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        frames->image.frames[frames->size++] = (unsigned char)(value >> (8 * i));
}

/* Begins an entry; its length is put in by `end`. */
static size_t begin(struct frames *frames)
{
    size_t start = frames->size;
    put(frames, 0, 4);
    return start;
}

static void end(struct frames *frames, size_t start)
{
    size_t size = frames->size;
    frames->size = start;
    put(frames, size - start - 4, 4);
    frames->size = size;
}

/* A common information entry, `data` being its augmentation data. Returns where it is. */
static size_t common(struct frames *frames, int version, const char *augmentation, const char *data,
                     size_t size)
{
    size_t start = begin(frames);
    put(frames, 0, 4);
    put(frames, (uint64_t)version, 1);
    for (const char *letter = augmentation; *letter != '\0'; letter++)
        put(frames, (unsigned char)*letter, 1);
    put(frames, 0, 1);
    put(frames, 1, 1);    /* code alignment */
    put(frames, 0x78, 1); /* data alignment: -8 */
    put(frames, 16, 1);   /* return address */
    if (augmentation[0] == 'z')
        put(frames, size, 1);
    for (size_t i = 0; i < size; i++)
        put(frames, (unsigned char)data[i], 1);
    end(frames, start);
    return start;
}

/* A function's entry with an address of 8 bytes. */
static void function(struct frames *frames, size_t common_at, uint64_t start, uint64_t size)
{
    size_t entry = begin(frames);
    put(frames, frames->size - common_at, 4);
    put(frames, start, 8);
    put(frames, size, 8);
    end(frames, entry);
}

/* One with an address of 4 bytes, counted from where it stands. */
static void near_function(struct frames *frames, size_t common_at, uint64_t start, uint64_t size)
{
    size_t entry = begin(frames);
    put(frames, frames->size - common_at, 4);
    put(frames, start - (AT + frames->size), 4);
    put(frames, size, 4);
    put(frames, 0, 1); /* no augmentation data */
    end(frames, entry);
}

/* The starts of the functions at some addresses. */
static void expect(struct frames *frames, const uint64_t (*starts)[2], size_t count)
{
    struct asnap_elf *elf = NULL;
    struct asnap_eh_functions *functions = NULL;
    frames->image.sections[1].sh_size = frames->size;
    ASNAP_ASSERT_OK(
        asnap_elf_open_image((char *)&frames->image, sizeof(frames->image), "image", &elf));
    ASNAP_ASSERT_OK(asnap_eh_functions_create(elf, &functions));
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_EQUAL(asnap_eh_functions_start(functions, starts[i][0]), starts[i][1]);
    asnap_eh_functions_destroy(functions);
    asnap_elf_close(elf);
}

#define EXPECT(FRAMES, ...)                                                                        \
    do {                                                                                           \
        static const uint64_t starts[][2] = {__VA_ARGS__};                                         \
        expect((FRAMES), starts, sizeof(starts) / sizeof(starts[0]));                              \
    } while (0)

ASNAP_TEST(symbols_functions, each_way_of_writing_addresses)
{
    struct frames frames;
    frames_init(&frames);
    size_t plain = common(&frames, 1, "", "", 0);
    function(&frames, plain, 0x1000, 0x10);
    size_t near = common(&frames, 1, "zR", "\x1b", 1);
    near_function(&frames, near, 0x2000, 0x20);
    near_function(&frames, near, 0x1f000, 0x20);
    function(&frames, plain, 0x3000, 0x10);
    size_t all = common(&frames, 3, "zPLRS", "\x03\x01\x02\x03\x04\x1b\x1b", 7);
    near_function(&frames, all, 0x4000, 0x40);
    put(&frames, 0, 4); /* where what one file was linked of ends */
    function(&frames, plain, 0x5000, 0x10);
    EXPECT(&frames, {0x1000, 0x1000}, {0x100f, 0x1000}, {0x1010, 0x1010}, {0xfff, 0xfff},
           {0x2000, 0x2000}, {0x201f, 0x2000}, {0x2020, 0x2020}, {0x1f01f, 0x1f000},
           {0x3008, 0x3000}, {0x4020, 0x4000}, {0x5001, 0x5000}, {0, 0}, {UINT64_MAX, UINT64_MAX});
}

ASNAP_TEST(symbols_functions, what_is_damaged_is_left_out)
{
    struct frames frames;
    frames_init(&frames);
    size_t plain = common(&frames, 1, "", "", 0);
    function(&frames, plain, 0x1000, 0x10);
    function(&frames, plain, 0xfffffffffffffff0, 0x20);                   /* its end is too large */
    function(&frames, plain, 0x2000, 0);                                  /* it has no bytes */
    function(&frames, frames.size + 4, 0x3000, 0x10);                     /* it leads to itself */
    function(&frames, (size_t)-4096, 0x3100, 0x10);                       /* out of the section */
    function(&frames, plain + 8, 0x3200, 0x10);                           /* into an entry */
    function(&frames, common(&frames, 9, "", "", 0), 0x3300, 0x10);       /* a version to come */
    function(&frames, common(&frames, 1, "eh", "", 0), 0x3400, 0x10);     /* of gcc 2 */
    function(&frames, common(&frames, 1, "zQ", "", 0), 0x3500, 0x10);     /* an unknown letter */
    function(&frames, common(&frames, 1, "zR", "\x9b", 1), 0x3600, 0x10); /* indirect */
    function(&frames, common(&frames, 1, "zR", "\x0f", 1), 0x3700, 0x10); /* no format */
    function(&frames, plain, 0x4000, 0x10);
    size_t size = frames.size;
    function(&frames, plain, 0x5000, 0x10);
    frames.size = size + 12; /* it is cut off */
    EXPECT(&frames, {0x1008, 0x1000}, {0x4008, 0x4000}, {0x2000, 0x2000}, {0x3008, 0x3008},
           {0x3108, 0x3108}, {0x3208, 0x3208}, {0x3308, 0x3308}, {0x3408, 0x3408}, {0x3508, 0x3508},
           {0x3608, 0x3608}, {0x3708, 0x3708}, {0x5008, 0x5008},
           {0xfffffffffffffff8, 0xfffffffffffffff8});
}

/* A common entry that goes on for ever is read as often as others lead to it, but not far. */
ASNAP_TEST(symbols_functions, an_endless_name_is_left_out)
{
    struct frames frames;
    frames_init(&frames);
    size_t start = begin(&frames);
    put(&frames, 0, 4);
    put(&frames, 1, 1);
    for (size_t i = 0; i < 300; i++)
        put(&frames, 'x', 1);
    put(&frames, 0, 1);
    end(&frames, start);
    function(&frames, start, 0x1000, 0x10);
    EXPECT(&frames, {0x1008, 0x1008});
}

ASNAP_TEST(symbols_functions, nothing_to_read)
{
    struct frames frames;
    frames_init(&frames);
    EXPECT(&frames, {0x1008, 0x1008});
    frames.image.sections[1].sh_name = 0;
    EXPECT(&frames, {0x1008, 0x1008});
}

/* Those of this program begin where its symbols say. */
ASNAP_TEST(symbols_functions, of_this_program)
{
    struct asnap_elf *elf = NULL;
    struct asnap_eh_functions *functions = NULL;
    size_t count = 0;
    ASNAP_ASSERT_OK(asnap_elf_open(own_path(), &elf));
    ASNAP_ASSERT_OK(asnap_eh_functions_create(elf, &functions));
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf->elf, section)) != NULL;) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) == NULL || header.sh_type != SHT_SYMTAB)
            continue;
        GElf_Sym symbol;
        Elf_Data *data = elf_getdata(section, NULL);
        for (int i = 0; gelf_getsym(data, i, &symbol) != NULL; i++) {
            if (GELF_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_size == 0)
                continue;
            count++;
            CU_ASSERT_EQUAL(asnap_eh_functions_start(functions, symbol.st_value), symbol.st_value);
            CU_ASSERT_EQUAL(
                asnap_eh_functions_start(functions, symbol.st_value + symbol.st_size - 1),
                symbol.st_value);
        }
    }
    CU_ASSERT(count > 500);
    asnap_eh_functions_destroy(functions);
    asnap_elf_close(elf);
}

static struct asnap_error *create(void *context)
{
    struct asnap_eh_functions *functions = NULL;
    struct asnap_error *error = asnap_eh_functions_create(context, &functions);
    asnap_eh_functions_destroy(functions);
    return error;
}

ASNAP_TEST(symbols_functions, survive_every_failed_allocation)
{
    struct asnap_elf *elf = NULL;
    ASNAP_ASSERT_OK(asnap_elf_open(own_path(), &elf));
    CU_ASSERT(asnap_unit_sweep(create, elf) > 3);
    asnap_elf_close(elf);
}
