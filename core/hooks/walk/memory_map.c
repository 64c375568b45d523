#include "memory_map.h"

#include <stddef.h>
#include <string.h>

#include "kernel.h"
#include "pages.h"

/* The lines of the map come in pieces. */
struct reader {
    int file;
    size_t used;
    size_t at;
    char buffer[2 * ASNAP_MEMORY_MAP_PATH_BYTES];
};

/* What is read of a line of proc(5)'s /proc/pid/maps. */
struct line {
    uint64_t start;
    uint64_t end;
    uint64_t offset;
    const char *path; /* "" for none */
};

/* The next line with its newline cut off, or NULL at the end. */
static char *next_line(struct reader *reader)
{
    for (;;) {
        char *start = reader->buffer + reader->at;
        char *newline = memchr(start, '\n', reader->used - reader->at);
        if (newline != NULL) {
            *newline = '\0';
            reader->at = (size_t)(newline + 1 - reader->buffer);
            return start;
        }
        memmove(reader->buffer, start, reader->used - reader->at);
        reader->used -= reader->at;
        reader->at = 0;
        if (reader->used == sizeof(reader->buffer))
            return NULL;
        long got = asnap_kernel_read(reader->file, reader->buffer + reader->used,
                                     sizeof(reader->buffer) - reader->used);
        if (got <= 0)
            return NULL;
        reader->used += (size_t)got;
    }
}

static const char *read_hex(const char *text, uint64_t *number)
{
    *number = 0;
    for (;; text++) {
        unsigned digit;
        if (*text >= '0' && *text <= '9')
            digit = (unsigned)(*text - '0');
        else if (*text >= 'a' && *text <= 'f')
            digit = (unsigned)(*text - 'a') + 10;
        else
            return text;
        *number = *number << 4 | digit;
    }
}

/* start-end permissions offset device inode path */
static bool read_line(const char *text, struct line *line)
{
    text = read_hex(text, &line->start);
    if (*text != '-')
        return false;
    text = read_hex(text + 1, &line->end);
    text += strspn(text, " ");
    text += strcspn(text, " ");
    text = read_hex(text + strspn(text, " "), &line->offset);
    for (int field = 0; field < 2; field++) {
        text += strspn(text, " ");
        text += strcspn(text, " ");
    }
    line->path = text + strspn(text, " ");
    return true;
}

static void note_file(const struct line *line, struct asnap_mapped_file *file)
{
    file->start = line->start;
    size_t length = strnlen(line->path, sizeof(file->path) - 1);
    memcpy(file->path, line->path, length);
    file->path[length] = '\0';
}

bool asnap_memory_map_find(uint64_t address, struct asnap_mapped_file *file)
{
    bool found = false;
    /* Signal handlers have small stacks. */
    struct reader *reader = asnap_pages_map(sizeof(*reader));
    if (reader == NULL)
        return false;
    reader->file = asnap_kernel_open("/proc/self/maps", O_RDONLY, 0);
    struct line line;
    file->path[0] = '\0';
    for (char *text; reader->file >= 0 && !found && (text = next_line(reader)) != NULL;) {
        if (!read_line(text, &line) || line.start > address)
            break;
        if (line.path[0] != '\0' && (line.offset == 0 || strcmp(line.path, file->path) != 0))
            note_file(&line, file);
        found = address < line.end && line.path[0] != '\0';
    }
    if (reader->file >= 0)
        asnap_kernel_close(reader->file);
    asnap_pages_unmap(reader, sizeof(*reader));
    return found;
}
