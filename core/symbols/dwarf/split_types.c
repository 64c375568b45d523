#include "split_types.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "byte_cursor.h"
#include "elf_contents.h"
#include "error.h"

/* DWARF 5, section 7.5.1. */
#define UNIT_SPLIT_TYPE 6

/* How many sections of the two kinds there are, and where the headers of the sections are. */
struct shape {
    size_t info_count;
    size_t types_count;
    uint64_t headers;
    uint64_t header_size;
};

static bool is_named(const struct asnap_elf *elf, Elf_Scn *section, const char *wanted)
{
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == NULL || header.sh_type != SHT_PROGBITS)
        return false;
    const char *name = elf_strptr(elf->elf, elf->section_names, header.sh_name);
    return name != NULL && strcmp(name, wanted) == 0;
}

static bool is_info(const struct asnap_elf *elf, Elf_Scn *section)
{
    return is_named(elf, section, ".debug_info.dwo");
}

static bool is_types(const struct asnap_elf *elf, Elf_Scn *section)
{
    return is_named(elf, section, ".debug_types.dwo");
}

static bool read_shape(const struct asnap_elf *elf, struct shape *shape)
{
    GElf_Ehdr header;
    *shape = (struct shape){0};
    if (gelf_getehdr(elf->elf, &header) == NULL || elf->section_names == 0)
        return false;
    shape->headers = header.e_shoff;
    shape->header_size = header.e_shentsize;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf->elf, section)) != NULL;) {
        shape->info_count += is_info(elf, section);
        shape->types_count += is_types(elf, section);
    }
    return true;
}

static bool holds_only_types(const struct asnap_elf *elf, Elf_Scn *section)
{
    struct asnap_contents contents;
    asnap_elf_section_contents(elf, section, &contents);
    struct asnap_cursor left = {.big_endian = contents.big_endian};
    if (contents.bytes != NULL) {
        left.at = contents.bytes;
        left.end = contents.bytes + contents.size;
    }
    while (left.at < left.end) {
        struct asnap_cursor unit = left;
        asnap_cursor_take_length(&unit);
        left.at = unit.end;
        uint64_t version = asnap_cursor_take(&unit, 2);
        if (unit.is_bad || version < 5 || asnap_cursor_take(&unit, 1) != UNIT_SPLIT_TYPE)
            return false;
    }
    return contents.bytes != NULL;
}

/* Copies a file; false where that fails, with errno set. */
static bool copy_file(int from, int to)
{
    char buffer[65536];
    for (off_t at = 0;;) {
        ssize_t got = pread(from, buffer, sizeof(buffer), at);
        if (got == 0)
            return true;
        if (got > 0)
            got = pwrite(to, buffer, (size_t)got, at);
        if (got > 0)
            at += got;
        else if (got == 0 || errno != EINTR)
            return false;
    }
}

/* Makes the header of a section that of no section, in the copy. */
static bool drop(const struct shape *shape, size_t index, int fd)
{
    static const char nothing[sizeof(Elf64_Shdr)];
    uint64_t place;
    if (shape->header_size > sizeof(nothing) ||
        __builtin_mul_overflow(shape->header_size, index, &place) ||
        __builtin_add_overflow(shape->headers, place, &place) || place > INT64_MAX)
        return false;
    return pwrite(fd, nothing, shape->header_size, (off_t)place) == (ssize_t)shape->header_size;
}

static bool drop_all(const struct asnap_elf *elf, const struct shape *shape, int fd)
{
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf->elf, section)) != NULL;) {
        bool is_superfluous =
            is_types(elf, section) ||
            (shape->info_count > 1 && is_info(elf, section) && holds_only_types(elf, section));
        if (is_superfluous && !drop(shape, elf_ndxscn(section), fd))
            return false;
    }
    return true;
}

struct asnap_error *asnap_split_types_drop(struct asnap_elf **elf)
{
    struct shape shape;
    if (!read_shape(*elf, &shape) || (shape.info_count <= 1 && shape.types_count <= 1))
        return NULL;
    /* Holes would cost memory in the copy. */
    bool is_whole = asnap_elf_is_there(*elf, 0, (*elf)->file_bytes);
    errno = EINVAL;
    int fd = is_whole ? memfd_create("allocsnap", MFD_CLOEXEC) : -1;
    if (fd < 0 || !copy_file((*elf)->fd, fd) || !drop_all(*elf, &shape, fd)) {
        struct asnap_error *error = asnap_error_create(
            ASNAP_ERROR_IO,
            "%s: cannot be copied without its types (%s): its functions are not named",
            (*elf)->path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return error;
    }
    struct asnap_elf *copy;
    struct asnap_error *error = asnap_elf_open_object(fd, (*elf)->path, &copy);
    if (error != NULL)
        return error;
    asnap_elf_close(*elf);
    *elf = copy;
    return NULL;
}
