#include "suppression_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "open_file.h"

/* As much of a line as a message shows. */
#define SHOWN 80

bool asnap_suppression_matches(const char *pattern, const char *text)
{
    const char *end = text + strlen(text);
    bool anchored = *pattern == '^';
    bool starred = false;
    if (text == end)
        return false;
    pattern += anchored;
    while (*pattern != '\0') {
        if (*pattern == '*') {
            pattern++;
            anchored = false;
            starred = true;
            continue;
        }
        if (*pattern == '$')
            return text == end || starred;
        size_t length = strcspn(pattern, "*$");
        const char *found = memmem(text, (size_t)(end - text), pattern, length);
        if (text == end || found == NULL || (anchored && found != text))
            return false;
        text = found + length;
        pattern += length;
        anchored = starred = false;
    }
    return true;
}

/* Reads a whole file into memory, with a zero behind it. */
static struct asnap_error *read_file(const char *path, char **bytes, size_t *size)
{
    struct stat status;
    int file;
    int result = asnap_open_regular(path, &file, &status);
    if (result != 0)
        return asnap_error_of_file(
            asnap_error_create(ASNAP_ERROR_IO,
                               "cannot read the suppressions in %s: %s: choose a file that can be "
                               "read",
                               path, asnap_open_reason(result)),
            path, asnap_open_errno(result));
    char *made = malloc(ASNAP_SUPPRESSION_FILE_MAX + 2);
    size_t got = 0;
    ssize_t more = made == NULL ? 0 : 1;
    while (more > 0 && got <= ASNAP_SUPPRESSION_FILE_MAX) {
        more = read(file, made + got, ASNAP_SUPPRESSION_FILE_MAX + 1 - got);
        if (more < 0 && errno == EINTR)
            more = 1;
        else if (more > 0)
            got += (size_t)more;
    }
    int number = more < 0 ? errno : 0;
    close(file);
    struct asnap_error *error = made == NULL ? asnap_error_no_memory() : NULL;
    if (error == NULL && number != 0)
        error = asnap_error_create(ASNAP_ERROR_IO,
                                   "cannot read the suppressions in %s: %s: choose a file that can "
                                   "be read",
                                   path, asnap_open_reason(number));
    else if (error == NULL && got > ASNAP_SUPPRESSION_FILE_MAX)
        error = asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                   "%s has more than %zu bytes: is it a file of suppressions?",
                                   path, ASNAP_SUPPRESSION_FILE_MAX);
    if (error != NULL) {
        free(made);
        return asnap_error_path(error) != NULL ? error : asnap_error_of_file(error, path, number);
    }
    made[got] = '\0';
    *bytes = made;
    *size = got;
    return NULL;
}

static bool is_blank(char character)
{
    return character == ' ' || character == '\t' || character == '\r' || character == '\f' ||
           character == '\v';
}

/* Reads a line that ends with a zero, of `length` bytes. */
static struct asnap_error *read_line(const char *path, uint32_t number, char *line, size_t length,
                                     asnap_suppression_visitor *visit, void *context)
{
    static const char type[] = "leak:";
    if (strlen(line) != length)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "%s:%u: there is a zero byte: is it a file of suppressions?",
                                  path, number);
    while (length > 0 && is_blank(line[length - 1]))
        line[--length] = '\0';
    while (is_blank(*line))
        line++;
    if (*line == '\0' || *line == '#')
        return NULL;
    if (strncmp(line, type, sizeof(type) - 1) != 0)
        return asnap_error_create(
            ASNAP_ERROR_INVALID_ARGUMENT,
            "%s:%u: \"%.*s\" is no rule for leaks: write leak:PATTERN, or a # "
            "before a comment",
            path, number, SHOWN, line);
    line += sizeof(type) - 1;
    if (*line == '\0')
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "%s:%u: no pattern follows \"leak:\": write leak:* to suppress "
                                  "every leak",
                                  path, number);
    return visit(context, line, number);
}

struct asnap_error *asnap_suppression_file_read(const char *path, asnap_suppression_visitor *visit,
                                                void *context)
{
    char *bytes = NULL;
    size_t size = 0;
    struct asnap_error *error = read_file(path, &bytes, &size);
    if (error != NULL)
        return error;
    char *line = bytes;
    for (uint32_t number = 1; error == NULL && line < bytes + size; number++) {
        char *end = memchr(line, '\n', (size_t)(bytes + size - line));
        if (end == NULL)
            end = bytes + size;
        *end = '\0';
        error = read_line(path, number, line, (size_t)(end - line), visit, context);
        line = end + 1;
    }
    free(bytes);
    return error == NULL || asnap_error_path(error) != NULL ||
                   asnap_error_code(error) == ASNAP_ERROR_NO_MEMORY
               ? error
               : asnap_error_of_file(error, path, 0);
}
