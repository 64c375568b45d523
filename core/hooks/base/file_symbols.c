#include "file_symbols.h"

#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>

enum {
    /* More is not believed: the file may be damaged. */
    CHAIN_MAX = 1 << 16,
    NAME_BYTES = 256,
};

struct asnap_wanted asnap_wanted_symbol(const char *name)
{
    struct asnap_wanted wanted = {.name = name, .name_bytes = strlen(name) + 1, .gnu_hash = 5381};
    for (const uint8_t *at = (const uint8_t *)name; *at != '\0'; at++) {
        wanted.gnu_hash = wanted.gnu_hash * 33 + *at;
        wanted.hash = (wanted.hash << 4) + *at;
        wanted.hash = (wanted.hash ^ (wanted.hash >> 24 & 0xf0)) & 0x0fffffff;
    }
    return wanted;
}

/* A version that its file hides is for programs linked long ago (LSB, Symbol Versioning). */
static bool is_hidden(struct asnap_known_pages *known, const struct asnap_library *library,
                      uint64_t symbol)
{
    enum { HIDDEN = 0x8000 };
    ElfW(Half) version = 0;
    return library->versions != 0 &&
           asnap_readable_copy(known, library->versions + symbol * sizeof(version), &version,
                               sizeof(version)) &&
           (version & HIDDEN) != 0;
}

/* What an indirect function says is called at start-up, as the linker does it. */
static void *resolve(void *resolver)
{
#if defined(__aarch64__)
    /* System V ABI for the Arm 64-bit Architecture, 9.4 */
    const struct {
        unsigned long size, hwcap, hwcap2;
    } rest = {sizeof(rest), getauxval(AT_HWCAP), getauxval(AT_HWCAP2)};
    void *(*function)(unsigned long hwcap, const void *rest);
    memcpy(&function, &resolver, sizeof(function));
    return function(rest.hwcap | 1UL << 62, &rest);
#else
    void *(*function)(void);
    memcpy(&function, &resolver, sizeof(function));
    return function();
#endif
}

/* The address of the symbol with this number, where it is the wanted one and defined here. */
static void *match(struct asnap_known_pages *known, const struct asnap_library *library,
                   uint64_t number, struct asnap_wanted *wanted)
{
    enum { KINDS = 1 << STT_NOTYPE | 1 << STT_OBJECT | 1 << STT_FUNC | 1 << STT_GNU_IFUNC };
    ElfW(Sym) symbol;
    char name[NAME_BYTES];
    if (wanted->name_bytes > sizeof(name) ||
        !asnap_readable_copy(known, library->symbols + number * sizeof(symbol), &symbol,
                             sizeof(symbol)) ||
        (symbol.st_shndx == SHN_UNDEF) != wanted->is_entry || symbol.st_value == 0 ||
        (1 << ELF64_ST_TYPE(symbol.st_info) & KINDS) == 0 ||
        !asnap_readable_copy(known, library->strings + symbol.st_name, name, wanted->name_bytes) ||
        memcmp(name, wanted->name, wanted->name_bytes) != 0 ||
        (!wanted->also_hidden && is_hidden(known, library, number)))
        return NULL;
    uint64_t bias = symbol.st_shndx == SHN_ABS ? 0 : library->bias;
    void *address = (void *)(uintptr_t)(bias + symbol.st_value);
    wanted->entry = library->symbols + number * sizeof(symbol);
    wanted->is_indirect = ELF64_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC;
    if (wanted->is_indirect)
        return resolve(address);
    wanted->bytes = symbol.st_size;
    return address;
}

static bool read_word(struct asnap_known_pages *known, uint64_t table, uint64_t place,
                      uint32_t *word)
{
    return asnap_readable_copy(known, table + place * sizeof(*word), word, sizeof(*word));
}

/* By DT_GNU_HASH: four words, a Bloom filter of words of 64 bits, the buckets with the first
 * symbol of each, and the hashes of all symbols from `first` on, whose lowest bit ends a bucket. */
static void *find_by_gnu_hash(struct asnap_known_pages *known, const struct asnap_library *library,
                              struct asnap_wanted *wanted)
{
    uint32_t head[4];
    uint64_t filter;
    uint32_t symbol;
    uint32_t hash;
    uint32_t wanted_hash = wanted->gnu_hash;
    if (!asnap_readable_copy(known, library->gnu_hash, head, sizeof(head)))
        return NULL;
    uint32_t buckets = head[0];
    uint32_t first = head[1];
    uint32_t words = head[2];
    uint64_t filters = library->gnu_hash + sizeof(head);
    uint64_t lists = filters + (uint64_t)words * sizeof(filter);
    if (buckets == 0 || words == 0 ||
        !asnap_readable_copy(known, filters + (uint64_t)(wanted_hash / 64 % words) * sizeof(filter),
                             &filter, sizeof(filter)) ||
        (filter >> wanted_hash % 64 & filter >> (wanted_hash >> head[3] % 32) % 64 & 1) == 0 ||
        !read_word(known, lists, wanted_hash % buckets, &symbol) || symbol < first)
        return NULL;
    for (uint32_t i = 0; i < CHAIN_MAX; i++, symbol++) {
        if (!read_word(known, lists, (uint64_t)buckets + symbol - first, &hash))
            return NULL;
        void *found = (hash ^ wanted_hash) >> 1 == 0 ? match(known, library, symbol, wanted) : NULL;
        if (found != NULL || (hash & 1) != 0)
            return found;
    }
    return NULL;
}

/* By DT_HASH (gABI, Hash Table): the numbers of buckets and of symbols, the buckets with the
 * first symbol of each, and for each symbol the next of its bucket. */
static void *find_by_hash(struct asnap_known_pages *known, const struct asnap_library *library,
                          struct asnap_wanted *wanted)
{
    uint32_t buckets;
    uint32_t symbol;
    if (!read_word(known, library->hash, 0, &buckets) || buckets == 0 ||
        !read_word(known, library->hash, 2 + wanted->hash % buckets, &symbol))
        return NULL;
    for (uint32_t i = 0; i < CHAIN_MAX && symbol != STN_UNDEF; i++) {
        void *found = match(known, library, symbol, wanted);
        if (found != NULL ||
            !read_word(known, library->hash, 2 + (uint64_t)buckets + symbol, &symbol))
            return found;
    }
    return NULL;
}

void *asnap_file_symbol(struct asnap_known_pages *known, const struct asnap_library *library,
                        struct asnap_wanted *wanted)
{
    if (library->strings == 0 || library->symbols == 0)
        return NULL;
    if (library->gnu_hash != 0)
        return find_by_gnu_hash(known, library, wanted);
    return library->hash == 0 ? NULL : find_by_hash(known, library, wanted);
}
