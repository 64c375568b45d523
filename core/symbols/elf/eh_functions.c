#include "eh_functions.h"

#include <stdlib.h>
#include <string.h>

#include "byte_cursor.h"
#include "elf_contents.h"
#include "error.h"
#include "grow.h"

/* How pointers are written (LSB Core, "DWARF Exception Header Encoding"). */
enum {
    FORMAT_MASK = 0x0f,
    FORMAT_ABSOLUTE = 0x00,
    FORMAT_LEB = 0x01,
    FORMAT_2 = 0x02,
    FORMAT_4 = 0x03,
    FORMAT_8 = 0x04,
    FORMAT_SIGNED = 0x08,
    FORMAT_SIGNED_LEB = 0x09,
    BASE_MASK = 0x70,
    BASE_HERE = 0x10, /* from where the pointer stands */
    IS_INDIRECT = 0x80,
    OMITTED = 0xff,
};

/* A common information entry is not larger; a longer one is not read to its end. */
#define COMMON_BYTES_MAX 256

struct range {
    uint64_t start;
    uint64_t end;
};

struct asnap_eh_functions {
    struct range *ranges; /* by their starts */
    size_t count;
    size_t capacity;
};

/* A section of unwind information. */
struct section {
    const unsigned char *bytes;
    size_t size;
    uint64_t address; /* link-time, of its start */
    size_t pointer_bytes;
    bool big_endian;
    uint64_t common_at;  /* of the common information entry that was read last */
    int common_encoding; /* of its functions' addresses; OMITTED: not known */
};

static struct asnap_cursor cursor_at(const struct section *section, uint64_t offset)
{
    return (struct asnap_cursor){.at = section->bytes + offset,
                                 .end = section->bytes + section->size,
                                 .big_endian = section->big_endian};
}

/* A number in one of the formats. */
static uint64_t take_number(const struct section *section, struct asnap_cursor *cursor, int format)
{
    static const size_t sizes[] = {[FORMAT_2] = 2, [FORMAT_4] = 4, [FORMAT_8] = 8};
    if (format == FORMAT_LEB)
        return asnap_cursor_take_leb(cursor);
    if (format == FORMAT_SIGNED_LEB)
        return (uint64_t)asnap_cursor_take_signed_leb(cursor);
    if ((format & ~FORMAT_SIGNED) == FORMAT_ABSOLUTE)
        return asnap_cursor_take(cursor, section->pointer_bytes);
    size_t size = (format & ~FORMAT_SIGNED) <= FORMAT_8 ? sizes[format & ~FORMAT_SIGNED] : 0;
    if (size == 0) {
        cursor->is_bad = true;
        return 0;
    }
    uint64_t number = asnap_cursor_take(cursor, size);
    unsigned int unused = (unsigned int)(8 * (sizeof(number) - size));
    if ((format & FORMAT_SIGNED) != 0 && unused > 0)
        number = (uint64_t)((int64_t)(number << unused) >> unused);
    return number;
}

/* An address; the cursor is bad where it is written in a way that compilers do not use for
 * functions. */
static uint64_t take_address(const struct section *section, struct asnap_cursor *cursor,
                             int encoding)
{
    uint64_t here = section->address + (uint64_t)(cursor->at - section->bytes);
    if ((encoding & IS_INDIRECT) != 0 ||
        ((encoding & BASE_MASK) != 0 && (encoding & BASE_MASK) != BASE_HERE)) {
        cursor->is_bad = true;
        return 0;
    }
    uint64_t number = take_number(section, cursor, encoding & FORMAT_MASK);
    return (encoding & BASE_MASK) == BASE_HERE ? here + number : number;
}

/* The encoding of the functions' addresses in the augmentation data of a common information
 * entry; OMITTED where it is not known. */
static int find_encoding(const struct section *section, struct asnap_cursor *cursor,
                         const char *augmentation)
{
    asnap_cursor_take_leb(cursor); /* the length of the data */
    for (const char *letter = augmentation + 1; *letter != '\0'; letter++) {
        if (*letter == 'R')
            return (int)asnap_cursor_take(cursor, 1);
        if (*letter == 'L') {
            asnap_cursor_skip(cursor, 1);
        } else if (*letter == 'P') {
            int encoding = (int)asnap_cursor_take(cursor, 1);
            take_number(section, cursor, encoding & FORMAT_MASK);
        } else if (*letter != 'S' && *letter != 'B') {
            return OMITTED;
        }
    }
    return FORMAT_ABSOLUTE;
}

