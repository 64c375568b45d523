#include "naming_reader.h"

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

static struct asnap_error *take_string(struct asnap_naming_reader *reader, const char *bytes,
                                       size_t size, bool *sound)
{
    *sound = size <= reader->strings_most - reader->string_bytes;
    if (!*sound)
        return NULL;
    reader->string_bytes += size;
    const char **strings = asnap_grow(reader->strings, &reader->string_capacity,
                                      reader->string_count + 1, sizeof(*strings));
    if (strings == NULL)
        return asnap_error_no_memory();
    reader->strings = strings;
    char *text = strndup(bytes, size);
    if (text == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error =
        asnap_frame_store_string(reader->store, text, &reader->strings[reader->string_count]);
    free(text);
    reader->string_count += error == NULL;
    return error;
}

/* false: there is no such string. */
static bool string_at(const struct asnap_naming_reader *reader, uint32_t number, const char **text)
{
    *text = NULL;
    if (number == ASNAP_NAMING_NO_STRING)
        return true;
    if (number >= reader->string_count)
        return false;
    *text = reader->strings[number];
    return true;
}

static int compare_to_address(const void *address, const void *naming)
{
    uint64_t wanted = *(const uint64_t *)address;
    uint64_t found = ((const struct asnap_naming *)naming)->address;
    return (wanted > found) - (wanted < found);
}

/* `*sound` becomes false where the message makes no sense. */
static struct asnap_error *take_named(struct asnap_naming_reader *reader, const char *bytes,
                                      size_t size, bool *sound)
{
    struct asnap_told_naming told;
    struct asnap_frame frames[ASNAP_NAMING_FRAMES_MAX];
    const char *allocates = NULL;
    *sound = size >= sizeof(told);
    if (!*sound)
        return NULL;
    memcpy(&told, bytes, sizeof(told));
    struct asnap_naming *naming =
        bsearch(&told.address, reader->namings, reader->count, sizeof(*naming), compare_to_address);
    *sound = naming != NULL && naming->named == NULL && told.frame_count > 0 &&
             told.frame_count <= ASNAP_FRAMES_OF_EACH + reader->spare_frames &&
             told.frame_count <= ASNAP_NAMING_FRAMES_MAX &&
             size - sizeof(told) == told.frame_count * sizeof(struct asnap_told_frame);
    *sound = *sound && string_at(reader, told.allocates, &allocates);
    for (uint32_t i = 0; *sound && i < told.frame_count; i++) {
        struct asnap_told_frame frame;
        memcpy(&frame, bytes + sizeof(told) + i * sizeof(frame), sizeof(frame));
        frames[i] = (struct asnap_frame){.lineno = frame.lineno, .inlined = frame.inlined != 0};
        *sound = string_at(reader, frame.filename, &frames[i].filename) &&
                 string_at(reader, frame.function, &frames[i].function);
    }
    if (!*sound)
        return NULL;
    if (told.frame_count > ASNAP_FRAMES_OF_EACH)
        reader->spare_frames -= told.frame_count - ASNAP_FRAMES_OF_EACH;
    naming->prefers_symbol = told.prefers_symbol != 0;
    return asnap_frame_store_frames(reader->store, frames, told.frame_count, allocates,
                                    &naming->named);
}

static struct asnap_error *take_done(struct asnap_naming_reader *reader, const char *bytes,
                                     size_t size, bool *sound)
{
    uint64_t done = 0;
    *sound = size == sizeof(done);
    if (*sound)
        memcpy(&done, bytes, sizeof(done));
    *sound = *sound && done <= reader->count - reader->done;
    if (!*sound)
        return NULL;
    reader->done += (size_t)done;
    return asnap_naming_advance(reader->progress, (size_t)done);
}

static struct asnap_error *take_problem(struct asnap_naming_reader *reader, const char *bytes,
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
                              reader->problem);
}

/* A message with one number. */
static bool take_number(const char *bytes, size_t size, void *number, size_t number_size)
{
    if (size == number_size)
        memcpy(number, bytes, size);
    return size == number_size;
}

