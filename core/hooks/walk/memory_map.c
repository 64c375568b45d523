#include "memory_map.h"

#include <stddef.h>
#include <string.h>

#include "kernel.h"
#include "pages.h"

/* A line of the map: a byte of a path can take four. */
enum { LINE_BYTES = 4 * ASNAP_MEMORY_MAP_PATH_BYTES + 256 };

/* The lines come in pieces. */
struct reader {
    int file;
    size_t used;
    size_t at;
    char buffer[LINE_BYTES];
    uint64_t first_page;             /* the last mapping of a file's first page; 0: none yet */
    char first_identity[LINE_BYTES]; /* which file's */
    char wanted[LINE_BYTES];         /* the file that was found */
};

/* What is read of a line of proc(5)'s /proc/pid/maps. */
struct line {
    uint64_t start;
    uint64_t end;
    uint64_t offset;
    bool is_readable;
    bool is_writable;
    bool is_executable;
    const char *identity; /* device, inode and path, by which files are told apart */
    const char *path;     /* "" for none */
};

/* A reader is too large for the small stacks that signal handlers have. */
static struct reader *open_map(void)
{
    struct reader *reader = asnap_pages_map(sizeof(*reader));
    if (reader == NULL)
        return NULL;
    reader->file = asnap_kernel_open("/proc/self/maps", O_RDONLY, 0);
    if (reader->file < 0) {
        asnap_pages_unmap(reader, sizeof(*reader));
        return NULL;
    }
    return reader;
}

static void close_map(struct reader *reader)
{
    asnap_kernel_close(reader->file);
    asnap_pages_unmap(reader, sizeof(*reader));
}

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
    if (strnlen(text, 4) < 4)
        return false;
    line->is_readable = text[0] == 'r';
    line->is_writable = text[1] == 'w';
    line->is_executable = text[2] == 'x';
    text += strcspn(text, " ");
    text = read_hex(text + strspn(text, " "), &line->offset);
    line->identity = text;
    for (int field = 0; field < 2; field++) {
        text += strspn(text, " ");
        text += strcspn(text, " ");
    }
    line->path = text + strspn(text, " ");
    return true;
}

static bool next_mapping(struct reader *reader, struct line *line)
{
    char *text = next_line(reader);
    return text != NULL && read_line(text, line);
}

/* The kernel writes a newline in a path as \012. */
static void copy_path(const char *from, char to[ASNAP_MEMORY_MAP_PATH_BYTES])
{
    static const char newline[] = "\\012";
    const size_t escape = sizeof(newline) - 1;
    size_t length = 0;
    while (*from != '\0' && length < ASNAP_MEMORY_MAP_PATH_BYTES - 1) {
        bool is_newline = strncmp(from, newline, escape) == 0;
        to[length++] = is_newline ? '\n' : *from;
        from += is_newline ? escape : 1;
    }
    to[length] = '\0';
}

/* "[heap]", "[stack]" and the like are no files. */
static bool is_file(const struct line *line)
{
    return line->path[0] != '\0' && (line->path[0] != '[' || strcmp(line->path, "[vdso]") == 0);
}

static void note_first_page(struct reader *reader, const struct line *line)
{
    if (line->offset != 0 || !line->is_readable)
        return;
    reader->first_page = line->start;
    memcpy(reader->first_identity, line->identity, strlen(line->identity) + 1);
}

/* Looks on for the first page of a file whose first mapping was found. */
static uint64_t look_above(struct reader *reader)
{
    struct line line;
    while (next_mapping(reader, &line))
        if (line.offset == 0 && line.is_readable && strcmp(line.identity, reader->wanted) == 0)
            return line.start;
    return 0;
}

static bool find(struct reader *reader, uint64_t low, uint64_t high, struct asnap_mapped_file *file)
{
    struct line line;
    while (next_mapping(reader, &line) && line.start < high) {
        if (!is_file(&line))
            continue;
        note_first_page(reader, &line);
        if (line.end <= low)
            continue;
        file->start = line.start;
        file->end = line.end;
        file->offset = line.offset;
        copy_path(line.path, file->path);
        if (reader->first_page != 0 && strcmp(reader->first_identity, line.identity) == 0) {
            file->first_page = reader->first_page;
        } else {
            memcpy(reader->wanted, line.identity, strlen(line.identity) + 1);
            file->first_page = look_above(reader);
        }
        return true;
    }
    return false;
}

bool asnap_memory_map_find(uint64_t low, uint64_t high, struct asnap_mapped_file *file)
{
    struct reader *reader = open_map();
    bool found = reader != NULL && find(reader, low, high, file);
    if (reader != NULL)
        close_map(reader);
    return found;
}

bool asnap_memory_map_is_executable(uint64_t address)
{
    struct reader *reader = open_map();
    struct line line = {.end = 0};
    bool is_known = reader != NULL;
    while (is_known && line.end <= address && next_mapping(reader, &line))
        continue;
    bool is_mapped = line.start <= address && address < line.end;
    if (is_known)
        close_map(reader);
    return !is_known || (is_mapped && line.is_executable);
}

bool asnap_memory_map_protection(uint64_t address, int *protection)
{
    struct reader *reader = open_map();
    struct line line = {.end = 0};
    if (reader == NULL)
        return false;
    while (line.end <= address && next_mapping(reader, &line))
        continue;
    bool is_mapped = line.start <= address && address < line.end;
    close_map(reader);
    if (is_mapped)
        *protection = (line.is_readable ? PROT_READ : 0) | (line.is_writable ? PROT_WRITE : 0) |
                      (line.is_executable ? PROT_EXEC : 0);
    return is_mapped;
}
