/* Core files that say more than they have, and what is read of their notes. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core_image.h"

enum { HEADERS_MAX = 70000 };

static bool is_refused(struct core *core, enum asnap_error_code code, const char *why)
{
    struct asnap_core_map *map = NULL;
    struct asnap_error *error = core_read(core, &map);
    bool right = error != NULL && asnap_error_code(error) == code &&
                 strstr(asnap_error_message(error), why) != NULL;
    asnap_error_destroy(error);
    asnap_core_map_destroy(map);
    return right;
}

static char page[4096];

/* ---- notes ---- */

/* The contents of NT_FILE: `count` files of a page each, from address 0x400000 on, downwards. */
static char *file_note(size_t count, const char *name, size_t *size)
{
    size_t name_size = strlen(name) + 1;
    *size = 16 + count * (24 + name_size);
    char *bytes = malloc(*size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    const uint64_t head[] = {count, PAGE};
    memcpy(bytes, head, sizeof(head));
    for (size_t i = 0; i < count; i++) {
        const uint64_t start = 0x400000 + (count - 1 - i) * PAGE;
        const uint64_t entry[] = {start, start + PAGE, i};
        memcpy(bytes + 16 + 24 * i, entry, sizeof(entry));
        memcpy(bytes + 16 + 24 * count + i * name_size, name, name_size);
    }
    return bytes;
}

static const struct asnap_region *region_at(const struct asnap_core_map *map, uint64_t address)
{
    const struct asnap_region *regions = asnap_core_map_regions(map);
    for (size_t i = 0; i < asnap_core_map_count(map); i++) {
        CU_ASSERT(i == 0 || regions[i - 1].start <= regions[i].start);
        if (regions[i].start == address)
            return &regions[i];
    }
    return NULL;
}

/* ---- zeros at the end ---- */

static int never(void *context, uint64_t address, void *buffer, size_t size)
{
    (void)address;
    (void)buffer;
    (void)size;
    ++*(size_t *)context;
    return ASNAP_READ_FAILED;
}

/* A core of three segments of four pages each, "1" in the first and "2" at the begin of the second,
 * the rest zeros; the third is the stack of a thread with this stack pointer. */
static void make_zero_ended(struct core *core, uint16_t machine, uint64_t stack_pointer)
{
    struct notes notes = {0};
    char thread[400] = "";
    size_t size = machine == EM_AARCH64 ? 392 : 336;
    static char pages[4 * 4096];
    core_init(core, 8);
    memcpy(thread + (machine == EM_AARCH64 ? 360 : 264), &stack_pointer, sizeof(stack_pointer));
    notes_add(&notes, "CORE", NT_PRSTATUS, thread, size);
    notes_append(core, &notes);
    memset(pages, '1', sizeof(pages));
    core_add(core, PT_LOAD, 0x100000, core_append(core, pages, sizeof(pages)), sizeof(pages));
    memset(pages, 0, sizeof(pages));
    pages[0] = '2';
    core_add(core, PT_LOAD, 0x200000, core_append(core, pages, sizeof(pages)), sizeof(pages));
    pages[0] = 0;
    core_add(core, PT_LOAD, 0x300000, core_append(core, pages, sizeof(pages)), sizeof(pages));
}

ASNAP_TEST(core_map, cut_off_and_filled_up_with_zeros)
{
    struct core core;
    struct asnap_core_map *map = NULL;
    struct asnap_direct_memory *direct = NULL;
    size_t asked = 0;
    struct asnap_memory debugger = {.read = never, .context = &asked};
    char got[8] = "";
    make_zero_ended(&core, EM_X86_64, 0x303f00);
    ASNAP_ASSERT_OK(core_read(&core, &map));
    CU_ASSERT_TRUE(asnap_core_map_filled_up(map));
    CU_ASSERT_EQUAL(asnap_core_map_missing(map), 8 * PAGE - 1);
    ASNAP_ASSERT_OK(asnap_direct_memory_of_core(map, &debugger, &direct));
    const struct asnap_memory *reader = asnap_direct_memory_reader(direct);
    CU_ASSERT_EQUAL(reader->read(reader->context, 0x103ffc, got, 4), ASNAP_READ_OK);
    CU_ASSERT_EQUAL(memcmp(got, "1111", 4), 0);
    CU_ASSERT_EQUAL(reader->read(reader->context, 0x200000, got, 1), ASNAP_READ_OK);
    CU_ASSERT_EQUAL(got[0], '2');
    /* The debugger would say that they are zeros. */
    CU_ASSERT_EQUAL(reader->read(reader->context, 0x200000, got, 2), ASNAP_READ_FAILED);
    CU_ASSERT_EQUAL(reader->read(reader->context, 0x203ff8, got, 8), ASNAP_READ_FAILED);
    CU_ASSERT_EQUAL(reader->read(reader->context, 0x300000, got, 8), ASNAP_READ_FAILED);
    CU_ASSERT_EQUAL(asked, 0);
    asnap_direct_memory_destroy(direct);
    asnap_core_map_destroy(map);
    core_deinit(&core);
}

/* Of zeros that are the program's, and of files of another length. */
ASNAP_TEST(core_map, zeros_that_belong_there)
{
    const struct {
        uint16_t machine;
        uint64_t stack_pointer;
        bool short_file;
        bool filled_up;
    } cases[] = {
        {EM_AARCH64, 0x300010, false, true}, {EM_X86_64, 0x200010, false, true},
        {EM_X86_64, 0x200000, false, false}, {EM_X86_64, 0x100000, false, false},
        {EM_X86_64, 0x304000, false, false}, {EM_X86_64, 0, false, false},
        {EM_RISCV, 0x300010, false, false},  {EM_X86_64, 0x303f00, true, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct core core;
        struct asnap_core_map *map = NULL;
        make_zero_ended(&core, cases[i].machine, cases[i].stack_pointer);
        if (cases[i].short_file)
            CU_ASSERT_EQUAL(ftruncate(core.fd, (off_t)(core.end - PAGE)), 0);
        Elf64_Ehdr header = core_header(core.count);
        header.e_machine = cases[i].machine;
        core_put(&core, 0, &header, sizeof(header));
        core_put(&core, sizeof(header), core.headers, core.count * sizeof(*core.headers));
        ASNAP_ASSERT_OK(asnap_core_map_create(core.path, &map));
        CU_ASSERT_EQUAL(asnap_core_map_filled_up(map), cases[i].filled_up);
        CU_ASSERT_EQUAL(asnap_core_map_missing(map) != 0,
                        cases[i].filled_up || cases[i].short_file);
        asnap_core_map_destroy(map);
        core_deinit(&core);
    }
}

ASNAP_TEST(core_map, files_and_the_vdso)
{
    struct core core;
    struct notes notes = {0};
    size_t size;
    core_init(&core, 8);
    const Elf64_auxv_t vector[] = {{.a_type = AT_PAGESZ, .a_un.a_val = PAGE},
                                   {.a_type = AT_SYSINFO_EHDR, .a_un.a_val = 0x7fff0000},
                                   {.a_type = AT_NULL}};
    char *files = file_note(3, "/bin/f", &size);
    static const char much[40000];
    notes_add(&notes, "LINUX", NT_FILE, files, size); /* another's */
    notes_add(&notes, "CORE", NT_PRSTATUS, much, sizeof(much));
    notes_add(&notes, "CORE", NT_AUXV, vector, sizeof(vector));
    notes_add(&notes, "CORE", NT_FILE, files, size);
    notes_add(&notes, "CORE", NT_FILE, "wrong", 5); /* the first counts */
    notes_append(&core, &notes);
    free(files);
    uint64_t data = core_append(&core, page, sizeof(page));
    core_add(&core, PT_LOAD, 0x401000, data, PAGE);
    core_add(&core, PT_LOAD, 0x7fff0000, core_append(&core, page, sizeof(page)), PAGE);
    core_add(&core, PT_LOAD, 0x10000000, core_append(&core, page, sizeof(page)), PAGE);
    struct asnap_core_map *map = NULL;
    ASNAP_ASSERT_OK(core_read(&core, &map));
    CU_ASSERT_EQUAL(asnap_core_map_count(map), 5);
    for (uint64_t i = 0; i < 3; i++) {
        const struct asnap_region *file = region_at(map, 0x400000 + i * PAGE);
        CU_ASSERT_PTR_NOT_NULL_FATAL(file);
        CU_ASSERT_STRING_EQUAL(file->path, "/bin/f");
        CU_ASSERT_EQUAL(file->file_offset, (2 - i) * PAGE);
        CU_ASSERT_EQUAL(file->flags, i == 1 ? ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE
                                            : ASNAP_REGION_READABLE | ASNAP_REGION_EXECUTABLE);
    }
    CU_ASSERT_STRING_EQUAL(region_at(map, 0x7fff0000)->path, "[vdso]");
    CU_ASSERT_PTR_NULL(region_at(map, 0x10000000)->path);
    size_t count;
    const struct asnap_region *dumped = asnap_core_map_dumped(map, &count);
    CU_ASSERT_EQUAL_FATAL(count, 3);
    CU_ASSERT(dumped[0].start == 0x401000 && dumped[0].end == 0x402000);
    CU_ASSERT_STRING_EQUAL(dumped[0].path, "/bin/f");
    asnap_core_map_destroy(map);
    core_deinit(&core);
}

ASNAP_TEST(core_map, notes_that_do_not_end)
{
    const uint64_t many[] = {UINT64_MAX / 24, PAGE};
    struct core core;
    struct notes notes = {0};
    core_init(&core, 4);
    notes_add(&notes, "CORE", NT_FILE, many, sizeof(many));
    notes_append(&core, &notes);
    CU_ASSERT(is_refused(&core, ASNAP_ERROR_IO, "NT_FILE note with too many files"));
    core_deinit(&core);

    core_init(&core, 4);
    notes_add(&notes, "CORE", NT_FILE, "123", 3);
    notes_append(&core, &notes);
    CU_ASSERT(is_refused(&core, ASNAP_ERROR_IO, "short NT_FILE note"));
    core_deinit(&core);

    /* A note that says that it is longer than its segment ends them all. */
    core_init(&core, 4);
    notes_add(&notes, "CORE", NT_FILE, many, sizeof(many));
    ((Elf64_Nhdr *)notes.bytes)->n_descsz = UINT32_MAX;
    notes_append(&core, &notes);
    struct asnap_core_map *map = NULL;
    ASNAP_ASSERT_OK(core_read(&core, &map));
    CU_ASSERT_EQUAL(asnap_core_map_count(map), 0);
    asnap_core_map_destroy(map);
    core_deinit(&core);
}

ASNAP_TEST(core_map, many_files)
{
    enum { FILES = 200000, LOADS = 60000 };
    struct core core;
    struct notes notes = {0};
    size_t size;
    core_init(&core, HEADERS_MAX);
    char *files = file_note(FILES, "", &size);
    notes_add(&notes, "CORE", NT_FILE, files, size);
    notes_append(&core, &notes);
    free(files);
    uint64_t data = core_append(&core, page, sizeof(page));
    for (uint64_t i = 0; i < LOADS; i++)
        core_add(&core, PT_LOAD, 0x400000 + 3 * i * PAGE, data, 1);
    struct asnap_core_map *map = NULL;
    asnap_unit_requested();
    ASNAP_ASSERT_OK(core_read(&core, &map));
    CU_ASSERT(asnap_unit_requested() < 16 * core.end);
    CU_ASSERT_EQUAL(asnap_core_map_count(map), FILES);
    for (size_t i = 0; i < FILES; i++) {
        bool is_loaded = i % 3 == 0 && i / 3 < LOADS;
        uint32_t other = is_loaded ? ASNAP_REGION_WRITABLE : ASNAP_REGION_EXECUTABLE;
        if (asnap_core_map_regions(map)[i].flags != (ASNAP_REGION_READABLE | other))
            CU_FAIL_FATAL("flags of another file");
    }
    asnap_core_map_destroy(map);
    core_deinit(&core);
}

/* The same notes again and again. */
ASNAP_TEST(core_map, notes_that_overlap)
{
    struct core core;
    static char much[1 << 16];
    core_init(&core, 64);
    uint64_t offset = core_append(&core, much, sizeof(much));
    for (size_t i = 0; i < 3; i++)
        core_add(&core, PT_NOTE, 0, offset, sizeof(much));
    CU_ASSERT(is_refused(&core, ASNAP_ERROR_DAMAGED, "notes that overlap"));
    core_deinit(&core);
}

ASNAP_TEST(core_map, notes_in_a_hole)
{
    struct core core;
    core_init(&core, 4);
    core_add(&core, PT_NOTE, 0, core.end, 1024 * MIB);
    core.end += 1024 * MIB;
    CU_ASSERT_EQUAL_FATAL(ftruncate(core.fd, (off_t)core.end), 0);
    asnap_unit_requested();
    CU_ASSERT(is_refused(&core, ASNAP_ERROR_DAMAGED, "notes without contents"));
    CU_ASSERT(asnap_unit_requested() < MIB);
    core_deinit(&core);
}

/* ---- segments ---- */

ASNAP_TEST(core_map, segments_that_share_bytes)
{
    struct core core;
    core_init(&core, 4096);
    uint64_t data = core_append(&core, page, sizeof(page));
    for (uint64_t offset = 0; offset < core.end; offset += PAGE)
        core_put(&core, offset, page, sizeof(page));
    /* As large together as the file, and no larger. */
    for (uint64_t i = 0; i < core.end / PAGE; i++)
        core_add(&core, PT_LOAD, 0x10000000 + i * PAGE, data, PAGE);
    struct asnap_core_map *map = NULL;
    ASNAP_ASSERT_OK(core_read(&core, &map));
    asnap_core_map_destroy(map);
    core_add(&core, PT_LOAD, 0x20000000, data, 1);
    CU_ASSERT(is_refused(&core, ASNAP_ERROR_DAMAGED, "segments that share bytes of the file"));
    core_deinit(&core);
}

/* A file of 4 GiB that has four pages. */
ASNAP_TEST(core_map, holes_are_not_dumped)
{
    struct core core;
    core_init(&core, 4);
    uint64_t data = core.end;
    for (uint64_t i = 0; i < 3; i++)
        core_put(&core, data + i * 1024 * MIB, page, sizeof(page));
    CU_ASSERT_EQUAL_FATAL(ftruncate(core.fd, (off_t)(data + 4096 * MIB)), 0);
    core_add(&core, PT_LOAD, UINT64_C(0x100000000000), data, 4096 * MIB);
    struct asnap_core_map *map = NULL;
    ASNAP_ASSERT_OK(core_read(&core, &map));
    size_t count;
    const struct asnap_region *dumped = asnap_core_map_dumped(map, &count);
    CU_ASSERT_EQUAL_FATAL(count, 3);
    for (uint64_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(dumped[i].start, UINT64_C(0x100000000000) + i * 1024 * MIB);
        CU_ASSERT_EQUAL(dumped[i].end, dumped[i].start + PAGE);
        CU_ASSERT_EQUAL(dumped[i].flags, ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE);
    }
    CU_ASSERT_EQUAL(asnap_core_map_bytes(map), 4 * PAGE);
    /* The map itself has the whole. */
    CU_ASSERT_EQUAL(asnap_core_map_count(map), 1);
    CU_ASSERT_EQUAL(asnap_core_map_regions(map)[0].end - asnap_core_map_regions(map)[0].start,
                    4096 * MIB);
    asnap_core_map_destroy(map);
    core_deinit(&core);
}

ASNAP_TEST(core_map, what_is_missing_does_not_wrap)
{
    struct core core;
    core_init(&core, 8);
    for (uint64_t i = 0; i < 4; i++)
        core_add(&core, PT_LOAD, 0, PAGE, INT64_MAX);
    struct asnap_core_map *map = NULL;
    ASNAP_ASSERT_OK(core_read(&core, &map));
    CU_ASSERT_EQUAL(asnap_core_map_missing(map), UINT64_MAX);
    asnap_core_map_destroy(map);
    core_deinit(&core);
}

/* ---- headers ---- */

ASNAP_TEST(core_map, headers_that_are_not_there)
{
    struct core core;
    core_init(&core, 4);
    core_add(&core, PT_LOAD, 0x1000, core_append(&core, page, sizeof(page)), PAGE);
    const uint64_t first = core.end;
    CU_ASSERT_EQUAL_FATAL(ftruncate(core.fd, (off_t)(first + 4096 * MIB)), 0);
    struct asnap_core_map *map = NULL;
    ASNAP_ASSERT_OK(core_read(&core, &map));
    asnap_core_map_destroy(map);

    /* 2^26 program headers in a hole, as the first section says. */
    Elf64_Ehdr header = core_header(PN_XNUM);
    Elf64_Shdr section = {.sh_info = 1 << 26};
    header.e_shoff = core_append(&core, &section, sizeof(section));
    header.e_shnum = 1;
    header.e_shentsize = sizeof(section);
    header.e_phoff = core.end + PAGE;
    CU_ASSERT_EQUAL_FATAL(ftruncate(core.fd, (off_t)(core.end + 4096 * MIB)), 0);
    core_put(&core, 0, &header, sizeof(header));
    asnap_unit_requested();
    ASNAP_ASSERT_ERROR(asnap_core_map_create(core.path, &map), ASNAP_ERROR_IO);
    /* Behind the end. */
    header.e_phoff = core.end + 4096 * MIB - 64;
    section.sh_info = 2;
    core_put(&core, header.e_shoff, &section, sizeof(section));
    core_put(&core, 0, &header, sizeof(header));
    ASNAP_ASSERT_ERROR(asnap_core_map_create(core.path, &map), ASNAP_ERROR_IO);
    CU_ASSERT(asnap_unit_requested() < MIB);
    /* In place: the first section tells their number. */
    header.e_phoff = sizeof(header);
    section.sh_info = 1;
    core_put(&core, header.e_shoff, &section, sizeof(section));
    core_put(&core, 0, &header, sizeof(header));
    ASNAP_ASSERT_OK(asnap_core_map_create(core.path, &map));
    CU_ASSERT_EQUAL(asnap_core_map_count(map), 1);
    asnap_core_map_destroy(map);
    core_deinit(&core);
}

ASNAP_TEST(core_map, what_is_no_core)
{
    struct asnap_core_map *map = NULL;
    static const char *const paths[] = {"/nonexistent", "/", "/dev/zero", "/proc/self/exe",
                                        "/etc/passwd"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        ASNAP_ASSERT_ERROR(asnap_core_map_create(paths[i], &map), ASNAP_ERROR_IO);
    struct core core;
    core_init(&core, 4);
    core_append(&core, page, sizeof(page));
    Elf64_Ehdr header = core_header(0);
    header.e_ident[EI_CLASS] = ELFCLASS32;
    core_put(&core, 0, &header, sizeof(header));
    ASNAP_ASSERT_ERROR(asnap_core_map_create(core.path, &map), ASNAP_ERROR_UNSUPPORTED);
    header = core_header(0);
    header.e_ident[EI_DATA] = (unsigned char)(ELFDATA2LSB + ELFDATA2MSB - header.e_ident[EI_DATA]);
    core_put(&core, 0, &header, sizeof(header));
    ASNAP_ASSERT_ERROR(asnap_core_map_create(core.path, &map), ASNAP_ERROR_UNSUPPORTED);
    core_deinit(&core);
}

/* ---- reading it ---- */

static int no_answer(void *context, uint64_t address, void *buffer, size_t size)
{
    (void)context, (void)address, (void)buffer, (void)size;
    return ASNAP_READ_FAILED;
}

static bool stop_at(void *context, const char *step, uint64_t done, uint64_t total)
{
    size_t *left = context;
    CU_ASSERT_STRING_EQUAL(step, "");
    CU_ASSERT_EQUAL(done + total, 0);
    return (*left)-- > 0;
}

ASNAP_TEST(core_map, direct_reads_ask_whether_to_go_on)
{
    struct core core;
    core_init(&core, 4);
    static char much[1 << 20];
    core_add(&core, PT_LOAD, 0x1000, core_append(&core, much, sizeof(much)), sizeof(much));
    struct asnap_core_map *map = NULL;
    ASNAP_ASSERT_OK(core_read(&core, &map));
    const struct asnap_memory debugger = {.read = no_answer};
    struct asnap_direct_memory *direct = NULL;
    ASNAP_ASSERT_OK(asnap_direct_memory_of_core(map, &debugger, &direct));
    const struct asnap_memory *memory = asnap_direct_memory_reader(direct);
    CU_ASSERT_EQUAL(memory->bytes, core.end);
    size_t left = 2;
    const struct asnap_progress progress = {.report = stop_at, .context = &left};
    asnap_direct_memory_set_progress(direct, &progress);
    size_t reads = 0;
    while (memory->read(memory->context, 0x1000, much, sizeof(much)) == ASNAP_READ_OK)
        reads++;
    /* Every 16 MiB. */
    CU_ASSERT_EQUAL(reads, 3 * 16 - 1);
    left = 2;
    for (reads = 0; memory->read(memory->context, 0x1000, much, 1) == ASNAP_READ_OK; reads++)
        continue;
    CU_ASSERT_EQUAL(reads, 3 * 4096 - 1);
    asnap_direct_memory_destroy(direct);
    asnap_core_map_destroy(map);
    core_deinit(&core);
}
