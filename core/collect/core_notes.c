#include "core_notes.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* "LINUX" is what registers are named by that one kind of machine has. */
static const char *const owners[] = {"CORE", "LINUX"};

enum { OWNER_BYTES = 6 };

/* A note up to the end of its owner's name. */
struct head {
    Elf64_Nhdr header;
    char owner[OWNER_BYTES];
};

_Static_assert(sizeof(struct head) >= sizeof(Elf64_Nhdr) + OWNER_BYTES, "no padding before");

static bool is_ours(const struct head *head)
{
    for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
        size_t bytes = strlen(owners[i]) + 1;
        if (head->header.n_namesz == bytes && memcmp(head->owner, owners[i], bytes) == 0)
            return true;
    }
    return false;
}

/* What was read of the file last: many notes are small. */
struct window {
    int fd;
    uint64_t start;
    size_t size;
    char bytes[16 * 1024];
};

/* Copies `size` bytes at `offset`, at most the window's; false where they cannot be read. */
static bool take(struct window *window, uint64_t offset, void *bytes, size_t size)
{
    if (offset < window->start || offset - window->start > window->size ||
        window->size - (size_t)(offset - window->start) < size) {
        ssize_t got;
        do
            got = pread(window->fd, window->bytes, sizeof(window->bytes), (off_t)offset);
        while (got < 0 && errno == EINTR);
        window->start = offset;
        window->size = got > 0 ? (size_t)got : 0;
        if (window->size < size)
            return false;
    }
    memcpy(bytes, window->bytes + (offset - window->start), size);
    return true;
}

static uint64_t padded(uint32_t size)
{
    return ((uint64_t)size + 3) / 4 * 4;
}

struct asnap_error *asnap_core_notes_read(int fd, uint64_t offset, uint64_t size,
                                          asnap_core_note_visitor *visit, void *context)
{
    struct window window = {.fd = fd};
    uint64_t end = offset + size;
    while (end - offset >= sizeof(Elf64_Nhdr)) {
        struct head head = {.owner = ""};
        uint64_t left = end - offset;
        size_t wanted = left < sizeof(head) ? sizeof(Elf64_Nhdr) : sizeof(head);
        if (!take(&window, offset, &head, wanted))
            return NULL;
        uint64_t contents = sizeof(Elf64_Nhdr) + padded(head.header.n_namesz);
        if (contents > left || head.header.n_descsz > left - contents)
            return NULL;
        struct asnap_error *error = NULL;
        if (is_ours(&head))
            error = visit(context, head.header.n_type, offset + contents, head.header.n_descsz);
        if (error != NULL)
            return error;
        uint64_t whole = contents + padded(head.header.n_descsz);
        offset += whole < left ? whole : left;
    }
    return NULL;
}
