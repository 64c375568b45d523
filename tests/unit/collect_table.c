#include "test_collect.h"

#include <string.h>

void collect_fill(struct image *image)
{
    image_init(image);
    image_thread(image, 4711);
    image_module(image, 0x400000, 0x500000, "/bin/program");
    uint32_t whole = image_node(image, ASNAP_TABLE_NONE, 0);
    uint32_t cut = image_node(image, ASNAP_TABLE_NONE, 5);
    uint32_t caller = image_node(image, whole, 0x401000);
    uint32_t f = image_node(image, caller, 0x402000 | (uint64_t)MODULE << ASNAP_TABLE_PC_BITS);
    uint32_t g = image_node(image, cut, 0x403000);
    image_root(image)->domain_count = 2;
    image_root(image)->domains[1] = 389047;
    strcpy(image_root(image)->domain_names[1], "pool");
    struct asnap_table_record *first = image_record(image, A, 0, 100, f);
    first->extent |= (uint64_t)THREAD << ASNAP_TABLE_SIZE_BITS;
    first->time = 1234;
    image_record(image, B, 0, 0, f);
    image_record(image, C, 1, 7, g);
}

struct asnap_raw *collect_read(struct image *image)
{
    struct asnap_raw *raw = NULL;
    ASNAP_ASSERT_OK(asnap_raw_read(&image->memory, IMAGE_BASE, false, NULL, &raw));
    return raw;
}

const struct asnap_trace *collect_trace_at(const struct asnap_raw *raw, uint64_t address)
{
    for (size_t i = 0; i < raw->trace_count; i++)
        if (raw->traces[i].address == address)
            return &raw->traces[i];
    return NULL;
}

enum asnap_error_code collect_code(struct image *image)
{
    struct asnap_raw *raw = NULL;
    struct asnap_error *error = asnap_raw_read(&image->memory, IMAGE_BASE, false, NULL, &raw);
    if (error == NULL) {
        asnap_raw_destroy(raw);
        return 0;
    }
    CU_ASSERT_PTR_NULL(raw);
    enum asnap_error_code code = asnap_error_code(error);
    CU_ASSERT_PTR_NULL(strchr(asnap_error_message(error), '\n'));
    asnap_error_destroy(error);
    return code;
}
