/* Reading a process of this host, or a core file, without the debugger: LLDB has its server
 * read a process, a packet at a time.
 *
 * A core is read with pread, not mapped: that is as fast for pieces of this size, and a file that
 * shrinks meanwhile gives an error and no SIGBUS, which would end the debugger. */
#include "allocsnap_inferior.h"

#include <stdlib.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core_map.h"
#include "error.h"

/* How much is read between two questions whether to go on; a read counts as a page at least. */
#define ASK_BYTES ((uint64_t)16 << 20)
#define READ_BYTES ((uint64_t)4096)

struct asnap_direct_memory {
    struct asnap_memory reader;
    struct asnap_memory debugger;
    struct asnap_progress progress; /* `report` NULL: it is not asked for */
    uint64_t unasked;               /* bytes read since the last question */
    pid_t pid;
    int file;
    const struct asnap_core_piece *pieces;
    size_t piece_count;
};

/* Whether to go on, before a read of `size` bytes. */
static bool goes_on(struct asnap_direct_memory *direct, size_t size)
{
    direct->unasked += size > READ_BYTES ? size : READ_BYTES;
    if (direct->unasked < ASK_BYTES || direct->progress.report == NULL)
        return true;
    direct->unasked = 0;
    return direct->progress.report(direct->progress.context, "", 0, 0);
}

static int ask_debugger(const struct asnap_direct_memory *direct, uint64_t address, void *buffer,
                        size_t size)
{
    return direct->debugger.read(direct->debugger.context, address, buffer, size);
}

static int read_process(void *context, uint64_t address, void *buffer, size_t size)
{
    struct asnap_direct_memory *direct = context;
    size_t done = 0;
    if (!goes_on(direct, size))
        return ASNAP_READ_INTERRUPTED;
    /* The kernel reads at most 2 GiB at a time. */
    while (done < size) {
        struct iovec here = {.iov_base = (char *)buffer + done, .iov_len = size - done};
        struct iovec there = {.iov_base = (void *)(uintptr_t)(address + done), // NOLINT
                              .iov_len = size - done};
        ssize_t got = process_vm_readv(direct->pid, &here, 1, &there, 1, 0);
        if (got <= 0)
            return ask_debugger(direct, address, buffer, size);
        done += (size_t)got;
    }
    return ASNAP_READ_OK;
}

/* The piece that holds `address`, or NULL. */
static const struct asnap_core_piece *find_piece(const struct asnap_direct_memory *direct,
                                                 uint64_t address)
{
    size_t low = 0;
    size_t high = direct->piece_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (direct->pieces[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    bool holds = low < direct->piece_count && direct->pieces[low].start <= address;
    return holds ? &direct->pieces[low] : NULL;
}

static int read_core_file(void *context, uint64_t address, void *buffer, size_t size)
{
    struct asnap_direct_memory *direct = context;
    size_t done = 0;
    if (!goes_on(direct, size))
        return ASNAP_READ_INTERRUPTED;
    while (done < size) {
        uint64_t at = address + done;
        const struct asnap_core_piece *piece = find_piece(direct, at);
        if (piece == NULL)
            return ask_debugger(direct, address, buffer, size);
        if (piece->offset == ASNAP_CORE_LOST)
            return ASNAP_READ_FAILED; /* the debugger would take the zeros for memory */
        uint64_t left = piece->end - at;
        size_t wanted = left < size - done ? (size_t)left : size - done;
        ssize_t got = pread(direct->file, (char *)buffer + done, wanted,
                            (off_t)(piece->offset + (at - piece->start)));
        if (got <= 0)
            return ask_debugger(direct, address, buffer, size);
        done += (size_t)got;
    }
    return ASNAP_READ_OK;
}

static struct asnap_error *create(const struct asnap_memory *debugger,
                                  int (*read)(void *, uint64_t, void *, size_t),
                                  struct asnap_direct_memory **direct)
{
    struct asnap_direct_memory *result = calloc(1, sizeof(*result));
    if (result == NULL)
        return asnap_error_no_memory();
    result->debugger = *debugger;
    result->reader.read = read;
    result->reader.context = result;
    *direct = result;
    return NULL;
}

struct asnap_error *asnap_direct_memory_of_process(int32_t pid, const struct asnap_memory *debugger,
                                                   struct asnap_direct_memory **direct)
{
    if (pid <= 0 || debugger == NULL || direct == NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_direct_memory_of_process: no process, or NULL argument");
    struct asnap_error *error = create(debugger, read_process, direct);
    if (error == NULL)
        (*direct)->pid = pid;
    return error;
}

struct asnap_error *asnap_direct_memory_of_core(const struct asnap_core_map *map,
                                                const struct asnap_memory *debugger,
                                                struct asnap_direct_memory **direct)
{
    if (map == NULL || debugger == NULL || direct == NULL)
        return asnap_error_create(ASNAP_ERROR_INVALID_ARGUMENT,
                                  "asnap_direct_memory_of_core: NULL argument");
    struct asnap_error *error = create(debugger, read_core_file, direct);
    if (error == NULL) {
        (*direct)->file = asnap_core_map_file(map);
        (*direct)->pieces = asnap_core_map_pieces(map, &(*direct)->piece_count);
        (*direct)->reader.bytes = asnap_core_map_bytes(map);
    }
    return error;
}

void asnap_direct_memory_set_progress(struct asnap_direct_memory *direct,
                                      const struct asnap_progress *progress)
{
    direct->progress = *progress;
}

const struct asnap_memory *asnap_direct_memory_reader(const struct asnap_direct_memory *direct)
{
    return &direct->reader;
}

void asnap_direct_memory_destroy(struct asnap_direct_memory *direct)
{
    free(direct);
}