/* Reads the common information entry at an offset, unless it was the last one. */
static void read_common(struct section *section, uint64_t offset)
{
    if (section->common_at == offset)
        return;
    section->common_at = offset;
    section->common_encoding = OMITTED;
    struct asnap_cursor cursor = cursor_at(section, offset);
    asnap_cursor_take_length(&cursor);
    if (cursor.end - cursor.at > COMMON_BYTES_MAX)
        cursor.end = cursor.at + COMMON_BYTES_MAX;
    if (asnap_cursor_take(&cursor, 4) != 0) /* where a function has the way to its common entry */
        return;
    uint64_t version = asnap_cursor_take(&cursor, 1);
    const char *augmentation = (const char *)cursor.at;
    size_t length = strnlen(augmentation, (size_t)(cursor.end - cursor.at));
    asnap_cursor_skip(&cursor, length + 1);
    if (cursor.is_bad || (version != 1 && version != 3))
        return;
    asnap_cursor_take_leb(&cursor); /* code alignment */
    asnap_cursor_take_signed_leb(&cursor);
    if (version == 1)
        asnap_cursor_skip(&cursor, 1); /* the return address's register */
    else
        asnap_cursor_take_leb(&cursor);
    int encoding = FORMAT_ABSOLUTE;
    if (augmentation[0] == 'z')
        encoding = find_encoding(section, &cursor, augmentation);
    else if (augmentation[0] != '\0')
        encoding = OMITTED;
    if (!cursor.is_bad)
        section->common_encoding = encoding;
}

/* Adds the function whose entry is at `cursor`, behind its length. */
static struct asnap_error *add_function(struct asnap_eh_functions *functions,
                                        struct section *section, struct asnap_cursor *cursor)
{
    uint64_t here = (uint64_t)(cursor->at - section->bytes);
    uint64_t back = asnap_cursor_take(cursor, 4);
    if (cursor->is_bad || back == 0 || back > here)
        return NULL;
    read_common(section, here - back);
    if (section->common_encoding == OMITTED)
        return NULL;
    uint64_t start = take_address(section, cursor, section->common_encoding);
    uint64_t size = take_number(section, cursor, section->common_encoding & FORMAT_MASK);
    uint64_t end;
    if (cursor->is_bad || start == 0 || __builtin_add_overflow(start, size, &end))
        return NULL;
    struct range *ranges =
        asnap_grow(functions->ranges, &functions->capacity, functions->count + 1, sizeof(*ranges));
    if (ranges == NULL)
        return asnap_error_no_memory();
    functions->ranges = ranges;
    ranges[functions->count++] = (struct range){start, end};
    return NULL;
}

static int compare_ranges(const void *left, const void *right)
{
    const struct range *a = left;
    const struct range *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return (a->end > b->end) - (a->end < b->end);
}

static struct asnap_error *read_functions(struct asnap_eh_functions *functions,
                                          struct section *section)
{
    struct asnap_cursor all = cursor_at(section, 0);
    while (all.at < all.end) {
        struct asnap_cursor entry = all;
        size_t offset_bytes = asnap_cursor_take_length(&entry);
        /* A length of 0 ends what one file was linked of. */
        if (entry.is_bad)
            break;
        all.at = entry.end;
        if (entry.at == entry.end || offset_bytes != 4)
            continue;
        struct asnap_error *error = add_function(functions, section, &entry);
        if (error != NULL)
            return error;
    }
    if (functions->count > 0)
        qsort(functions->ranges, functions->count, sizeof(*functions->ranges), compare_ranges);
    return NULL;
}

/* Finds the section; one without contents where there is none. */
static struct section find_section(const struct asnap_elf *elf)
{
    struct section found = {.common_at = UINT64_MAX, .common_encoding = OMITTED};
    Elf_Scn *scn = asnap_elf_section(elf, ".eh_frame");
    Elf_Data *data = asnap_elf_raw_data(elf, scn);
    GElf_Shdr header;
    if (data == NULL || data->d_buf == NULL || gelf_getshdr(scn, &header) == NULL)
        return found;
    const char *ident = elf_getident(elf->elf, NULL);
    found.bytes = data->d_buf;
    found.size = data->d_size;
    found.address = header.sh_addr;
    found.pointer_bytes = gelf_getclass(elf->elf) == ELFCLASS32 ? 4 : 8;
    found.big_endian = ident != NULL && ident[EI_DATA] == ELFDATA2MSB;
    return found;
}

struct asnap_error *asnap_eh_functions_create(const struct asnap_elf *elf,
                                              struct asnap_eh_functions **functions)
{
    struct asnap_eh_functions *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    struct section section = find_section(elf);
    struct asnap_error *error = section.bytes == NULL ? NULL : read_functions(made, &section);
    if (error != NULL) {
        asnap_eh_functions_destroy(made);
        return error;
    }
    *functions = made;
    return NULL;
}

void asnap_eh_functions_destroy(struct asnap_eh_functions *functions)
{
    if (functions == NULL)
        return;
    free(functions->ranges);
    free(functions);
}

uint64_t asnap_eh_functions_start(const struct asnap_eh_functions *functions, uint64_t address)
{
    size_t low = 0;
    size_t high = functions->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (functions->ranges[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    /* The last one that does not start behind the address. */
    bool is_within = low > 0 && address < functions->ranges[low - 1].end;
    return is_within ? functions->ranges[low - 1].start : address;
}
