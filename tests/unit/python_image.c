#include "python_image.h"

#include <string.h>

enum { BUCKETS = 16, CODE_MALLOC = 16, CODE_FREE = 32 };

static int read_image(void *context, uint64_t address, void *buffer, size_t size)
{
    const struct python_image *image = context;
    uint64_t offset = address - PYTHON_CODE;
    if (offset >= sizeof(image->bytes) || size > sizeof(image->bytes) - offset)
        return ASNAP_READ_FAILED;
    memcpy(buffer, image->bytes + offset, size);
    return ASNAP_READ_OK;
}

static void write_image(struct python_image *image, uint64_t address, const void *bytes,
                        size_t size)
{
    memcpy(image->bytes + (address - PYTHON_CODE), bytes, size);
}

uint64_t python_image_word(const struct python_image *image, uint64_t address)
{
    uint64_t word;
    memcpy(&word, image->bytes + (address - PYTHON_CODE), sizeof(word));
    return word;
}

void python_image_put(struct python_image *image, uint64_t address, uint64_t word)
{
    write_image(image, address, &word, sizeof(word));
}

void python_image_put_half(struct python_image *image, uint64_t address, uint32_t half)
{
    write_image(image, address, &half, sizeof(half));
}

static uint64_t take(struct python_image *image, uint64_t size)
{
    uint64_t address = image->used;
    image->used += (size + 15) / 16 * 16;
    return address;
}

/* A table without entries; `role` makes its functions differ from those of other roles. */
struct role {
    uint64_t functions[5]; /* offsets in the code; 0: none */
};
static const struct role role_traces = {{0x100, 0x110, 0x120, 0, 0x130}};
static const struct role role_tracebacks = {{0x200, 0x210, 0x220, 0, 0x130}};
static const struct role role_filenames = {{0x200, 0x310, 0x320, 0x330, 0}};
static const struct role role_domains = {{0x200, 0x410, 0x120, 0, 0x430}};

static uint64_t add_table(struct python_image *image, const struct role *role, uint64_t key_size,
                          uint64_t data_size)
{
    bool is_old = image->kind == PYTHON_3_8;
    uint64_t table = take(image, 80);
    uint64_t buckets = take(image, BUCKETS * 8);
    python_image_put(image, table + (is_old ? 0 : 8), BUCKETS);
    python_image_put(image, table + 16, buckets);
    if (is_old) {
        python_image_put(image, table + 24, key_size);
        python_image_put(image, table + 32, data_size);
        python_image_put(image, table + 40, PYTHON_CODE + role->functions[1]);
        python_image_put(image, table + 48, PYTHON_CODE + role->functions[2]);
        python_image_put(image, table + 56, PYTHON_CODE + CODE_MALLOC);
        python_image_put(image, table + 64, PYTHON_CODE + CODE_FREE);
        return table;
    }
    for (size_t i = 0; i < 5; i++) {
        uint64_t function = role->functions[i];
        python_image_put(image, table + 24 + 8 * i, function == 0 ? 0 : PYTHON_CODE + function);
    }
    python_image_put(image, table + 64, PYTHON_CODE + CODE_MALLOC);
    python_image_put(image, table + 72, PYTHON_CODE + CODE_FREE);
    return table;
}

/* An entry, first in its bucket, with room for `rest` bytes behind its head. */
static uint64_t add_entry(struct python_image *image, uint64_t table, uint64_t hash, uint64_t rest)
{
    uint64_t count = table + (image->kind == PYTHON_3_8 ? 8 : 0);
    uint64_t head = python_image_word(image, table + 16) + hash % BUCKETS * 8;
    uint64_t entry = take(image, 16 + rest);
    python_image_put(image, entry, python_image_word(image, head));
    python_image_put(image, entry + 8, hash);
    python_image_put(image, head, entry);
    python_image_put(image, count, python_image_word(image, count) + 1);
    return entry;
}

static uint64_t add_trace(struct python_image *image, uint64_t table, uint64_t address,
                          uint64_t size, uint64_t traceback)
{
    /* Two of the three are in one bucket. */
    uint64_t entry = add_entry(image, table, address >> 13, 24);
    uint64_t data = entry + 24;
    python_image_put(image, entry + 16, address);
    if (image->kind != PYTHON_3_8) {
        data = take(image, 16);
        python_image_put(image, entry + 24, data);
    }
    python_image_put(image, data, size);
    python_image_put(image, data + 8, traceback);
    return entry;
}

/* A str of characters of `kind` bytes. */
static uint64_t add_name(struct python_image *image, const void *characters, uint64_t length,
                         uint32_t kind, bool is_ascii)
{
    bool is_free_threaded = image->kind == PYTHON_3_14_FREE_THREADED;
    uint64_t head = is_free_threaded ? 32 : 16;
    uint64_t wide = image->kind == PYTHON_3_8 || image->kind == PYTHON_3_11 ? 8 : 0;
    uint64_t ascii = head + 24 + wide;
    uint64_t start = is_ascii ? ascii : ascii + 16 + wide;
    uint64_t name = take(image, start + (length + 1) * kind);
    uint32_t bits = kind | 1 << 3 | (is_ascii ? 1u << 4 : 0);
    python_image_put(image, name + head, length);
    python_image_put_half(image, name + head + 16, bits << (is_free_threaded ? 8 : 2));
    write_image(image, name + start, characters, (size_t)(length * kind));
    return name;
}

/* How many frames there are in a traceback, and were. */
static void put_counts(struct python_image *image, uint64_t traceback, uint32_t count,
                       uint32_t total)
{
    bool is_old = image->kind == PYTHON_3_8;
    python_image_put_half(image, traceback + 8, is_old ? count : count | total << 16);
}

