/* Hooks as an older release has them: a root of table version 2 by a name that the linker may
 * bind to another's, whose words the library takes as locks around a fork, and the functions
 * of malloc's family. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ROOT_BYTES 13568
#define SHARDS 64

/* What older hooks have and these need: see docs/table-layout.md. */
struct root {
    char magic[16];
    uint32_t version, byte_order;
    uint64_t self;
    uint32_t root_bytes, shard_bytes, record_bytes, node_bytes;
    uint32_t shard_count, pointer_bytes;
    char hooks_version[24];
    uint32_t control[8], applied[8];
    char more[1280 - 144];
    struct {
        uint32_t lock;
        char more[60];
    } shards[SHARDS];
    char end[ROOT_BYTES - 1280 - SHARDS * 64];
};

__attribute__((aligned(4096))) struct root allocsnap_root = {.control = {1}};

static void get_ready(void)
{
    struct root *root = &allocsnap_root;
    if (root->applied[0] == root->control[0])
        return;
    root->version = 2;
    root->byte_order = 0x01020304;
    root->self = (uint64_t)(uintptr_t)root;
    root->root_bytes = ROOT_BYTES;
    root->shard_count = SHARDS;
    root->pointer_bytes = sizeof(void *);
    strcpy(root->hooks_version, "0.0.9");
    root->applied[0] = root->control[0];
    memcpy(root->magic, "allocsnap-table", 16);
}

static void lock_all(void)
{
    for (int i = 0; i < SHARDS; i++)
        while (__atomic_exchange_n(&allocsnap_root.shards[i].lock, 1, __ATOMIC_ACQUIRE) != 0)
            continue;
}

static void unlock_all(void)
{
    for (int i = 0; i < SHARDS; i++)
        __atomic_store_n(&allocsnap_root.shards[i].lock, 0, __ATOMIC_RELEASE);
}

__attribute__((constructor)) static void start_up(void)
{
    get_ready();
    pthread_atfork(lock_all, unlock_all, unlock_all);
}

#define NEXT(FUNCTION, NAME)                                                                       \
    static __typeof__(FUNCTION) next;                                                              \
    get_ready();                                                                                   \
    if (next == NULL) {                                                                            \
        void *found = dlsym(RTLD_NEXT, NAME);                                                      \
        memcpy(&next, &found, sizeof(next));                                                       \
    }

void *malloc(size_t size)
{
    NEXT(&malloc, "malloc")
    return next(size);
}

void *realloc(void *block, size_t size)
{
    NEXT(&realloc, "realloc")
    return next(block, size);
}

void free(void *block)
{
    NEXT(&free, "free")
    next(block);
}

int allocsnap_hooks_track(unsigned int domain, uintptr_t address, size_t size)
{
    (void)domain, (void)address, (void)size;
    return 0;
}
