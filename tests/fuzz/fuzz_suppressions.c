/* Any bytes as a file of suppressions, up to a zero byte, and a name after it that the rules are
 * matched with: as a slow matcher says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "suppression_file.h"
#include "target.h"

size_t fuzz_accepted;

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_suppressions: %s\n", what);
    abort();
}

/* The pattern, one piece between stars at a time, by copies of the pieces. */
static bool slowly(const char *pattern, const char *text)
{
    bool anchored = pattern[0] == '^';
    if (text[0] == '\0')
        return false;
    if (anchored)
        pattern++;
    for (bool starred = false;;) {
        size_t length = 0;
        while (pattern[length] != '\0' && pattern[length] != '*' && pattern[length] != '$')
            length++;
        if (length > 0) {
            size_t at = 0;
            while (text[at] != '\0' && strncmp(text + at, pattern, length) != 0)
                at++;
            if (text[at] == '\0' || (anchored && at > 0))
                return false;
            text += at + length;
            anchored = starred = false;
        }
        if (pattern[length] == '\0')
            return true;
        if (pattern[length] == '$')
            return text[0] == '\0' || starred;
        anchored = false;
        starred = true;
        pattern += length + 1;
    }
}

struct seen {
    const char *name;
    uint32_t line;
};

static struct asnap_error *visit(void *context, const char *pattern, uint32_t line)
{
    struct seen *seen = context;
    require(line > seen->line, "rules in no order");
    seen->line = line;
    require(pattern[0] != '\0' && strchr(pattern, '\n') == NULL, "no pattern");
    require(asnap_suppression_matches(pattern, seen->name) == slowly(pattern, seen->name), pattern);
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static int file = -1;
    static char path[64];
    const uint8_t *end = size == 0 ? NULL : memchr(bytes, 0, size);
    size_t length = end == NULL ? size : (size_t)(end - bytes);
    size_t rest = end == NULL ? 0 : size - length - 1;
    if (file < 0) {
        file = memfd_create("fuzz_suppressions", MFD_CLOEXEC);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    }
    require(ftruncate(file, (off_t)length) == 0 &&
                pwrite(file, bytes, length, 0) == (ssize_t)length,
            "no memory for a file");
    char *name = malloc(rest + 1);
    require(name != NULL, "no memory");
    if (rest > 0)
        memcpy(name, end + 1, rest);
    name[rest] = '\0';
    struct seen seen = {.name = name};
    struct asnap_error *error = asnap_suppression_file_read(path, visit, &seen);
    if (error == NULL)
        fuzz_accepted++;
    else
        require(strchr(asnap_error_message(error), '\n') == NULL, "an error of several lines");
    asnap_error_destroy(error);
    free(name);
    return 0;
}
