/* Where mapped files begin, and which builds they are, by what is in memory. */
#include <elf.h>
#include <string.h>

#include "region_heads.h"
#include "unit.h"

#define PAGE UINT64_C(0x1000)

enum { PAGES_MAX = 16 };

/* Memory in which some pages are the first page of a file. */
struct pages {
    uint64_t addresses[PAGES_MAX];
    unsigned char builds[PAGES_MAX]; /* the first byte of the build ID */
    size_t count;
    size_t reads;
};

/* What a file laid out by lld begins with: four segments in one page. */
static void fill_page(unsigned char *page, unsigned char build)
{
    static const uint64_t loads[][4] = {{0, 0, 0x634, PF_R},
                                        {0x640, 0x1640, 0x170, PF_R | PF_X},
                                        {0x7b0, 0x27b0, 0x1b8, PF_R | PF_W},
                                        {0x968, 0x3968, 0x40, PF_R | PF_W}};
    Elf64_Ehdr file = {.e_type = ET_DYN,
                       .e_machine = EM_X86_64,
                       .e_version = EV_CURRENT,
                       .e_phoff = sizeof(Elf64_Ehdr),
                       .e_ehsize = sizeof(Elf64_Ehdr),
                       .e_phentsize = sizeof(Elf64_Phdr),
                       .e_phnum = 5};
    Elf64_Phdr headers[5] = {{0}};
    const Elf64_Nhdr note = {4, 20, NT_GNU_BUILD_ID};
    memcpy(file.e_ident, ELFMAG, SELFMAG);
    file.e_ident[EI_CLASS] = ELFCLASS64;
    file.e_ident[EI_DATA] = ELFDATA2LSB;
    file.e_ident[EI_VERSION] = EV_CURRENT;
    for (size_t i = 0; i < 4; i++)
        headers[i] = (Elf64_Phdr){.p_type = PT_LOAD,
                                  .p_flags = (uint32_t)loads[i][3],
                                  .p_offset = loads[i][0],
                                  .p_vaddr = loads[i][1],
                                  .p_filesz = loads[i][2],
                                  .p_memsz = loads[i][2],
                                  .p_align = PAGE};
    headers[4] = (Elf64_Phdr){.p_type = PT_NOTE,
                              .p_flags = PF_R,
                              .p_offset = 0x200,
                              .p_vaddr = 0x200,
                              .p_filesz = 36,
                              .p_memsz = 36,
                              .p_align = 4};
    memset(page, 0, PAGE);
    memcpy(page, &file, sizeof(file));
    memcpy(page + sizeof(file), headers, sizeof(headers));
    memcpy(page + 0x200, &note, sizeof(note));
    memcpy(page + 0x20c, "GNU", 4);
    page[0x210] = build;
}

static int read_pages(void *context, uint64_t address, void *buffer, size_t size)
{
    struct pages *pages = context;
    unsigned char page[PAGE];
    pages->reads++;
    for (size_t i = 0; i < pages->count; i++) {
        if (pages->addresses[i] != address || size > PAGE)
            continue;
        fill_page(page, pages->builds[i]);
        memcpy(buffer, page, size);
        return ASNAP_READ_OK;
    }
    return ASNAP_READ_FAILED;
}

/* The four mappings of such a file at `start`, each with its first page; adds to both lists. */
static size_t map_file(struct asnap_region *regions, size_t count, struct pages *pages,
                       uint64_t start, const char *path, unsigned char build)
{
    static const uint32_t flags[4] = {ASNAP_REGION_READABLE,
                                      ASNAP_REGION_READABLE | ASNAP_REGION_EXECUTABLE,
                                      ASNAP_REGION_READABLE, ASNAP_REGION_READABLE};
    for (size_t i = 0; i < 4; i++) {
        regions[count++] = (struct asnap_region){.start = start + i * PAGE,
                                                 .end = start + (i + 1) * PAGE,
                                                 .path = path,
                                                 .flags = flags[i]};
        pages->addresses[pages->count] = start + i * PAGE;
        pages->builds[pages->count++] = build;
    }
    return count;
}

struct found {
    struct asnap_frame_store *store;
    struct asnap_region_map map;
};

static struct found find_heads(const struct asnap_region *regions, size_t count,
                               const struct asnap_memory *memory)
{
    struct found found;
    ASNAP_ASSERT_OK(asnap_frame_store_create(&found.store));
    ASNAP_ASSERT_OK(asnap_region_map_init(&found.map, found.store, regions, count));
    ASNAP_ASSERT_OK(asnap_region_heads_find(&found.map, memory));
    return found;
}

static void end_found(struct found *found)
{
    asnap_region_map_deinit(&found->map);
    asnap_frame_store_destroy(found->store);
}

