#include "naming_apart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"
#include "grow.h"
#include "naming_child.h"
#include "naming_messages.h"
#include "problem.h"

/* How often the user is asked whether to go on while nothing comes. */
enum { ASK_MILLISECONDS = 200 };

struct listener {
    int fd;
    struct asnap_frame_store *store;
    struct asnap_naming *namings; /* by address */
    size_t count;
    struct asnap_naming_progress *progress;
    struct asnap_error **problem;
    const char **strings;
    size_t string_count;
    size_t string_capacity;
    char *bytes; /* of the message that is coming, and what came after it */
    size_t used;
    size_t capacity;
    size_t done;
    bool has_ended;
    uint32_t end; /* what it ended with */
};

static struct asnap_error *hear_string(struct listener *listener, const char *bytes, size_t size)
{
    const char **strings = asnap_grow(listener->strings, &listener->string_capacity,
                                      listener->string_count + 1, sizeof(*strings));
    if (strings == NULL)
        return asnap_error_no_memory();
    listener->strings = strings;
    char *text = strndup(bytes, size);
    if (text == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error =
        asnap_frame_store_string(listener->store, text, &listener->strings[listener->string_count]);
    free(text);
    listener->string_count += error == NULL;
    return error;
}

/* false: there is no such string. */
static bool string_at(const struct listener *listener, uint32_t number, const char **text)
{
    *text = NULL;
    if (number == ASNAP_NAMING_NO_STRING)
        return true;
    if (number >= listener->string_count)
        return false;
    *text = listener->strings[number];
    return true;
}

static int compare_to_address(const void *address, const void *naming)
{
    uint64_t wanted = *(const uint64_t *)address;
    uint64_t found = ((const struct asnap_naming *)naming)->address;
    return (wanted > found) - (wanted < found);
}

/* `*sound` becomes false where the message makes no sense. */
static struct asnap_error *hear_named(struct listener *listener, const char *bytes, size_t size,
                                      bool *sound)
{
    struct asnap_told_naming told;
    struct asnap_frame frames[ASNAP_NAMING_FRAMES_MAX];
    *sound = size >= sizeof(told);
    if (!*sound)
        return NULL;
    memcpy(&told, bytes, sizeof(told));
    struct asnap_naming *naming = bsearch(&told.address, listener->namings, listener->count,
                                          sizeof(*naming), compare_to_address);
    *sound = naming != NULL && told.frame_count > 0 &&
             told.frame_count <= ASNAP_NAMING_FRAMES_MAX &&
             size - sizeof(told) == told.frame_count * sizeof(struct asnap_told_frame);
    for (uint32_t i = 0; *sound && i < told.frame_count; i++) {
        struct asnap_told_frame frame;
        memcpy(&frame, bytes + sizeof(told) + i * sizeof(frame), sizeof(frame));
        frames[i] = (struct asnap_frame){.lineno = frame.lineno, .inlined = frame.inlined != 0};
        *sound = string_at(listener, frame.filename, &frames[i].filename) &&
                 string_at(listener, frame.function, &frames[i].function);
    }
    if (!*sound)
        return NULL;
    naming->prefers_symbol = told.prefers_symbol != 0;
    return asnap_frame_store_frames(listener->store, frames, told.frame_count, &naming->named);
}

static struct asnap_error *hear_done(struct listener *listener, const char *bytes, size_t size,
                                     bool *sound)
{
    uint64_t done = 0;
    *sound = size == sizeof(done);
    if (*sound)
        memcpy(&done, bytes, sizeof(done));
    *sound = *sound && done <= listener->count - listener->done;
    if (!*sound)
        return NULL;
    listener->done += (size_t)done;
    return asnap_naming_advance(listener->progress, (size_t)done);
}

static struct asnap_error *hear_problem(struct listener *listener, const char *bytes, size_t size,
                                        bool *sound)
{
    uint32_t code;
    *sound = size >= sizeof(code);
    if (!*sound)
        return NULL;
    memcpy(&code, bytes, sizeof(code));
    if (code != ASNAP_ERROR_IO && code != ASNAP_ERROR_UNSUPPORTED)
        code = ASNAP_ERROR_DAMAGED;
    return asnap_problem_keep(
        asnap_error_create(code, "%.*s", (int)(size - sizeof(code)), bytes + sizeof(code)),
        listener->problem);
}

static struct asnap_error *hear(struct listener *listener, uint32_t message, const char *bytes,
                                size_t size, bool *sound)
{
    *sound = true;
    switch (message) {
    case ASNAP_NAMING_STRING:
        return hear_string(listener, bytes, size);
    case ASNAP_NAMING_NAMED:
        return hear_named(listener, bytes, size, sound);
    case ASNAP_NAMING_DONE:
        return hear_done(listener, bytes, size, sound);
    case ASNAP_NAMING_PROBLEM:
        return hear_problem(listener, bytes, size, sound);
    case ASNAP_NAMING_END:
        *sound = size == sizeof(listener->end);
        if (*sound)
            memcpy(&listener->end, bytes, size);
        listener->has_ended = *sound;
        return NULL;
    default:
        *sound = false;
        return NULL;
    }
}

/* Hears the whole messages that have come. */
static struct asnap_error *hear_all(struct listener *listener, bool *sound)
{
    size_t at = 0;
    struct asnap_error *error = NULL;
    struct asnap_naming_header header;
    while (error == NULL && *sound && listener->used - at >= sizeof(header)) {
        memcpy(&header, listener->bytes + at, sizeof(header));
        *sound = header.bytes <= ASNAP_NAMING_BYTES_MAX;
        if (!*sound || listener->used - at - sizeof(header) < header.bytes)
            break;
        at += sizeof(header);
        error = hear(listener, header.message, listener->bytes + at, header.bytes, sound);
        at += header.bytes;
    }
    listener->used -= at;
    memmove(listener->bytes, listener->bytes + at, listener->used);
    return error;
}

/* Waits for the child until it has no more to say. */
static struct asnap_error *listen_to(struct listener *listener)
{
    enum { PIECE = 1 << 16 };
    bool sound = true;
    struct asnap_error *error = NULL;
    while (error == NULL && sound && !listener->has_ended) {
        struct pollfd ready = {.fd = listener->fd, .events = POLLIN};
        int found = poll(&ready, 1, ASK_MILLISECONDS);
        if (found <= 0) {
            error = asnap_naming_advance(listener->progress, 0);
            continue;
        }
        char *bytes = asnap_grow(listener->bytes, &listener->capacity, listener->used + PIECE, 1);
        if (bytes == NULL)
            return asnap_error_no_memory();
        listener->bytes = bytes;
        ssize_t got = read(listener->fd, listener->bytes + listener->used, PIECE);
        if (got == 0)
            break;
        if (got > 0)
            listener->used += (size_t)got;
        error = hear_all(listener, &sound);
    }
    return error;
}

struct asnap_error *asnap_naming_hear(int fd, struct asnap_frame_store *store,
                                      struct asnap_naming *namings, size_t count,
                                      struct asnap_naming_progress *progress,
                                      struct asnap_error **problem, bool *is_whole)
{
    struct listener listener = {
        .fd = fd,
        .store = store,
        .namings = namings,
        .count = count,
        .progress = progress,
        .problem = problem,
    };
    struct asnap_error *error = listen_to(&listener);
    free(listener.strings);
    free(listener.bytes);
    if (error == NULL && listener.has_ended && listener.end != 0)
        return asnap_error_no_memory();
    /* The others have no names by debug information. */
    if (error == NULL)
        error = asnap_naming_advance(progress, count - listener.done);
    *is_whole = listener.has_ended;
    return error;
}

/* What became of the child; 0 where nobody can tell. */
static int end_child(pid_t child)
{
    int status = 0;
    pid_t found;
    kill(child, SIGKILL);
    do
        found = waitpid(child, &status, 0);
    while (found < 0 && errno == EINTR);
    return found == child ? status : 0;
}

/* The file has ended the child, or had it talk nonsense. */
static struct asnap_error *lost(const char *path, int status)
{
    const char *how = WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "it ended early";
    return asnap_error_create(ASNAP_ERROR_DAMAGED,
                              "%s: reading its debug information came to a bad end (%s): some of "
                              "its functions are named without lines; build it anew, or look at it "
                              "with dwarfdump",
                              path, how);
}

/* Forks with all signals blocked: none must come before the child has done with this
 * process's handlers. */
static pid_t start_child(int pipe_ends[2], const struct asnap_dwarf_source *source,
                         struct asnap_frame_store *store, struct asnap_naming *namings,
                         size_t count)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = fork();
    if (child == 0)
        asnap_naming_child(pipe_ends[1], source, store, namings, count);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return child;
}

struct asnap_error *asnap_dwarf_name_apart(const struct asnap_dwarf_source *source,
                                           struct asnap_frame_store *store,
                                           struct asnap_naming *namings, size_t count,
                                           struct asnap_naming_progress *progress,
                                           struct asnap_error **problem)
{
    int pipe_ends[2];
    if (pipe2(pipe_ends, O_CLOEXEC) != 0)
        return asnap_dwarf_name_file(source, store, namings, count, progress, problem);
    pid_t child = start_child(pipe_ends, source, store, namings, count);
    close(pipe_ends[1]);
    if (child < 0) {
        close(pipe_ends[0]);
        return asnap_dwarf_name_file(source, store, namings, count, progress, problem);
    }
    bool is_whole = false;
    struct asnap_error *error =
        asnap_naming_hear(pipe_ends[0], store, namings, count, progress, problem, &is_whole);
    close(pipe_ends[0]);
    int status = end_child(child);
    if (error == NULL && !is_whole)
        error = asnap_problem_keep(lost(source->file->path, status), problem);
    return error;
}
