#include "elf_tables.h"

#include <elf.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "open_file.h"

struct reading {
    int fd;
    uint64_t file_bytes;
    bool is_64;
    bool is_swapped; /* of another byte order than this machine */
    unsigned char bytes[sizeof(Elf64_Ehdr)];
};

/* A table: `count` entries of `entry_bytes` at `offset`. */
struct table {
    uint64_t offset;
    uint64_t count;
    uint64_t entry_bytes;
};

#define FIELD(READING, STRUCTURE, NAME)                                                            \
    ((READING)->is_64 ? number((READING), offsetof(Elf64_##STRUCTURE, NAME),                       \
                               sizeof(((Elf64_##STRUCTURE *)0)->NAME))                             \
                      : number((READING), offsetof(Elf32_##STRUCTURE, NAME),                       \
                               sizeof(((Elf32_##STRUCTURE *)0)->NAME)))

static uint64_t number(const struct reading *reading, size_t offset, size_t size)
{
    uint16_t two;
    uint32_t four;
    uint64_t eight;
    switch (size) {
    case sizeof(two):
        memcpy(&two, reading->bytes + offset, size);
        return reading->is_swapped ? __builtin_bswap16(two) : two;
    case sizeof(four):
        memcpy(&four, reading->bytes + offset, size);
        return reading->is_swapped ? __builtin_bswap32(four) : four;
    default:
        memcpy(&eight, reading->bytes + offset, size);
        return reading->is_swapped ? __builtin_bswap64(eight) : eight;
    }
}

static bool read_bytes(struct reading *reading, uint64_t offset, size_t size)
{
    return offset <= INT64_MAX &&
           pread(reading->fd, reading->bytes, size, (off_t)offset) == (ssize_t)size;
}

static bool read_header(struct reading *reading)
{
    if (!read_bytes(reading, 0, sizeof(Elf32_Ehdr)) || memcmp(reading->bytes, ELFMAG, SELFMAG) != 0)
        return false;
    bool is_little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
    reading->is_64 = reading->bytes[EI_CLASS] == ELFCLASS64;
    reading->is_swapped = (reading->bytes[EI_DATA] == ELFDATA2LSB) != is_little;
    return !reading->is_64 || read_bytes(reading, 0, sizeof(Elf64_Ehdr));
}

static bool is_there(const struct reading *reading, const struct table *table)
{
    uint64_t size;
    if (table->count == 0 || table->offset == 0)
        return true;
    return !__builtin_mul_overflow(table->count, table->entry_bytes, &size) &&
           table->offset <= reading->file_bytes && size <= reading->file_bytes - table->offset &&
           !asnap_file_is_hollow(reading->fd, table->offset, size);
}

bool asnap_elf_tables_are_there(int fd, uint64_t file_bytes)
{
    struct reading reading = {.fd = fd, .file_bytes = file_bytes};
    if (!read_header(&reading))
        return false;
    struct table segments = {.offset = FIELD(&reading, Ehdr, e_phoff),
                             .count = FIELD(&reading, Ehdr, e_phnum),
                             .entry_bytes = FIELD(&reading, Ehdr, e_phentsize)};
    struct table sections = {.offset = FIELD(&reading, Ehdr, e_shoff),
                             .count = FIELD(&reading, Ehdr, e_shnum),
                             .entry_bytes = FIELD(&reading, Ehdr, e_shentsize)};
    bool is_extended = segments.count == PN_XNUM || sections.count == 0;
    if (sections.offset != 0 && is_extended) {
        size_t size = reading.is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
        if (!read_bytes(&reading, sections.offset, size))
            return false;
        if (segments.count == PN_XNUM)
            segments.count = FIELD(&reading, Shdr, sh_info);
        if (sections.count == 0)
            sections.count = FIELD(&reading, Shdr, sh_size);
    }
    return is_there(&reading, &segments) && is_there(&reading, &sections);
}
