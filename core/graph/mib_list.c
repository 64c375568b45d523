#include "mib_list.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "grow.h"

#define TOP ((size_t)1 << ASNAP_MIB_TOP_BITS)
#define PART ((size_t)1 << ASNAP_MIB_PART_BITS)
/* A block while the MiB that it is in is sorted: where in the MiB it starts, and its place. */
#define KEY_SHIFT 32u
/* Fewer are sorted by insertion. */
#define FEW 24u
/* The bits of one step of a sort. */
#define DIGIT_BITS 10u

/* Whether a trace is of an address that a program can have. */
static bool is_possible(const struct asnap_trace *trace)
{
    uint64_t end;
    return !__builtin_add_overflow(trace->address, trace->size, &end) &&
           end <= (uint64_t)1 << ASNAP_ADDRESS_BITS && trace->address >> ASNAP_ADDRESS_BITS == 0;
}

/* Adds a part without pages to the directory, behind what there is. */
static struct asnap_error *add_part(struct asnap_mib_list *list)
{
    size_t count = list->directory_count + PART;
    uint32_t *directory =
        asnap_grow(list->directory, &list->directory_capacity, count, sizeof(*directory));
    if (directory == NULL)
        return asnap_error_no_memory();
    list->directory = directory;
    memset(directory + list->directory_count, 0, PART * sizeof(*directory));
    list->directory_count = count;
    return NULL;
}

static struct asnap_error *add_page(struct asnap_mib_list *list, uint32_t number)
{
    struct asnap_mib_page *pages =
        asnap_grow(list->pages, &list->page_capacity, list->page_count + 1, sizeof(*pages));
    if (pages == NULL)
        return asnap_error_no_memory();
    list->pages = pages;
    pages[list->page_count++] = (struct asnap_mib_page){.number = number};
    return NULL;
}

/* The page of that number; adds what is missing. */
static struct asnap_error *find_page(struct asnap_mib_list *list, uint32_t number,
                                     struct asnap_mib_page **page)
{
    struct asnap_error *error = NULL;
    size_t top = number / PART;
    if (list->directory[top] == TOP) {
        size_t part = list->directory_count;
        error = add_part(list);
        if (error != NULL)
            return error;
        list->directory[top] = (uint32_t)part;
    }
    size_t place = list->directory[top] + number % PART;
    if (list->directory[place] == 0) {
        error = add_page(list, number);
        if (error != NULL)
            return error;
        list->directory[place] = (uint32_t)list->page_count - 1;
    }
    *page = &list->pages[list->directory[place]];
    return NULL;
}

static struct asnap_error *make_directory(struct asnap_mib_list *list)
{
    list->directory = malloc(TOP * sizeof(*list->directory));
    if (list->directory == NULL)
        return asnap_error_no_memory();
    for (size_t i = 0; i < TOP; i++)
        list->directory[i] = TOP;
    list->directory_count = list->directory_capacity = TOP;
    struct asnap_error *error = add_part(list);
    return error == NULL ? add_page(list, 0) : error;
}

/* Counts the blocks of each MiB in its page. */
static struct asnap_error *count_blocks(struct asnap_mib_list *list,
                                        const struct asnap_trace *traces, size_t count,
                                        uint32_t *taken)
{
    *taken = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_possible(&traces[i]))
            continue;
        uint64_t mib = traces[i].address >> ASNAP_MIB_BITS;
        struct asnap_mib_page *page;
        struct asnap_error *error = find_page(list, (uint32_t)(mib >> ASNAP_MIB_PAGE_BITS), &page);
        if (error != NULL)
            return error;
        uint32_t *here = &page->mib[mib & (((uint64_t)1 << ASNAP_MIB_PAGE_BITS) - 1)];
        list->count += *here == 0;
        ++*here;
        ++*taken;
    }
    return NULL;
}

static int by_number(const void *left, const void *right)
{
    const struct asnap_mib_page *a = left;
    const struct asnap_mib_page *b = right;
    return (a->number > b->number) - (a->number < b->number);
}

/* Makes the list of the counts, in order of address. Until it is filled, each MiB ends where it
 * begins. */
static struct asnap_error *list_mibs(struct asnap_mib_list *list)
{
    list->mibs = calloc((size_t)list->count + 1, sizeof(*list->mibs));
    if (list->mibs == NULL)
        return asnap_error_no_memory();
    /* The first one stands for those that are not there. */
    qsort(list->pages + 1, list->page_count - 1, sizeof(*list->pages), by_number);
    uint32_t sum = 0;
    uint32_t made = 0;
    for (size_t i = 1; i < list->page_count; i++) {
        struct asnap_mib_page *page = &list->pages[i];
        list->directory[list->directory[page->number / PART] + page->number % PART] = (uint32_t)i;
        for (uint32_t j = 0; j < (uint32_t)1 << ASNAP_MIB_PAGE_BITS; j++) {
            uint32_t count = page->mib[j];
            if (count == 0)
                continue;
            list->mibs[made++] = (struct asnap_mib){
                .number = (page->number << ASNAP_MIB_PAGE_BITS) + j, .first = sum, .end = sum};
            page->mib[j] = made;
            sum += count;
        }
    }
    return NULL;
}

