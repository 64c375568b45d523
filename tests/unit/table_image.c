#include "table_image.h"

#include <stdlib.h>
#include <string.h>

static int read_image(void *context, uint64_t address, void *buffer, size_t size)
{
    struct image *image = context;
    image->reads++;
    if (size > image->largest_read)
        image->largest_read = size;
    if (image->interrupt_after >= 0 && image->interrupt_after-- == 0)
        return ASNAP_READ_INTERRUPTED;
    uint64_t offset = address - IMAGE_BASE;
    if (offset > IMAGE_BYTES || size > IMAGE_BYTES - offset)
        return ASNAP_READ_FAILED;
    if (address < image->hole_end && address + size > image->hole_start)
        return ASNAP_READ_FAILED;
    memcpy(buffer, image->bytes + offset, size);
    return ASNAP_READ_OK;
}

void *image_at(struct image *image, uint64_t address)
{
    return image->bytes + (address - IMAGE_BASE);
}

struct asnap_table_root *image_root(struct image *image)
{
    return image_at(image, IMAGE_BASE);
}

static void init_shards(struct image *image)
{
    struct asnap_table_root *root = image_root(image);
    for (uint32_t i = 0; i < ASNAP_TABLE_SHARDS; i++) {
        uint64_t list = IMAGE_LISTS + (uint64_t)i * 4096;
        uint64_t *chunks = image_at(image, list);
        chunks[0] = IMAGE_CHUNKS + (uint64_t)i * 2 * IMAGE_CHUNK_BYTES;
        chunks[1] = chunks[0] + IMAGE_CHUNK_BYTES;
        root->shards[i].chunks = list;
        root->shards[i].chunk_count = 2;
    }
}

void image_init(struct image *image)
{
    memset(image, 0, sizeof(*image));
    image->bytes = calloc(1, IMAGE_BYTES);
    CU_ASSERT_PTR_NOT_NULL_FATAL(image->bytes);
    image->memory = (struct asnap_memory){.read = read_image, .context = image};
    image->interrupt_after = -1;
    struct asnap_table_root *root = image_root(image);
    memcpy(root->magic, ASNAP_TABLE_MAGIC, sizeof(root->magic));
    root->version = ASNAP_TABLE_VERSION;
    root->byte_order = ASNAP_TABLE_BYTE_ORDER;
    root->self = IMAGE_BASE;
    root->root_bytes = sizeof(*root);
    root->shard_bytes = sizeof(struct asnap_table_shard);
    root->record_bytes = sizeof(struct asnap_table_record);
    root->node_bytes = sizeof(struct asnap_table_node);
    root->shard_count = ASNAP_TABLE_SHARDS;
    root->pointer_bytes = 8;
    strcpy(root->hooks_version, "1.2.3");
    root->control = (struct asnap_table_control){.sequence = 1, .tracing = 1, .frame_limit = 16};
    root->applied = root->control;
    root->tracker_bytes = 1 << 20;
    root->domain_count = 1;
    root->node_chunks = IMAGE_NODE_LIST;
    uint64_t *node_chunks = image_at(image, IMAGE_NODE_LIST);
    node_chunks[0] = IMAGE_NODES;
    node_chunks[1] = IMAGE_NODES + ASNAP_TABLE_CHUNK_NODES * sizeof(struct asnap_table_node);
    uint64_t *lists = image_at(image, IMAGE_MORE_LISTS);
    lists[0] = IMAGE_THREADS;
    lists[1] = IMAGE_MODULES;
    root->thread_chunks = IMAGE_MORE_LISTS;
    root->module_chunks = IMAGE_MORE_LISTS + sizeof(*lists);
    root->start_realtime = 1700000000000000000;
    init_shards(image);
}

void image_be_version_4(struct image *image)
{
    struct asnap_table_root *root = image_root(image);
    const uint32_t end = ASNAP_TABLE_ROOT_BYTES_BEFORE_SAMPLES;
    root->version = 4;
    root->root_bytes = end;
    memset((char *)root + end, 0xff, sizeof(*root) - end);
    memset(&root->control.sample_period, 0xff, sizeof(root->control.sample_period));
    memset(&root->applied.sample_period, 0xff, sizeof(root->applied.sample_period));
}

void image_deinit(struct image *image)
{
    free(image->bytes);
}

uint32_t image_thread(struct image *image, uint32_t kernel_number)
{
    struct asnap_table_root *root = image_root(image);
    uint32_t *threads = image_at(image, IMAGE_THREADS);
    root->thread_count += root->thread_count == 0;
    threads[root->thread_count] = kernel_number;
    return root->thread_count++;
}

uint32_t image_module(struct image *image, uint64_t start, uint64_t end, const char *path)
{
    struct asnap_table_root *root = image_root(image);
    struct asnap_table_module *modules = image_at(image, IMAGE_MODULES);
    root->module_count += root->module_count == 0;
    uint32_t module = root->module_count++;
    uint64_t place = IMAGE_PATHS + 64 * module;
    modules[module] = (struct asnap_table_module){
        .start = start, .end = end, .path = place, .path_bytes = (uint32_t)strlen(path)};
    strcpy(image_at(image, place), path);
    return module;
}

uint32_t image_node(struct image *image, uint32_t parent, uint64_t pc)
{
    struct asnap_table_root *root = image_root(image);
    struct asnap_table_node *nodes = image_at(image, IMAGE_NODES);
    nodes[root->node_count] = (struct asnap_table_node){.pc = pc, .parent = parent};
    return root->node_count++;
}

struct asnap_table_record *image_record(struct image *image, uint64_t address, uint32_t domain,
                                        uint64_t size, uint32_t stack)
{
    struct asnap_table_root *root = image_root(image);
    struct asnap_table_shard *shard = &root->shards[asnap_table_shard_of(address)];
    uint64_t *chunks = image_at(image, shard->chunks);
    struct asnap_table_record *records =
        image_at(image, chunks[shard->used / ASNAP_TABLE_CHUNK_RECORDS]);
    struct asnap_table_record *record = &records[shard->used++ % ASNAP_TABLE_CHUNK_RECORDS];
    *record = (struct asnap_table_record){
        .key = address | (uint64_t)domain << ASNAP_TABLE_ADDRESS_BITS,
        .extent = size,
        .stack = stack,
    };
    shard->count++;
    shard->size += size;
    root->peak_bytes += size;
    return record;
}
