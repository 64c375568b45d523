/* Damaged files: cut short, and with bytes changed. They cost names, nothing else. */
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf_file.h"
#include "test_symbols_process.h"
#include "unit.h"

#define ADDRESSES 24
#define RUNS 400

/* A copy of this program in memory, under a path of its own. */
struct specimen {
    int fd;
    char path[64];
    unsigned char *bytes;
    size_t size;
    struct own_regions own;
    uint64_t addresses[ADDRESSES];
    uint64_t random;
};

static uint64_t next_random(struct specimen *specimen)
{
    specimen->random ^= specimen->random << 13;
    specimen->random ^= specimen->random >> 7;
    specimen->random ^= specimen->random << 17;
    return specimen->random;
}

static void restore(struct specimen *specimen)
{
    CU_ASSERT_EQUAL(ftruncate(specimen->fd, (off_t)specimen->size), 0);
    for (size_t done = 0; done < specimen->size;) {
        ssize_t put =
            pwrite(specimen->fd, specimen->bytes + done, specimen->size - done, (off_t)done);
        CU_ASSERT_FATAL(put > 0);
        done += (size_t)put;
    }
}

/* Takes addresses all over the program's code. */
static void choose_addresses(struct specimen *specimen, const struct asnap_region *region)
{
    for (size_t i = 0; i < ADDRESSES; i++)
        specimen->addresses[i] = region->start + 1 + (region->end - region->start) * i / ADDRESSES;
}

static void specimen_init(struct specimen *specimen)
{
    memset(specimen, 0, sizeof(*specimen));
    specimen->random = 0x5eed;
    FILE *self = fopen("/proc/self/exe", "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(self);
    struct stat status;
    CU_ASSERT_EQUAL_FATAL(fstat(fileno(self), &status), 0);
    specimen->size = (size_t)status.st_size;
    specimen->bytes = malloc(specimen->size);
    CU_ASSERT_EQUAL_FATAL(fread(specimen->bytes, 1, specimen->size, self), specimen->size);
    fclose(self);
    specimen->fd = memfd_create("specimen", 0);
    CU_ASSERT_FATAL(specimen->fd >= 0);
    snprintf(specimen->path, sizeof(specimen->path), "/proc/self/fd/%d", specimen->fd);
    restore(specimen);
    own_regions_init(&specimen->own);
    for (size_t i = 0; i < specimen->own.count; i++) {
        struct asnap_region *region = &specimen->own.regions[i];
        if (strcmp(region->path, own_path()) != 0)
            continue;
        free((char *)region->path);
        region->path = strdup(specimen->path);
        if (region->start <= (uint64_t)next_random && (uint64_t)next_random < region->end)
            choose_addresses(specimen, region);
    }
    CU_ASSERT_FATAL(specimen->addresses[0] != 0);
}

static void specimen_deinit(struct specimen *specimen)
{
    close(specimen->fd);
    free(specimen->bytes);
    own_regions_deinit(&specimen->own);
}

/* Names the addresses; returns how many have a line. */
static size_t name_all(struct specimen *specimen)
{
    struct asnap_symbolizer *symbolizer;
    struct asnap_named_pc names[ADDRESSES];
    ASNAP_ASSERT_OK(asnap_symbolizer_create("", &symbolizer));
    ASNAP_ASSERT_OK(
        asnap_symbolizer_set_regions(symbolizer, NULL, specimen->own.regions, specimen->own.count));
    ASNAP_ASSERT_OK(asnap_symbolizer_name(symbolizer, specimen->addresses, ADDRESSES, NULL, names));
    size_t lines = 0;
    for (size_t i = 0; i < ADDRESSES; i++) {
        CU_ASSERT_FATAL(names[i].frame_count > 0);
        for (size_t k = 0; k < names[i].frame_count; k++)
            CU_ASSERT(names[i].frames[k].filename[0] != '\0');
        lines += names[i].frames[0].lineno != 0;
    }
    asnap_symbolizer_destroy(symbolizer);
    return lines;
}

ASNAP_TEST(symbols_damage, cut_short)
{
    struct specimen specimen;
    specimen_init(&specimen);
    CU_ASSERT(name_all(&specimen) > ADDRESSES / 2);
    for (size_t i = 0; i < 120; i++) {
        size_t size = i < 40 ? i * 16 : (size_t)(next_random(&specimen) % specimen.size);
        CU_ASSERT_EQUAL(ftruncate(specimen.fd, (off_t)size), 0);
        CU_ASSERT(name_all(&specimen) <= ADDRESSES);
        restore(&specimen);
    }
    CU_ASSERT(name_all(&specimen) > ADDRESSES / 2);
    specimen_deinit(&specimen);
}

/* The pieces of the file that the symbolizer reads. */
struct piece {
    uint64_t offset;
    uint64_t size;
};

static size_t list_pieces(const struct specimen *specimen, struct piece *pieces, size_t capacity)
{
    struct asnap_elf *elf;
    ASNAP_ASSERT_OK(asnap_elf_open(specimen->path, &elf));
    GElf_Ehdr header;
    CU_ASSERT_PTR_NOT_NULL_FATAL(gelf_getehdr(elf->elf, &header));
    size_t count = 0;
    pieces[count++] = (struct piece){0, 64 + (uint64_t)header.e_phnum * header.e_phentsize};
    pieces[count++] = (struct piece){header.e_shoff, (uint64_t)header.e_shnum * header.e_shentsize};
    static const char *const names[] = {
        ".symtab",         ".strtab",         ".note.gnu.build-id", ".debug_aranges",
        ".debug_info",     ".debug_abbrev",   ".debug_line",        ".debug_str",
        ".debug_line_str", ".debug_rnglists", ".debug_loclists",    ".debug_ranges",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && count < capacity; i++) {
        Elf_Scn *section = asnap_elf_section(elf, names[i]);
        GElf_Shdr found;
        if (section != NULL && gelf_getshdr(section, &found) != NULL && found.sh_size > 0)
            pieces[count++] = (struct piece){found.sh_offset, found.sh_size};
    }
    asnap_elf_close(elf);
    return count;
}

/* Changes a few bytes of one piece, more often near its start. */
static void damage(struct specimen *specimen, const struct piece *piece)
{
    size_t changes = 1 + next_random(specimen) % 6;
    for (size_t i = 0; i < changes; i++) {
        uint64_t reach = next_random(specimen) % 2 == 0 && piece->size > 256 ? 256 : piece->size;
        uint64_t offset = piece->offset + next_random(specimen) % reach;
        unsigned char value =
            next_random(specimen) % 4 == 0 ? 0xff : (unsigned char)(next_random(specimen) & 0xff);
        CU_ASSERT_EQUAL(pwrite(specimen->fd, &value, 1, (off_t)offset), 1);
    }
}

ASNAP_TEST(symbols_damage, bytes_changed)
{
    struct specimen specimen;
    specimen_init(&specimen);
    struct piece pieces[16];
    size_t count = list_pieces(&specimen, pieces, 16);
    CU_ASSERT_FATAL(count > 8);
    size_t harmed = 0;
    size_t whole = name_all(&specimen);
    for (size_t i = 0; i < RUNS; i++) {
        damage(&specimen, &pieces[i % count]);
        harmed += name_all(&specimen) < whole;
        restore(&specimen);
    }
    CU_ASSERT(harmed > RUNS / 20);
    CU_ASSERT_EQUAL(name_all(&specimen), whole);
    specimen_deinit(&specimen);
}
