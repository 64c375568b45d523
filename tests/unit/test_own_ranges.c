/* The hooks' list of their own memory, written by them and read by the reader. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "own_memory.h"
#include "own_table.h"
#include "pages.h"
#include "root.h"
#include "table_image.h"

static struct asnap_own_ranges *own_list(void)
{
    struct asnap_own_ranges *own;
    ASNAP_ASSERT_OK(
        asnap_own_ranges_create(&own_memory, (uint64_t)(uintptr_t)&allocsnap_root, &own));
    return own;
}

/* Whether [address, address + bytes) is in one of the ranges. */
static bool holds(const struct asnap_own_ranges *own, const void *address, size_t bytes)
{
    size_t count;
    const struct asnap_address_range *ranges = asnap_own_ranges_list(own, &count);
    uint64_t start = (uint64_t)(uintptr_t)address;
    for (size_t i = 0; i < count; i++) {
        CU_ASSERT(ranges[i].start < ranges[i].end);
        CU_ASSERT(i == 0 || ranges[i - 1].end < ranges[i].start);
        if (ranges[i].start <= start && start + bytes <= ranges[i].end)
            return true;
    }
    return false;
}

/* More than fit into one page of the list; free places are taken again. */
ASNAP_TEST(own_ranges, are_what_is_mapped)
{
    enum { COUNT = 600 };
    static void *pages[COUNT];
    own_table_open();
    for (size_t i = 0; i < COUNT; i++)
        CU_ASSERT_PTR_NOT_NULL_FATAL(pages[i] = asnap_pages_map(1 + i % 3 * 4096));
    struct asnap_own_ranges *own = own_list();
    for (size_t i = 0; i < COUNT; i++)
        CU_ASSERT(holds(own, pages[i], (1 + i % 3) * 4096));
    asnap_own_ranges_destroy(own);
    for (size_t i = 0; i < COUNT; i += 2)
        asnap_pages_unmap(pages[i], 1 + i % 3 * 4096);
    own = own_list();
    for (size_t i = 0; i < COUNT; i++)
        CU_ASSERT_EQUAL(holds(own, pages[i], 4096), i % 2 == 1);
    asnap_own_ranges_destroy(own);
    uint64_t before = allocsnap_root.tracker_bytes;
    for (size_t i = 0; i < COUNT; i += 2)
        pages[i] = asnap_pages_map(4096);
    CU_ASSERT_EQUAL(allocsnap_root.tracker_bytes - before, COUNT / 2 * 4096);
    own = own_list();
    for (size_t i = 0; i < COUNT; i++) {
        CU_ASSERT(holds(own, pages[i], 4096));
        asnap_pages_unmap(pages[i], i % 2 == 0 ? 4096 : 1 + i % 3 * 4096);
    }
    asnap_own_ranges_destroy(own);
}

static char in_bss[64 << 10];

ASNAP_TEST(own_ranges, have_the_writable_parts_of_the_file)
{
    static int in_data = 1;
    own_table_open();
    asnap_pages_list_library();
    asnap_pages_list_library();
    struct asnap_own_ranges *own = own_list();
    CU_ASSERT(holds(own, &in_data, sizeof(in_data)));
    CU_ASSERT(holds(own, in_bss, sizeof(in_bss)));
    CU_ASSERT(holds(own, &allocsnap_root, sizeof(allocsnap_root)));
    CU_ASSERT(!holds(own, "in code", 1));
    asnap_own_ranges_destroy(own);
}

static void *map_and_unmap(void *argument)
{
    size_t *wrong = argument;
    void *pages[300];
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < 300; i++)
            *wrong += (pages[i] = asnap_pages_map(4096)) == NULL;
        struct asnap_own_ranges *own = own_list();
        for (size_t i = 0; i < 300; i++) {
            *wrong += !holds(own, pages[i], 4096);
            asnap_pages_unmap(pages[i], 4096);
        }
        asnap_own_ranges_destroy(own);
    }
    return NULL;
}

