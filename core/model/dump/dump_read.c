#include "dump_read.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checksum.h"
#include "grow.h"
#include "open_file.h"

/* About what is read at a time, to be summed up while it is in the processor's cache. */
#define CHUNK ((size_t)256 * 1024)

struct asnap_error *asnap_dump_damaged(const struct asnap_dump_reader *reader, const char *format,
                                       ...)
{
    char *what;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&what, format, arguments);
    va_end(arguments);
    if (length < 0)
        return asnap_error_no_memory();
    struct asnap_error *error = asnap_error_create(
        ASNAP_ERROR_DAMAGED, "cannot load %s: it is damaged (%s): use another copy of it",
        reader->path, what);
    free(what);
    return asnap_error_of_file(error, reader->path, 0);
}

static struct asnap_error *unreadable(const struct asnap_dump_reader *reader, int result)
{
    struct asnap_error *error =
        asnap_error_create(ASNAP_ERROR_IO, "cannot load %s: %s: choose a file that can be read",
                           reader->path, asnap_open_reason(result));
    return asnap_error_of_file(error, reader->path, asnap_open_errno(result));
}

static struct asnap_error *read_bytes(const struct asnap_dump_reader *reader, void *bytes,
                                      size_t size, uint64_t offset)
{
    char *at = bytes;
    while (size > 0) {
        ssize_t got = pread(reader->fd, at, size, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return unreadable(reader, errno);
        if (got == 0)
            return asnap_dump_damaged(reader, "it ends too early");
        at += got;
        size -= (size_t)got;
        offset += (uint64_t)got;
    }
    return NULL;
}

static struct asnap_error *check_header(const struct asnap_dump_reader *reader, uint64_t file_size)
{
    const struct asnap_dump_header *header = &reader->header;
    if (header->byte_order == __builtin_bswap32(ASNAP_DUMP_BYTE_ORDER))
        return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                                  "cannot load %s: a machine of another byte order wrote it: load "
                                  "it on such a machine",
                                  reader->path);
    if (header->byte_order != ASNAP_DUMP_BYTE_ORDER)
        return asnap_dump_damaged(reader, "its byte order mark is 0x%x, not 0x%x",
                                  header->byte_order, ASNAP_DUMP_BYTE_ORDER);
    if (header->version < ASNAP_DUMP_VERSION_TIMELESS || header->version > ASNAP_DUMP_VERSION)
        return asnap_error_create(ASNAP_ERROR_VERSION,
                                  "cannot load %s: it has format version %lu, this library reads "
                                  "versions %lu to %lu: use the allocsnap that wrote it",
                                  reader->path, (unsigned long)header->version,
                                  (unsigned long)ASNAP_DUMP_VERSION_TIMELESS,
                                  (unsigned long)ASNAP_DUMP_VERSION);
    if (header->file_size > file_size)
        return asnap_dump_damaged(
            reader, "it has %llu bytes, and its header says %llu: it is cut short",
            (unsigned long long)file_size, (unsigned long long)header->file_size);
    if (header->file_size < file_size)
        return asnap_dump_damaged(reader, "it has %llu bytes, and its header says %llu",
                                  (unsigned long long)file_size,
                                  (unsigned long long)header->file_size);
    if (header->section_count > ASNAP_DUMP_SECTIONS_MAX)
        return asnap_dump_damaged(reader, "its header says %u sections, and there can be %d",
                                  header->section_count, ASNAP_DUMP_SECTIONS_MAX);
    return NULL;
}

/* The sections lie one after the other, with less than 8 zeros between them. */
static struct asnap_error *check_sections(const struct asnap_dump_reader *reader)
{
    const struct asnap_dump_header *header = &reader->header;
    uint64_t end = sizeof(*header) + header->section_count * sizeof(*reader->sections);
    uint32_t last_kind = 0;
    for (uint32_t i = 0; i < header->section_count; i++) {
        const struct asnap_dump_section *section = &reader->sections[i];
        if (section->kind <= last_kind || section->reserved != 0)
            return asnap_dump_damaged(
                reader, "section %u comes after section %u, or its reserved field is not 0",
                section->kind, last_kind);
        if (section->offset != end || section->size == 0 ||
            section->size > header->file_size - section->offset)
            return asnap_dump_damaged(
                reader, "section %u: %llu bytes at offset %llu of a file of %llu bytes",
                section->kind, (unsigned long long)section->size,
                (unsigned long long)section->offset, (unsigned long long)header->file_size);
        end = section->offset + section->size;
        end += -end % ASNAP_DUMP_ALIGNMENT;
        last_kind = section->kind;
        if (end > header->file_size)
            return asnap_dump_damaged(
                reader, "section %u: %llu bytes at offset %llu of a file of %llu bytes",
                section->kind, (unsigned long long)section->size,
                (unsigned long long)section->offset, (unsigned long long)header->file_size);
    }
    if (end != header->file_size)
        return asnap_dump_damaged(reader, "there are bytes after its last section");
    return NULL;
}

static struct asnap_error *read_table(struct asnap_dump_reader *reader)
{
    size_t size = reader->header.section_count * sizeof(*reader->sections);
    struct asnap_error *error = read_bytes(reader, reader->sections, size, sizeof(reader->header));
    if (error != NULL)
        return error;
    char bytes[sizeof(reader->header) + sizeof(reader->sections)];
    struct asnap_dump_header header = reader->header;
    header.checksum = 0;
    memcpy(bytes, &header, sizeof(header));
    memcpy(bytes + sizeof(header), reader->sections, size);
    struct asnap_checksum sum = {0};
    asnap_checksum_add(&sum, bytes, sizeof(header) + size);
    if (asnap_checksum_end(&sum) != reader->header.checksum)
        return asnap_dump_damaged(reader, "the checksum of its header is wrong");
    return check_sections(reader);
}

