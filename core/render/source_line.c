#include "source_line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "open_file.h"

#define LARGEST_FILE (16u << 20) /* bytes; the largest sources are generated and smaller */

/* Opens a regular file that is not too large. */
static int open_source(const char *name, size_t *size)
{
    struct stat status;
    int file;
    if (name[0] != '/' || asnap_open_regular(name, &file, &status) != 0)
        return -1;
    if (status.st_size <= 0 || status.st_size > (off_t)LARGEST_FILE) {
        close(file);
        return -1;
    }
    *size = (size_t)status.st_size;
    return file;
}

/* Reads up to `size` bytes; returns how many there were. */
static size_t read_all(int file, char *text, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(file, text + done, size - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

static bool index_lines(struct asnap_source_file *source)
{
    size_t count = 1;
    for (size_t i = 0; i < source->size; i++)
        count += source->text[i] == '\n';
    source->marks = reallocarray(NULL, count / ASNAP_SOURCE_STEP + 1, sizeof(*source->marks));
    if (source->marks == NULL)
        return false;
    source->marks[0] = 0;
    source->line_count = 1;
    for (size_t i = 0; i < source->size; i++) {
        if (source->text[i] == '\n' && source->line_count++ % ASNAP_SOURCE_STEP == 0)
            source->marks[(source->line_count - 1) / ASNAP_SOURCE_STEP] = (uint32_t)(i + 1);
    }
    return true;
}

/* Fills an empty place; false where memory is short. */
static bool load(struct asnap_source_file *source, const char *name)
{
    source->name = strdup(name);
    if (source->name == NULL)
        return false;
    size_t size = 0;
    int file = open_source(name, &size);
    if (file < 0)
        return true;
    source->text = malloc(size);
    if (source->text != NULL)
        source->size = read_all(file, source->text, size);
    close(file);
    return source->text != NULL && index_lines(source);
}

static void forget(struct asnap_source_file *source)
{
    free(source->name);
    free(source->text);
    free(source->marks);
    *source = (struct asnap_source_file){0};
}

/* The place of a file, filled; NULL where memory is short. */
static const struct asnap_source_file *find(struct asnap_source_cache *cache, const char *name)
{
    for (size_t i = 0; i < ASNAP_SOURCE_FILES; i++) {
        if (cache->files[i].name != NULL && strcmp(cache->files[i].name, name) == 0)
            return &cache->files[i];
    }
    struct asnap_source_file *source = &cache->files[cache->oldest];
    forget(source);
    if (!load(source, name)) {
        forget(source);
        return NULL;
    }
    cache->oldest = (cache->oldest + 1) % ASNAP_SOURCE_FILES;
    return source;
}

/* Where a line ends that begins at `begin`. */
static const char *end_of_line(const char *begin, const char *end_of_file)
{
    const char *end = memchr(begin, '\n', (size_t)(end_of_file - begin));
    return end == NULL ? end_of_file : end;
}

static bool is_space(char character)
{
    return character == ' ' || (character >= '\t' && character <= '\r');
}

struct asnap_error *asnap_source_line(struct asnap_source_cache *cache, const char *filename,
                                      uint32_t lineno, const char **line, size_t *length)
{
    *line = NULL;
    *length = 0;
    if (lineno == 0)
        return NULL;
    const struct asnap_source_file *source = find(cache, filename);
    if (source == NULL)
        return asnap_error_no_memory();
    if (source->text == NULL || lineno > source->line_count)
        return NULL;
    const char *end_of_file = source->text + source->size;
    const char *begin = source->text + source->marks[(lineno - 1) / ASNAP_SOURCE_STEP];
    for (size_t i = (lineno - 1) % ASNAP_SOURCE_STEP; i > 0; i--)
        begin = end_of_line(begin, end_of_file) + 1;
    const char *end = end_of_line(begin, end_of_file);
    while (begin < end && is_space(*begin))
        begin++;
    while (begin < end && is_space(end[-1]))
        end--;
    if (begin == end)
        return NULL;
    *line = begin;
    *length = (size_t)(end - begin);
    return NULL;
}

void asnap_source_cache_deinit(struct asnap_source_cache *cache)
{
    for (size_t i = 0; i < ASNAP_SOURCE_FILES; i++)
        forget(&cache->files[i]);
}
