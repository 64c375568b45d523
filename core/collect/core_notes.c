#include "core_notes.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static const char owner[] = "CORE";

/* A note up to the end of its owner's name. */
struct head {
    Elf64_Nhdr header;
    char owner[sizeof(owner)];
};

_Static_assert(sizeof(struct head) >= sizeof(Elf64_Nhdr) + sizeof(owner), "no padding before");

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
        bool is_ours =
            head.header.n_namesz == sizeof(owner) && memcmp(head.owner, owner, sizeof(owner)) == 0;
        struct asnap_error *error = NULL;
        if (is_ours)
            error = visit(context, head.header.n_type, offset + contents, head.header.n_descsz);
        if (error != NULL)
            return error;
        uint64_t whole = contents + padded(head.header.n_descsz);
        offset += whole < left ? whole : left;
    }
    return NULL;
}
