#include "region_heads.h"

#include <stdlib.h>

#include "error.h"

/* The program headers and the build ID are at the very beginning of a file. */
#define HEAD_BYTES ((uint64_t)4096)

/* A vDSO has a few pages; more than this is not read. */
#define IMAGE_BYTES_MAX ((uint64_t)1024 * 1024)

/* So far down, and in so many mappings of the first page, headers are looked for. */
enum { REGIONS_SEARCHED = 64, PAGES_SEARCHED = 4 };

/* The first page of a file, as one region has it. */
struct first_page {
    const struct asnap_mapped *region; /* NULL: none was read yet */
    struct asnap_elf_head head;
};

struct search {
    struct asnap_region_map *map;
    const struct asnap_memory *memory;
    struct first_page page; /* the one that was read last */
};

struct asnap_error *asnap_region_image(const struct asnap_memory *memory,
                                       const struct asnap_mapped *region, uint64_t size,
                                       char **image)
{
    *image = NULL;
    if (memory == NULL || size > IMAGE_BYTES_MAX)
        return NULL;
    char *made = malloc((size_t)size);
    if (made == NULL)
        return asnap_error_no_memory();
    int result = memory->read(memory->context, region->start, made, (size_t)size);
    if (result == ASNAP_READ_OK) {
        *image = made;
        return NULL;
    }
    free(made);
    return result == ASNAP_READ_INTERRUPTED ? asnap_error_interrupted("reading the modules") : NULL;
}

/* Has search->page be that of a region. */
static struct asnap_error *read_page(struct search *search, const struct asnap_mapped *region)
{
    if (search->page.region == region)
        return NULL;
    asnap_elf_head_deinit(&search->page.head);
    search->page.region = NULL;
    uint64_t size = region->end - region->start;
    if (size > HEAD_BYTES)
        size = HEAD_BYTES;
    char *image;
    struct asnap_error *error = asnap_region_image(search->memory, region, size, &image);
    if (error == NULL && image != NULL)
        error = asnap_elf_head_read(image, (size_t)size, &search->page.head);
    free(image);
    if (error == NULL)
        search->page.region = region;
    return error;
}

/* The region where the file of `region` begins if that is the segment `load`, or NULL. */
static struct asnap_mapped *head_by_segment(const struct search *search,
                                            const struct asnap_mapped *region,
                                            const struct asnap_load *load)
{
    uint64_t bytes = region->end - region->start;
    bool is_mapped_there = load->offset < region->file_offset + bytes &&
                           region->file_offset < load->offset + load->size;
    if (!load->executable || !is_mapped_there)
        return NULL;
    uint64_t bias = region->start - region->file_offset - (load->address - load->offset);
    uint64_t start =
        bias + asnap_elf_lowest_page(search->page.head.loads, search->page.head.load_count);
    struct asnap_mapped *head = asnap_region_map_find(search->map, start);
    return head != NULL && head->start == start && head->path == region->path &&
                   head->file_offset == 0
               ? head
               : NULL;
}

static struct asnap_mapped *head_by_page(const struct search *search,
                                         const struct asnap_mapped *region)
{
    for (size_t i = 0; i < search->page.head.load_count; i++) {
        struct asnap_mapped *head = head_by_segment(search, region, &search->page.head.loads[i]);
        if (head != NULL)
            return head;
    }
    return NULL;
}

/* Finds the head of an executable region, or at least a mapping of its file's first page. */
static struct asnap_error *find_head(struct search *search, struct asnap_mapped *region)
{
    struct asnap_mapped *regions = search->map->regions;
    size_t place = (size_t)(region - regions);
    size_t last = place < REGIONS_SEARCHED ? 0 : place - REGIONS_SEARCHED;
    int pages = 0;
    for (size_t i = place + 1; i-- > last && pages < PAGES_SEARCHED;) {
        struct asnap_mapped *candidate = &regions[i];
        if (candidate->path != region->path || candidate->file_offset != 0)
            continue;
        pages++;
        struct asnap_error *error = read_page(search, candidate);
        if (error != NULL)
            return error;
        struct asnap_mapped *head = head_by_page(search, region);
        if (head != NULL || region->head == NULL) {
            region->head = head != NULL ? head : candidate;
            region->head->build_id = search->page.head.build_id;
        }
        if (head == NULL)
            continue;
        head->has_link_start = true;
        head->link_start =
            asnap_elf_lowest_page(search->page.head.loads, search->page.head.load_count);
        break;
    }
    return NULL;
}

/* Gives regions without code the head of the code below or above. */
static void spread_heads(struct asnap_region_map *map)
{
    struct asnap_mapped *regions = map->regions;
    for (size_t i = map->count; i-- > 1;) {
        struct asnap_mapped *region = &regions[i - 1];
        struct asnap_mapped *head = regions[i].head;
        if (region->head == NULL && head != NULL && head->path == region->path &&
            head->start <= region->start)
            region->head = head;
    }
    for (size_t i = 1; i < map->count; i++) {
        if (regions[i].head == NULL && regions[i - 1].path == regions[i].path)
            regions[i].head = regions[i - 1].head;
    }
}

struct asnap_error *asnap_region_heads_find(struct asnap_region_map *map,
                                            const struct asnap_memory *memory)
{
    struct search search = {.map = map, .memory = memory};
    struct asnap_error *error = NULL;
    for (size_t i = 0; i < map->count && error == NULL; i++) {
        if (map->regions[i].is_vdso)
            map->regions[i].head = &map->regions[i];
        else if (map->regions[i].is_executable)
            error = find_head(&search, &map->regions[i]);
    }
    asnap_elf_head_deinit(&search.page.head);
    if (error == NULL)
        spread_heads(map);
    return error;
}