ASNAP_TEST(own_ranges, are_right_while_threads_map)
{
    pthread_t threads[4];
    size_t wrong[4] = {0};
    own_table_open();
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, map_and_unmap, &wrong[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        CU_ASSERT_EQUAL(wrong[i], 0);
    }
}

enum { LIST_AT = IMAGE_PATHS + 0x10000 };

/* Reads the list of an image whose root has this page of it. */
static struct asnap_error *read_list(struct image *image)
{
    struct asnap_own_ranges *own = NULL;
    struct asnap_error *error = asnap_own_ranges_create(&image->memory, IMAGE_BASE, &own);
    asnap_own_ranges_destroy(own);
    return error;
}

ASNAP_TEST(own_ranges, damage_and_older_hooks_are_told)
{
    struct image image;
    image_init(&image);
    struct asnap_table_root *root = image_root(&image);
    ASNAP_ASSERT_OK(read_list(&image));
    root->own_pages = LIST_AT;
    struct asnap_table_own_page *page = image_at(&image, LIST_AT & ~UINT32_C(4095));
    root->own_pages = LIST_AT & ~UINT32_C(4095);
    page->ranges[3] = (struct asnap_table_own_range){0x7f0000000000, 0x2000};
    ASNAP_ASSERT_OK(read_list(&image));
    page->ranges[4] = (struct asnap_table_own_range){0x7f0000000001, 0x2000};
    ASNAP_ASSERT_ERROR(read_list(&image), ASNAP_ERROR_DAMAGED);
    page->ranges[4] = (struct asnap_table_own_range){0x7f0000000000, UINT64_MAX & ~UINT64_C(4095)};
    ASNAP_ASSERT_ERROR(read_list(&image), ASNAP_ERROR_DAMAGED);
    page->ranges[4] = (struct asnap_table_own_range){0x7f0000000000, 0};
    ASNAP_ASSERT_OK(read_list(&image));
    image.memory.bytes = IMAGE_BYTES;
    page->next = root->own_pages;
    ASNAP_ASSERT_ERROR(read_list(&image), ASNAP_ERROR_DAMAGED);
    page->next = 8;
    ASNAP_ASSERT_ERROR(read_list(&image), ASNAP_ERROR_DAMAGED);
    page->next = UINT64_MAX & ~UINT64_C(4095);
    ASNAP_ASSERT_ERROR(read_list(&image), ASNAP_ERROR_UNREADABLE);
    image_be_version_4(&image);
    root->version = 3;
    ASNAP_ASSERT_ERROR(read_list(&image), ASNAP_ERROR_VERSION);
    struct asnap_status status;
    ASNAP_ASSERT_OK(asnap_status_read(&image.memory, IMAGE_BASE, &status));
    CU_ASSERT_EQUAL(status.table_version, 3);
    image_deinit(&image);
}

ASNAP_TEST(own_ranges, status_says_whether_blocks_were_missed)
{
    struct image image;
    struct asnap_status status;
    image_init(&image);
    struct asnap_table_root *root = image_root(&image);
    ASNAP_ASSERT_OK(asnap_status_read(&image.memory, IMAGE_BASE, &status));
    CU_ASSERT(status.is_whole);
    root->applied.sequence = 2;
    root->applied.reset_peak = 1;
    ASNAP_ASSERT_OK(asnap_status_read(&image.memory, IMAGE_BASE, &status));
    CU_ASSERT(status.is_whole);
    root->applied.sequence = 3;
    ASNAP_ASSERT_OK(asnap_status_read(&image.memory, IMAGE_BASE, &status));
    CU_ASSERT(!status.is_whole);
    root->applied.sequence = 2;
    root->dropped = 1;
    ASNAP_ASSERT_OK(asnap_status_read(&image.memory, IMAGE_BASE, &status));
    CU_ASSERT(!status.is_whole);
    image_deinit(&image);
}