/* The error for a file of another kind, by its first bytes. */
static struct asnap_error *foreign(const struct asnap_dump_reader *reader)
{
    /* How a pickle of protocol 2 or later begins (pickletools: PROTO). */
    if (reader->header.magic[0] == '\x80')
        return asnap_error_create(ASNAP_ERROR_UNSUPPORTED,
                                  "cannot load %s: it is a pickle, as tracemalloc writes, and "
                                  "to load one can run any code in it: choose a file that "
                                  "`snapshot dump` has written, without `--format tracemalloc`; "
                                  "where you trust it, Python's tracemalloc loads it",
                                  reader->path);
    return asnap_error_create(ASNAP_ERROR_DAMAGED,
                              "cannot load %s: it is no allocsnap dump: choose a file that "
                              "`snapshot dump` has written",
                              reader->path);
}

/* `file_size` bytes cost whoever made the file as much on the disk: no section is made up. */
static struct asnap_error *check_contents(const struct asnap_dump_reader *reader,
                                          uint64_t file_size)
{
    return asnap_file_is_hollow(reader->fd, 0, file_size)
               ? asnap_dump_damaged(reader, "most of it is holes, without contents")
               : NULL;
}

static struct asnap_error *read_header(struct asnap_dump_reader *reader, uint64_t file_size)
{
    struct asnap_error *error = NULL;
    size_t magic_size = sizeof(reader->header.magic);
    if (file_size >= magic_size)
        error = read_bytes(reader, reader->header.magic, magic_size, 0);
    if (error == NULL && memcmp(reader->header.magic, ASNAP_DUMP_MAGIC, magic_size) != 0)
        error = foreign(reader);
    if (error == NULL)
        error = read_bytes(reader, &reader->header, sizeof(reader->header), 0);
    if (error == NULL)
        error = check_header(reader, file_size);
    if (error == NULL)
        error = check_contents(reader, file_size);
    return error != NULL ? error : read_table(reader);
}

struct asnap_error *asnap_dump_open(struct asnap_dump_reader *reader, const char *path)
{
    struct stat status;
    *reader = (struct asnap_dump_reader){.path = path};
    int result = asnap_open_regular(path, &reader->fd, &status);
    if (result != 0)
        return unreadable(reader, result);
    struct asnap_error *error = read_header(reader, (uint64_t)status.st_size);
    if (error == NULL)
        return NULL;
    asnap_dump_close(reader);
    return asnap_error_path(error) != NULL ? error : asnap_error_of_file(error, path, 0);
}

void asnap_dump_close(struct asnap_dump_reader *reader)
{
    close(reader->fd);
}

/* Reads a section in pieces of whole elements. */
static struct asnap_error *read_section(const struct asnap_dump_reader *reader,
                                        const struct asnap_dump_section *section,
                                        size_t element_size, const struct asnap_dump_look *look,
                                        char *bytes)
{
    struct asnap_checksum sum = {0};
    struct asnap_error *wrong = NULL;
    size_t chunk = ASNAP_CHECKSUM_STEP * element_size;
    chunk *= CHUNK > chunk ? CHUNK / chunk : 1;
    for (size_t done = 0, size; done < section->size; done += size) {
        size = section->size - done < chunk ? section->size - done : chunk;
        struct asnap_error *error = read_bytes(reader, bytes + done, size, section->offset + done);
        if (error != NULL) {
            asnap_error_destroy(wrong);
            return error;
        }
        asnap_checksum_add(&sum, bytes + done, size);
        if (look != NULL && wrong == NULL)
            wrong = look->look(look->context, bytes + done, size / element_size);
    }
    if (asnap_checksum_end(&sum) == section->checksum)
        return wrong;
    asnap_error_destroy(wrong);
    return asnap_dump_damaged(reader, "the checksum of section %u is wrong", section->kind);
}

struct asnap_error *asnap_dump_read_looking(const struct asnap_dump_reader *reader,
                                            enum asnap_dump_kind kind, size_t element_size,
                                            const struct asnap_dump_look *look, void **elements,
                                            size_t *count)
{
    static const struct asnap_dump_section left_out;
    const struct asnap_dump_section *section = &left_out;
    for (uint32_t i = 0; i < reader->header.section_count; i++) {
        if (reader->sections[i].kind == kind)
            section = &reader->sections[i];
    }
    if (section->size % element_size != 0)
        return asnap_dump_damaged(
            reader, "section %u: %llu bytes are no whole number of elements of %zu bytes",
            section->kind, (unsigned long long)section->size, element_size);
    if (section->size > SIZE_MAX - element_size)
        return asnap_error_no_memory();
    size_t size = (size_t)section->size + element_size;
    char *bytes = asnap_in_huge_pages(malloc(size), size);
    if (bytes == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = read_section(reader, section, element_size, look, bytes);
    if (error != NULL) {
        free(bytes);
        return error;
    }
    *elements = bytes;
    *count = (size_t)section->size / element_size;
    return NULL;
}

struct asnap_error *asnap_dump_read(const struct asnap_dump_reader *reader,
                                    enum asnap_dump_kind kind, size_t element_size, void **elements,
                                    size_t *count)
{
    return asnap_dump_read_looking(reader, kind, element_size, NULL, elements, count);
}
