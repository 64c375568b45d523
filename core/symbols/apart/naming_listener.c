#include "naming_listener.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "grow.h"
#include "naming_messages.h"
#include "problem.h"

/* How often the user is asked whether to go on while nothing comes. */
enum { ASK_MILLISECONDS = 200 };

static struct asnap_error *hear_string(struct asnap_listener *listener, const char *bytes,
                                       size_t size, bool *sound)
{
    *sound = size <= listener->strings_most - listener->string_bytes;
    if (!*sound)
        return NULL;
    listener->string_bytes += size;
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
static bool string_at(const struct asnap_listener *listener, uint32_t number, const char **text)
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
static struct asnap_error *hear_named(struct asnap_listener *listener, const char *bytes,
                                      size_t size, bool *sound)
{
    struct asnap_told_naming told;
    struct asnap_frame frames[ASNAP_NAMING_FRAMES_MAX];
    const char *allocates = NULL;
    *sound = size >= sizeof(told);
    if (!*sound)
        return NULL;
    memcpy(&told, bytes, sizeof(told));
    struct asnap_naming *naming = bsearch(&told.address, listener->namings, listener->count,
                                          sizeof(*naming), compare_to_address);
    *sound = naming != NULL && naming->named == NULL && told.frame_count > 0 &&
             told.frame_count <= ASNAP_FRAMES_OF_EACH + listener->spare_frames &&
             told.frame_count <= ASNAP_NAMING_FRAMES_MAX &&
             size - sizeof(told) == told.frame_count * sizeof(struct asnap_told_frame);
    *sound = *sound && string_at(listener, told.allocates, &allocates);
    for (uint32_t i = 0; *sound && i < told.frame_count; i++) {
        struct asnap_told_frame frame;
        memcpy(&frame, bytes + sizeof(told) + i * sizeof(frame), sizeof(frame));
        frames[i] = (struct asnap_frame){.lineno = frame.lineno, .inlined = frame.inlined != 0};
        *sound = string_at(listener, frame.filename, &frames[i].filename) &&
                 string_at(listener, frame.function, &frames[i].function);
    }
    if (!*sound)
        return NULL;
    if (told.frame_count > ASNAP_FRAMES_OF_EACH)
        listener->spare_frames -= told.frame_count - ASNAP_FRAMES_OF_EACH;
    naming->prefers_symbol = told.prefers_symbol != 0;
    return asnap_frame_store_frames(listener->store, frames, told.frame_count, allocates,
                                    &naming->named);
}

static struct asnap_error *hear_done(struct asnap_listener *listener, const char *bytes,
                                     size_t size, bool *sound)
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

static struct asnap_error *hear_problem(struct asnap_listener *listener, const char *bytes,
                                        size_t size, bool *sound)
{
    uint32_t code;
    *sound = size >= sizeof(code);
    if (!*sound)
        return NULL;
    memcpy(&code, bytes, sizeof(code));
    if (code != ASNAP_ERROR_IO && code != ASNAP_ERROR_UNSUPPORTED)
        code = ASNAP_ERROR_DAMAGED;
    return asnap_problem_keep(asnap_error_repeat(code, bytes + sizeof(code), size - sizeof(code)),
                              listener->problem);
}

/* A message with one number. */
static bool hear_number(const char *bytes, size_t size, void *number, size_t number_size)
{
    if (size == number_size)
        memcpy(number, bytes, size);
    return size == number_size;
}

static struct asnap_error *hear(struct asnap_listener *listener, uint32_t message,
                                const char *bytes, size_t size, bool *sound)
{
    *sound = true;
    /* Of another module than the one asked for, only the strings. */
    bool is_wanted = listener->begun && listener->module == listener->wanted;
    switch (message) {
    case ASNAP_NAMING_BEGIN:
        *sound = !listener->begun &&
                 hear_number(bytes, size, &listener->module, sizeof(listener->module));
        listener->begun = *sound;
        listener->spare_frames = ASNAP_FRAMES_SPARE;
        return NULL;
    case ASNAP_NAMING_STRING:
        return hear_string(listener, bytes, size, sound);
    case ASNAP_NAMING_NAMED:
        return is_wanted ? hear_named(listener, bytes, size, sound) : NULL;
    case ASNAP_NAMING_DONE:
        return is_wanted ? hear_done(listener, bytes, size, sound) : NULL;
    case ASNAP_NAMING_PROBLEM:
        return is_wanted ? hear_problem(listener, bytes, size, sound) : NULL;
    case ASNAP_NAMING_END:
        *sound = listener->begun && hear_number(bytes, size, &listener->end, sizeof(listener->end));
        listener->begun = false;
        listener->has_ended = *sound && (is_wanted || listener->end != 0);
        return NULL;
    default:
        *sound = false;
        return NULL;
    }
}

/* Whether there is nothing more to hear of the module that is wanted: it has ended, or a later
 * one has begun. */
static bool is_over(const struct asnap_listener *listener)
{
    return listener->has_ended || (listener->begun && listener->module > listener->wanted);
}

/* Hears the whole messages that have come. */
static struct asnap_error *hear_all(struct asnap_listener *listener, bool *sound)
{
    size_t at = 0;
    struct asnap_error *error = NULL;
    struct asnap_naming_header header;
    while (error == NULL && *sound && !is_over(listener) && listener->used - at >= sizeof(header)) {
        memcpy(&header, listener->bytes + at, sizeof(header));
        *sound = header.bytes <= ASNAP_NAMING_BYTES_MAX;
        if (!*sound || listener->used - at - sizeof(header) < header.bytes)
            break;
        at += sizeof(header);
        error = hear(listener, header.message, listener->bytes + at, header.bytes, sound);
        at += header.bytes;
    }
    listener->used -= at;
    if (at > 0)
        memmove(listener->bytes, listener->bytes + at, listener->used);
    return error;
}

/* Waits for what the child says. */
static struct asnap_error *wait_for_more(struct asnap_listener *listener, bool *is_at_end)
{
    enum { PIECE = 1 << 16 };
    struct pollfd ready = {.fd = listener->fd, .events = POLLIN};
    int found = poll(&ready, 1, ASK_MILLISECONDS);
    if (found <= 0)
        return asnap_naming_advance(listener->progress, 0);
    char *bytes = asnap_grow(listener->bytes, &listener->capacity, listener->used + PIECE, 1);
    if (bytes == NULL)
        return asnap_error_no_memory();
    listener->bytes = bytes;
    ssize_t got = read(listener->fd, listener->bytes + listener->used, PIECE);
    *is_at_end = got == 0;
    if (got > 0)
        listener->used += (size_t)got;
    return NULL;
}

struct asnap_error *asnap_listener_hear(struct asnap_listener *listener, uint64_t module,
                                        struct asnap_naming *namings, size_t count,
                                        struct asnap_naming_progress *progress,
                                        struct asnap_error **problem, enum asnap_heard *heard)
{
    listener->wanted = module;
    listener->namings = namings;
    listener->count = count;
    listener->progress = progress;
    listener->problem = problem;
    listener->done = 0;
    listener->has_ended = false;
    /* Addresses that were not asked for have few strings. */
    uint64_t more = ASNAP_NAMING_STRINGS_OF_ADDRESS * (uint64_t)count;
    if (listener->strings_most == 0)
        listener->strings_most = ASNAP_NAMING_STRINGS_ALWAYS;
    listener->strings_most += more;
    if (listener->strings_most > ASNAP_NAMING_STRINGS_MAX)
        listener->strings_most = ASNAP_NAMING_STRINGS_MAX;
    bool sound = true;
    bool is_at_end = false;
    struct asnap_error *error = hear_all(listener, &sound);
    while (error == NULL && sound && !is_over(listener) && !is_at_end) {
        error = wait_for_more(listener, &is_at_end);
        if (error == NULL)
            error = hear_all(listener, &sound);
    }
    if (!sound)
        *heard = ASNAP_HEARD_NONSENSE;
    else if (!is_over(listener))
        *heard = ASNAP_HEARD_END;
    else
        *heard = listener->end != 0 ? ASNAP_HEARD_MEMORY : ASNAP_HEARD_ALL;
    /* The others have no names by debug information. */
    return error != NULL ? error : asnap_naming_advance(progress, count - listener->done);
}

void asnap_listener_deinit(struct asnap_listener *listener)
{
    free(listener->strings);
    free(listener->bytes);
}