static void put_frame(struct python_image *image, uint64_t traceback, uint64_t place, uint64_t name,
                      uint32_t line)
{
    python_image_put(image, traceback + 12 + place * 12, name);
    python_image_put_half(image, traceback + 12 + place * 12 + 8, line);
}

static void make_tracebacks(struct python_image *image)
{
    static const uint16_t east[] = {0x65e5};
    image->names[0] = add_name(image, "/a.py", 5, 1, true);
    image->names[1] = add_name(image, "/b\xe9.py", 6, 1, false);
    image->names[2] = add_name(image, east, 1, 2, false);
    image->tracebacks[0] = take(image, 36);
    put_counts(image, image->tracebacks[0], 2, 2);
    put_frame(image, image->tracebacks[0], 0, image->names[0], 1);
    put_frame(image, image->tracebacks[0], 1, image->names[1], 2);
    image->tracebacks[1] = take(image, 24);
    put_counts(image, image->tracebacks[1], 1, 7);
    put_frame(image, image->tracebacks[1], 0, image->names[2], 3);
}

static void make_tables(struct python_image *image, uint64_t tables[4])
{
    bool is_old = image->kind == PYTHON_3_8;
    tables[0] = add_table(image, &role_filenames, 8, 0);
    tables[1] = add_table(image, &role_tracebacks, 8, 0);
    tables[2] = image->traces = add_table(image, &role_traces, 8, 16);
    image->entries[0] = add_trace(image, image->traces, 0x1000, 10, image->tracebacks[0]);
    image->entries[1] = add_trace(image, image->traces, 0x2000, 20, image->tracebacks[0]);
    image->entries[2] = add_trace(image, image->traces, 0x3000, 30, image->tracebacks[1]);
    tables[3] = 0;
    if (is_old)
        return;
    tables[3] = image->domains = add_table(image, &role_domains, 0, 0);
    uint64_t other = add_table(image, &role_traces, 0, 0);
    uint64_t entry = add_entry(image, image->domains, 5, 16);
    python_image_put(image, entry + 16, 5);
    python_image_put(image, entry + 24, other);
    add_trace(image, other, 0x1000, 40, image->tracebacks[1]);
}

static void put_config(struct python_image *image, uint64_t config)
{
    image->config = config;
    python_image_put_half(image, config, 1);
    python_image_put_half(image, config + 4, 1);
    python_image_put_half(image, config + 8, 4);
}

/* From 3.12 on: behind the debug offsets. */
static void make_state(struct python_image *image, const uint64_t tables[4])
{
    uint64_t runtime = PYTHON_DATA + 0x20;
    uint64_t state = runtime + 0x300;
    write_image(image, runtime, "xdebugpy", 8);
    python_image_put(image, runtime + 8, 0x030e01f0);
    python_image_put(image, runtime + 16, image->kind == PYTHON_3_14_FREE_THREADED);
    image->symbols.runtime = runtime;
    image->symbols.runtime_size = 0x800;
    image->state = state;
    image->lock = state + 136;
    put_config(image, state);
    python_image_put(image, state + 144, 100);
    python_image_put(image, state + 152, 200);
    python_image_put(image, state + 160, tables[0]);
    python_image_put(image, state + 176, tables[1]);
    python_image_put(image, state + 184, tables[2]);
    python_image_put(image, state + 192, tables[3]);
    put_counts(image, state + 200, 1, 1);
    put_frame(image, state + 200, 0, image->names[0], 0);
}

static void make_statics(struct python_image *image, const uint64_t tables[4])
{
    uint64_t at = PYTHON_DATA + 0x100;
    image->state = at;
    put_config(image, PYTHON_DATA + 0x40);
    image->lock = take(image, 32);
    python_image_put(image, image->lock, 1);
    python_image_put(image, PYTHON_DATA + 0x60,
                     image->kind == PYTHON_3_8 ? 0x030812f0 : 0x030b02f0);
    /* 3.8 has four tables, of which one is not there, and each version its own order. */
    for (size_t i = 0; i < 4; i++)
        python_image_put(image, at + 8 * i, tables[3 - i]);
    python_image_put(image, at + 32, image->lock);
    python_image_put(image, at + 40, image->kind == PYTHON_3_8 ? 60 : 100);
    image->symbols = (struct asnap_cpython_symbols){
        .runtime = PYTHON_DATA + 0x800,
        .runtime_size = 8,
        .version = PYTHON_DATA + 0x60,
        .config = image->config,
        .traces = at + 8,
        .domains = image->kind == PYTHON_3_8 ? 0 : at,
        .lock = at + 32,
        .traced = at + 40,
    };
}

void python_image_make(struct python_image *image, enum python_image_kind kind)
{
    static const uint32_t data = ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE;
    uint64_t tables[4];
    memset(image, 0, sizeof(*image));
    image->kind = kind;
    image->used = PYTHON_HEAP;
    image->memory = (struct asnap_memory){.read = read_image, .context = image};
    image->regions[0] = (struct asnap_region){PYTHON_CODE, PYTHON_DATA, 0, "/usr/bin/python3",
                                              ASNAP_REGION_READABLE | ASNAP_REGION_EXECUTABLE};
    image->regions[1] =
        (struct asnap_region){PYTHON_DATA, PYTHON_HEAP, 0x1000, "/usr/bin/python3", data};
    image->regions[2] = (struct asnap_region){PYTHON_HEAP, PYTHON_END, 0, "[heap]", data};
    make_tracebacks(image);
    make_tables(image, tables);
    if (kind == PYTHON_3_14 || kind == PYTHON_3_14_FREE_THREADED)
        make_state(image, tables);
    else
        make_statics(image, tables);
    image->symbols.path = "/usr/bin/python3";
}