static void fill(struct asnap_mib_list *list, const struct asnap_trace *traces, size_t count,
                 uint64_t *keys)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_possible(&traces[i]))
            continue;
        struct asnap_mib *mib = &list->mibs[asnap_mib_at(list, traces[i].address) - 1];
        uint64_t offset = traces[i].address & (((uint64_t)1 << ASNAP_MIB_BITS) - 1);
        keys[mib->end++] = offset << KEY_SHIFT | i;
    }
}

static void sort_few(uint64_t *keys, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint64_t key = keys[i];
        size_t at = i;
        for (; at > 0 && keys[at - 1] > key; at--)
            keys[at] = keys[at - 1];
        keys[at] = key;
    }
}

/* One step of a sort by digits of the offset. */
static void distribute(const uint64_t *from, uint64_t *to, size_t count, unsigned shift)
{
    uint32_t places[(size_t)1 << DIGIT_BITS] = {0};
    const uint64_t mask = ((uint64_t)1 << DIGIT_BITS) - 1;
    for (size_t i = 0; i < count; i++)
        places[from[i] >> shift & mask]++;
    uint32_t sum = 0;
    for (size_t i = 0; i <= mask; i++) {
        uint32_t here = places[i];
        places[i] = sum;
        sum += here;
    }
    for (size_t i = 0; i < count; i++)
        to[places[from[i] >> shift & mask]++] = from[i];
}

static int by_size(const void *left, const void *right, void *context)
{
    const struct asnap_trace *traces = *(const struct asnap_trace **)context;
    const uint64_t *keys[] = {left, right};
    uint32_t a = (uint32_t)keys[0][0];
    uint32_t b = (uint32_t)keys[1][0];
    if (traces[a].size != traces[b].size)
        return traces[a].size > traces[b].size ? -1 : 1;
    return (a > b) - (a < b);
}

/* Sorts the blocks of each MiB by where they start, of equal ones the larger first. `scratch` has
 * room for those of any MiB. */
static void sort(const struct asnap_mib_list *list, const struct asnap_trace *traces,
                 uint64_t *keys, uint64_t *scratch)
{
    for (uint32_t i = 0; i < list->count; i++) {
        uint64_t *here = keys + list->mibs[i].first;
        size_t count = list->mibs[i].end - list->mibs[i].first;
        if (count < FEW) {
            sort_few(here, count);
        } else {
            distribute(here, scratch, count, KEY_SHIFT);
            distribute(scratch, here, count, KEY_SHIFT + DIGIT_BITS);
        }
        for (size_t start = 0, end; start < count; start = end) {
            for (end = start + 1; end < count && here[end] >> KEY_SHIFT == here[start] >> KEY_SHIFT;
                 end++)
                continue;
            if (end - start > 1)
                qsort_r(here + start, end - start, sizeof(*here), by_size, &traces);
        }
    }
}

static struct asnap_error *make_places(struct asnap_mib_list *list,
                                       const struct asnap_trace *traces, size_t count,
                                       uint32_t taken, uint32_t **places)
{
    size_t size = ((size_t)taken + 1) * sizeof(uint64_t);
    uint64_t *keys = asnap_in_huge_pages(malloc(size), size);
    if (keys == NULL)
        return asnap_error_no_memory();
    fill(list, traces, count, keys);
    size_t most = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        size_t here = list->mibs[i].end - list->mibs[i].first;
        most = here > most ? here : most;
    }
    uint64_t *scratch = malloc((most + 1) * sizeof(*scratch));
    if (scratch == NULL) {
        free(keys);
        return asnap_error_no_memory();
    }
    sort(list, traces, keys, scratch);
    free(scratch);
    /* Each place is written where a key was read before. */
    uint32_t *made = (uint32_t *)keys;
    for (uint32_t i = 0; i < taken; i++) {
        uint64_t key;
        memcpy(&key, (const char *)keys + i * sizeof(key), sizeof(key));
        uint32_t place = (uint32_t)key;
        memcpy(made + i, &place, sizeof(place));
    }
    uint32_t *shrunk = realloc(made, ((size_t)taken + 1) * sizeof(*made));
    *places = shrunk == NULL ? made : shrunk;
    return NULL;
}

struct asnap_error *asnap_mib_list_init(struct asnap_mib_list *list,
                                        const struct asnap_trace *traces, size_t count,
                                        uint32_t **places, uint32_t *taken)
{
    *list = (struct asnap_mib_list){0};
    struct asnap_error *error = make_directory(list);
    if (error == NULL)
        error = count_blocks(list, traces, count, taken);
    if (error == NULL)
        error = list_mibs(list);
    if (error == NULL)
        error = make_places(list, traces, count, *taken, places);
    if (error != NULL)
        asnap_mib_list_deinit(list);
    return error;
}

void asnap_mib_list_deinit(struct asnap_mib_list *list)
{
    free(list->directory);
    free(list->pages);
    free(list->mibs);
    *list = (struct asnap_mib_list){0};
}
