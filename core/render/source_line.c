#include "source_line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGEST_FILE (16u << 20) /* bytes; the largest sources are generated and smaller */

/* Opens a regular file that is not too large. Nothing else is opened: that could
 * block, or do something. */
static int open_source(const char *name, size_t *size)
{
    struct stat status;
    if (name[0] != '/' || stat(name, &status) != 0 || !S_ISREG(status.st_mode))
        return -1;
    int file = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file < 0)
        return -1;
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size <= 0 ||
        status.st_size > (off_t)LARGEST_FILE) {
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

static bool index_lines(struct asnap_source_file *source, size_t size)
{
    size_t count = 1;
    for (size_t i = 0; i < size; i++)
        count += source->text[i] == '\n';
    source->lines = reallocarray(NULL, count + 1, sizeof(*source->lines));
    if (source->lines == NULL)
        return false;
    source->lines[source->line_count++] = 0;
    for (size_t i = 0; i < size; i++) {
        if (source->text[i] == '\n')
            source->lines[source->line_count++] = i + 1;
    }
    source->lines[count] = size + 1;
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
    bool done = source->text != NULL;
    if (done)
        done = index_lines(source, read_all(file, source->text, size));
    close(file);
    return done;
}

static void forget(struct asnap_source_file *source)
{
    free(source->name);
    free(source->text);
    free(source->lines);
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
    const char *begin = source->text + source->lines[lineno - 1];
    const char *end = source->text + source->lines[lineno] - 1;
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