/* The head of what is mapped at an address: its start, and the first byte of its build ID. */
static void check_head(const struct found *found, uint64_t address, uint64_t start,
                       unsigned char build)
{
    const struct asnap_mapped *region = asnap_region_map_find(&found->map, address);
    CU_ASSERT_PTR_NOT_NULL_FATAL(region);
    CU_ASSERT_PTR_NOT_NULL_FATAL(region->head);
    CU_ASSERT_EQUAL(region->head->start, start);
    CU_ASSERT_EQUAL(region->head->build_id.size, build == 0 ? 0 : 20);
    CU_ASSERT_EQUAL(region->head->build_id.bytes[0], build);
}

ASNAP_TEST(symbols_heads, of_files_whose_segments_share_a_page)
{
    struct asnap_region regions[16];
    struct pages pages = {.count = 0};
    const struct asnap_memory memory = {.read = read_pages, .context = &pages};
    /* The same path twice, side by side, of two builds: memory files can have one name. */
    size_t count = map_file(regions, 0, &pages, 0x10000, "/memfd:a (deleted)", 1);
    count = map_file(regions, count, &pages, 0x14000, "/memfd:a (deleted)", 2);
    count = map_file(regions, count, &pages, 0x18000, "/lib/b", 3);
    struct found found = find_heads(regions, count, &memory);
    for (uint64_t i = 0; i < 4; i++) {
        check_head(&found, 0x10000 + i * PAGE, 0x10000, 1);
        check_head(&found, 0x14000 + i * PAGE, 0x14000, 2);
        check_head(&found, 0x18000 + i * PAGE, 0x18000, 3);
    }
    CU_ASSERT_EQUAL(pages.reads, 3);
    end_found(&found);
}

ASNAP_TEST(symbols_heads, beside_what_is_mapped_as_data)
{
    struct asnap_region regions[16];
    struct pages pages = {.count = 0};
    const struct asnap_memory memory = {.read = read_pages, .context = &pages};
    size_t count = map_file(regions, 0, &pages, 0x11000, "/lib/a", 1);
    const uint64_t data[] = {0x10000, 0x15000};
    for (size_t i = 0; i < 2; i++) {
        regions[count++] = (struct asnap_region){.start = data[i],
                                                 .end = data[i] + PAGE,
                                                 .path = "/lib/a",
                                                 .flags = ASNAP_REGION_READABLE};
        pages.addresses[pages.count] = data[i];
        pages.builds[pages.count++] = 1;
    }
    struct found found = find_heads(regions, count, &memory);
    for (uint64_t i = 0; i < 4; i++)
        check_head(&found, 0x11000 + i * PAGE, 0x11000, 1);
    end_found(&found);
}

ASNAP_TEST(symbols_heads, of_code_in_pieces)
{
    struct asnap_region regions[16];
    struct pages pages = {.count = 0};
    const struct asnap_memory memory = {.read = read_pages, .context = &pages};
    size_t count = map_file(regions, 0, &pages, 0x10000, "/lib/a", 1);
    /* Another file in between, as in a gap of a program. */
    regions[count++] =
        (struct asnap_region){.start = 0x10800, .end = 0x10900, .path = "/lib/other"};
    struct found found = find_heads(regions, count, &memory);
    check_head(&found, 0x11640, 0x10000, 1);
    end_found(&found);
}

ASNAP_TEST(symbols_heads, without_headers)
{
    struct asnap_region regions[16];
    struct pages pages = {.count = 0};
    struct asnap_memory memory = {.read = read_pages, .context = &pages};
    size_t count = map_file(regions, 0, &pages, 0x10000, "/lib/a", 1);
    pages.count = 0;
    /* What is nearest, of a build that is not known; no page is asked for without end. */
    struct found found = find_heads(regions, count, &memory);
    check_head(&found, 0x11640, 0x11000, 0);
    CU_ASSERT_EQUAL(pages.reads, 2);
    end_found(&found);
    found = find_heads(regions, count, NULL);
    check_head(&found, 0x11640, 0x11000, 0);
    end_found(&found);
    /* Code of a file of which no first page is mapped. */
    for (size_t i = 0; i < count; i++)
        regions[i].file_offset = (i + 1) * PAGE;
    found = find_heads(regions, count, &memory);
    CU_ASSERT_PTR_NULL(asnap_region_map_find(&found.map, 0x11640)->head);
    end_found(&found);
}

static struct asnap_error *find_again(void *context)
{
    const struct asnap_memory memory = {.read = read_pages, .context = context};
    struct asnap_region regions[16];
    struct pages *pages = context;
    struct asnap_frame_store *store = NULL;
    struct asnap_region_map map = {0};
    pages->count = 0;
    size_t count = map_file(regions, 0, pages, 0x10000, "/lib/a", 1);
    struct asnap_error *error = asnap_frame_store_create(&store);
    if (error == NULL)
        error = asnap_region_map_init(&map, store, regions, count);
    if (error == NULL)
        error = asnap_region_heads_find(&map, &memory);
    asnap_region_map_deinit(&map);
    asnap_frame_store_destroy(store);
    return error;
}

ASNAP_TEST(symbols_heads, survive_every_failed_allocation)
{
    struct pages pages = {.count = 0};
    CU_ASSERT(asnap_unit_sweep(find_again, &pages) > 4);
}