static struct asnap_error *take(struct asnap_naming_reader *reader, uint32_t message,
                                const char *bytes, size_t size, bool *sound)
{
    *sound = true;
    /* Of another module than the one asked for, only the strings. */
    bool is_wanted = reader->begun && reader->module == reader->wanted;
    switch (message) {
    case ASNAP_NAMING_BEGIN:
        *sound =
            !reader->begun && take_number(bytes, size, &reader->module, sizeof(reader->module));
        reader->begun = *sound;
        reader->spare_frames = ASNAP_FRAMES_SPARE;
        return NULL;
    case ASNAP_NAMING_STRING:
        return take_string(reader, bytes, size, sound);
    case ASNAP_NAMING_NAMED:
        return is_wanted ? take_named(reader, bytes, size, sound) : NULL;
    case ASNAP_NAMING_DONE:
        return is_wanted ? take_done(reader, bytes, size, sound) : NULL;
    case ASNAP_NAMING_PROBLEM:
        return is_wanted ? take_problem(reader, bytes, size, sound) : NULL;
    case ASNAP_NAMING_END:
        *sound = reader->begun && take_number(bytes, size, &reader->end, sizeof(reader->end));
        reader->begun = false;
        reader->has_ended = *sound && (is_wanted || reader->end != 0);
        return NULL;
    default:
        *sound = false;
        return NULL;
    }
}

/* Whether there is nothing more to read of the module that is wanted: it has ended, or a later
 * one has begun. */
static bool is_over(const struct asnap_naming_reader *reader)
{
    return reader->has_ended || (reader->begun && reader->module > reader->wanted);
}

/* Takes the whole messages that have come. */
static struct asnap_error *take_all(struct asnap_naming_reader *reader, bool *sound)
{
    size_t at = 0;
    struct asnap_error *error = NULL;
    struct asnap_naming_header header;
    while (error == NULL && *sound && !is_over(reader) && reader->used - at >= sizeof(header)) {
        memcpy(&header, reader->bytes + at, sizeof(header));
        *sound = header.bytes <= ASNAP_NAMING_BYTES_MAX;
        if (!*sound || reader->used - at - sizeof(header) < header.bytes)
            break;
        at += sizeof(header);
        error = take(reader, header.message, reader->bytes + at, header.bytes, sound);
        at += header.bytes;
    }
    reader->used -= at;
    if (at > 0)
        memmove(reader->bytes, reader->bytes + at, reader->used);
    return error;
}

/* Waits for what the child writes. */
static struct asnap_error *wait_for_more(struct asnap_naming_reader *reader, bool *is_at_end)
{
    enum { PIECE = 1 << 16 };
    struct pollfd ready = {.fd = reader->fd, .events = POLLIN};
    int found = poll(&ready, 1, ASK_MILLISECONDS);
    if (found <= 0)
        return asnap_naming_advance(reader->progress, 0);
    char *bytes = asnap_grow(reader->bytes, &reader->capacity, reader->used + PIECE, 1);
    if (bytes == NULL)
        return asnap_error_no_memory();
    reader->bytes = bytes;
    ssize_t got = read(reader->fd, reader->bytes + reader->used, PIECE);
    *is_at_end = got == 0;
    if (got > 0)
        reader->used += (size_t)got;
    return NULL;
}

struct asnap_error *asnap_naming_reader_read(struct asnap_naming_reader *reader, uint64_t module,
                                             struct asnap_naming *namings, size_t count,
                                             struct asnap_naming_progress *progress,
                                             struct asnap_error **problem,
                                             enum asnap_naming_outcome *outcome)
{
    reader->wanted = module;
    reader->namings = namings;
    reader->count = count;
    reader->progress = progress;
    reader->problem = problem;
    reader->done = 0;
    reader->has_ended = false;
    /* Addresses that were not asked for have few strings. */
    uint64_t more = ASNAP_NAMING_STRINGS_OF_ADDRESS * (uint64_t)count;
    if (reader->strings_most == 0)
        reader->strings_most = ASNAP_NAMING_STRINGS_ALWAYS;
    reader->strings_most += more;
    if (reader->strings_most > ASNAP_NAMING_STRINGS_MAX)
        reader->strings_most = ASNAP_NAMING_STRINGS_MAX;
    bool sound = true;
    bool is_at_end = false;
    struct asnap_error *error = take_all(reader, &sound);
    while (error == NULL && sound && !is_over(reader) && !is_at_end) {
        error = wait_for_more(reader, &is_at_end);
        if (error == NULL)
            error = take_all(reader, &sound);
    }
    if (!sound)
        *outcome = ASNAP_OUTCOME_NONSENSE;
    else if (!is_over(reader))
        *outcome = ASNAP_OUTCOME_END;
    else
        *outcome = reader->end != 0 ? ASNAP_OUTCOME_MEMORY : ASNAP_OUTCOME_ALL;
    /* The others have no names by debug information. */
    return error != NULL ? error : asnap_naming_advance(progress, count - reader->done);
}

void asnap_naming_reader_deinit(struct asnap_naming_reader *reader)
{
    free(reader->strings);
    free(reader->bytes);
}
