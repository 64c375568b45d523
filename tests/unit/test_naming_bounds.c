/* How much a process that reads debug information may tell. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "naming_messages.h"
#include "naming_reader.h"
#include "unit.h"

enum { MODULE = 1, FIRST_ADDRESS = 0x1000 };

/* What is told, in a file. */
struct told {
    int fd;
};

static void message(const struct told *told, uint32_t kind, const void *bytes, size_t size)
{
    struct asnap_naming_header header = {.message = kind, .bytes = (uint32_t)size};
    CU_ASSERT_FATAL(write(told->fd, &header, sizeof(header)) == sizeof(header));
    CU_ASSERT_FATAL(write(told->fd, bytes, size) == (ssize_t)size);
}

static void begin(struct told *told)
{
    const uint64_t module = MODULE;
    told->fd = memfd_create("told", MFD_CLOEXEC);
    CU_ASSERT_FATAL(told->fd >= 0);
    message(told, ASNAP_NAMING_BEGIN, &module, sizeof(module));
}

static void name(const struct told *told, uint64_t address, uint32_t frame_count)
{
    static struct {
        struct asnap_told_naming naming;
        struct asnap_told_frame frames[ASNAP_NAMING_FRAMES_MAX];
    } both;
    both.naming = (struct asnap_told_naming){
        .address = address, .frame_count = frame_count, .allocates = ASNAP_NAMING_NO_STRING};
    for (uint32_t i = 0; i < frame_count; i++)
        both.frames[i] = (struct asnap_told_frame){.filename = ASNAP_NAMING_NO_STRING,
                                                   .function = ASNAP_NAMING_NO_STRING};
    message(told, ASNAP_NAMING_NAMED, &both,
            sizeof(both.naming) + frame_count * sizeof(both.frames[0]));
}

/* Hears it all, about so many addresses; `named` becomes how many of them have names. */
static enum asnap_naming_outcome hear(const struct told *told, size_t count, size_t *named)
{
    const uint32_t code = 0;
    message(told, ASNAP_NAMING_END, &code, sizeof(code));
    CU_ASSERT_EQUAL(lseek(told->fd, 0, SEEK_SET), 0);
    struct asnap_naming *namings = calloc(count, sizeof(*namings));
    CU_ASSERT_PTR_NOT_NULL_FATAL(namings);
    for (size_t i = 0; i < count; i++)
        namings[i].address = FIRST_ADDRESS + i;
    struct asnap_frame_store *store;
    ASNAP_ASSERT_OK(asnap_frame_store_create(&store));
    struct asnap_naming_reader reader = {.fd = told->fd, .store = store};
    struct asnap_naming_progress progress = {.total = count};
    struct asnap_error *problem = NULL;
    enum asnap_naming_outcome heard;
    ASNAP_ASSERT_OK(
        asnap_naming_reader_read(&reader, MODULE, namings, count, &progress, &problem, &heard));
    CU_ASSERT_PTR_NULL(problem);
    *named = 0;
    for (size_t i = 0; i < count; i++)
        *named += namings[i].named != NULL;
    asnap_naming_reader_deinit(&reader);
    asnap_frame_store_destroy(store);
    free(namings);
    close(told->fd);
    return heard;
}

ASNAP_TEST(naming_bounds, frames_of_many_addresses)
{
    enum { SPARE = ASNAP_FRAMES_SPARE / (ASNAP_NAMING_FRAMES_MAX - ASNAP_FRAMES_OF_EACH) };
    struct told told;
    size_t named;
    /* Of so many addresses the most, and of any number a few. */
    begin(&told);
    for (uint64_t i = 0; i < SPARE; i++)
        name(&told, FIRST_ADDRESS + i, ASNAP_NAMING_FRAMES_MAX);
    for (uint64_t i = SPARE; i < 4 * SPARE; i++)
        name(&told, FIRST_ADDRESS + i, ASNAP_FRAMES_OF_EACH);
    CU_ASSERT_EQUAL(hear(&told, 4 * SPARE, &named), ASNAP_OUTCOME_ALL);
    CU_ASSERT_EQUAL(named, 4 * SPARE);
    begin(&told);
    for (uint64_t i = 0; i < SPARE + 1; i++)
        name(&told, FIRST_ADDRESS + i, ASNAP_NAMING_FRAMES_MAX);
    CU_ASSERT_EQUAL(hear(&told, SPARE + 1, &named), ASNAP_OUTCOME_NONSENSE);
    CU_ASSERT_EQUAL(named, SPARE);
}

ASNAP_TEST(naming_bounds, strings_of_few_addresses)
{
    enum { PIECE = 1 << 20, ADDRESSES = 256 };
    static char text[PIECE];
    struct told told;
    size_t named;
    memset(text, 'x', sizeof(text));
    /* 16 MiB always, and 1 MiB for these addresses. */
    for (size_t more = 0; more < 2; more++) {
        begin(&told);
        for (size_t i = 0; i < 17; i++) {
            text[0] = (char)('a' + i);
            message(&told, ASNAP_NAMING_STRING, text, sizeof(text));
        }
        if (more == 1)
            message(&told, ASNAP_NAMING_STRING, "y", 1);
        CU_ASSERT_EQUAL(hear(&told, ADDRESSES, &named),
                        more == 1 ? ASNAP_OUTCOME_NONSENSE : ASNAP_OUTCOME_ALL);
    }
}
