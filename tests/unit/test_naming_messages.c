/* What a process that reads debug information may tell, sense and nonsense. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "naming_apart.h"
#include "naming_messages.h"
#include "unit.h"

enum { FIRST_ADDRESS = 0x1000, ADDRESSES = 3 };

struct told {
    char bytes[4096];
    size_t used;
};

static void put(struct told *told, const void *bytes, size_t size)
{
    CU_ASSERT_FATAL(size <= sizeof(told->bytes) - told->used);
    memcpy(told->bytes + told->used, bytes, size);
    told->used += size;
}

static void message(struct told *told, uint32_t kind, const void *bytes, size_t size)
{
    struct asnap_naming_header header = {.message = kind, .bytes = (uint32_t)size};
    put(told, &header, sizeof(header));
    put(told, bytes, size);
}

static void string(struct told *told, const char *text)
{
    message(told, ASNAP_NAMING_STRING, text, strlen(text));
}

static void done(struct told *told, uint64_t count)
{
    message(told, ASNAP_NAMING_DONE, &count, sizeof(count));
}

static void end(struct told *told, uint32_t code)
{
    message(told, ASNAP_NAMING_END, &code, sizeof(code));
}

/* One frame: the strings have these numbers. */
static void named(struct told *told, uint64_t address, uint32_t filename, uint32_t function)
{
    struct {
        struct asnap_told_naming naming;
        struct asnap_told_frame frame;
    } both = {{address, 0, 1}, {filename, function, 7, 0}};
    message(told, ASNAP_NAMING_NAMED, &both, sizeof(both));
}

struct heard {
    struct asnap_frame_store *store;
    struct asnap_naming namings[ADDRESSES];
    uint64_t done;
    bool is_whole;
    enum asnap_error_code code; /* of the error; 0: none */
    struct asnap_error *problem;
};

static void hear(struct heard *heard, const struct told *told)
{
    int ends[2];
    struct asnap_naming_progress progress = {.total = ADDRESSES};
    *heard = (struct heard){.is_whole = false};
    for (size_t i = 0; i < ADDRESSES; i++)
        heard->namings[i].address = FIRST_ADDRESS + i;
    ASNAP_ASSERT_OK(asnap_frame_store_create(&heard->store));
    CU_ASSERT_FATAL(pipe(ends) == 0);
    CU_ASSERT_FATAL(write(ends[1], told->bytes, told->used) == (ssize_t)told->used);
    close(ends[1]);
    struct asnap_error *error = asnap_naming_hear(ends[0], heard->store, heard->namings, ADDRESSES,
                                                  &progress, &heard->problem, &heard->is_whole);
    close(ends[0]);
    heard->code = error == NULL ? 0 : asnap_error_code(error);
    asnap_error_destroy(error);
    heard->done = progress.done;
}

static void forget(struct heard *heard)
{
    asnap_error_destroy(heard->problem);
    asnap_frame_store_destroy(heard->store);
}

ASNAP_TEST(naming_messages, names_are_kept)
{
    struct told told = {.used = 0};
    struct heard heard;
    string(&told, "/src/a.c");
    string(&told, "main");
    named(&told, FIRST_ADDRESS + 1, 0, 1);
    done(&told, 2);
    named(&told, FIRST_ADDRESS + 2, 0, ASNAP_NAMING_NO_STRING);
    done(&told, 1);
    end(&told, 0);
    hear(&heard, &told);
    CU_ASSERT(heard.is_whole && heard.code == 0 && heard.problem == NULL);
    CU_ASSERT_EQUAL(heard.done, 3);
    CU_ASSERT_PTR_NULL(heard.namings[0].named);
    CU_ASSERT_PTR_NOT_NULL_FATAL(heard.namings[1].named);
    CU_ASSERT_EQUAL_FATAL(heard.namings[1].named->frame_count, 1);
    CU_ASSERT_STRING_EQUAL(heard.namings[1].named->frames[0].filename, "/src/a.c");
    CU_ASSERT_STRING_EQUAL(heard.namings[1].named->frames[0].function, "main");
    CU_ASSERT_EQUAL(heard.namings[1].named->frames[0].lineno, 7);
    CU_ASSERT_PTR_NOT_NULL_FATAL(heard.namings[2].named);
    CU_ASSERT_PTR_NULL(heard.namings[2].named->frames[0].function);
    forget(&heard);
}

ASNAP_TEST(naming_messages, problem_is_kept)
{
    struct told told = {.used = 0};
    struct heard heard;
    struct {
        uint32_t code;
        char text[9];
    } problem = {12345, "a.c: bad"};
    message(&told, ASNAP_NAMING_PROBLEM, &problem, sizeof(problem.code) + strlen(problem.text));
    end(&told, 0);
    hear(&heard, &told);
    CU_ASSERT(heard.is_whole);
    CU_ASSERT_PTR_NOT_NULL_FATAL(heard.problem);
    CU_ASSERT_EQUAL(asnap_error_code(heard.problem), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_STRING_EQUAL(asnap_error_message(heard.problem), "a.c: bad");
    forget(&heard);
}

ASNAP_TEST(naming_messages, want_of_memory_is_an_error)
{
    struct told told = {.used = 0};
    struct heard heard;
    end(&told, ASNAP_ERROR_NO_MEMORY);
    hear(&heard, &told);
    CU_ASSERT_EQUAL(heard.code, ASNAP_ERROR_NO_MEMORY);
    forget(&heard);
}

/* What came before stays, all addresses count as done, and it is not whole. */
static void check_ends(const struct told *told)
{
    struct heard heard;
    hear(&heard, told);
    CU_ASSERT(!heard.is_whole);
    CU_ASSERT_EQUAL(heard.code, 0);
    CU_ASSERT_EQUAL(heard.done, ADDRESSES);
    CU_ASSERT_PTR_NOT_NULL(heard.namings[0].named);
    CU_ASSERT_PTR_NULL(heard.namings[1].named);
    forget(&heard);
}

static struct told begun(void)
{
    struct told told = {.used = 0};
    string(&told, "/src/a.c");
    named(&told, FIRST_ADDRESS, 0, 0);
    done(&told, 1);
    return told;
}

ASNAP_TEST(naming_messages, nonsense_ends_it)
{
    static const struct asnap_told_naming no_frames = {FIRST_ADDRESS + 1, 0, 0};
    static const struct asnap_told_naming many_frames = {FIRST_ADDRESS + 1, 0, UINT32_MAX};
    static const struct asnap_naming_header too_long = {ASNAP_NAMING_STRING, UINT32_MAX};
    struct told told = begun();
    check_ends(&told);
    named(&told, FIRST_ADDRESS + 1, 1, 0); /* a string that there is not */
    end(&told, 0);
    check_ends(&told);
    told = begun();
    named(&told, FIRST_ADDRESS - 1, 0, 0); /* an address that nobody asked for */
    end(&told, 0);
    check_ends(&told);
    told = begun();
    message(&told, ASNAP_NAMING_NAMED, &no_frames, sizeof(no_frames));
    end(&told, 0);
    check_ends(&told);
    told = begun();
    message(&told, ASNAP_NAMING_NAMED, &many_frames, sizeof(many_frames));
    end(&told, 0);
    check_ends(&told);
    told = begun();
    message(&told, ASNAP_NAMING_NAMED, &no_frames, 3);
    end(&told, 0);
    check_ends(&told);
    told = begun();
    done(&told, ADDRESSES); /* more than there are */
    end(&told, 0);
    check_ends(&told);
    told = begun();
    message(&told, ASNAP_NAMING_DONE, "", 0);
    end(&told, 0);
    check_ends(&told);
    told = begun();
    message(&told, ASNAP_NAMING_PROBLEM, "ab", 2);
    end(&told, 0);
    check_ends(&told);
    told = begun();
    message(&told, ASNAP_NAMING_END, "ab", 2);
    check_ends(&told);
    told = begun();
    message(&told, 99, "ab", 2);
    end(&told, 0);
    check_ends(&told);
    told = begun();
    put(&told, &too_long, sizeof(too_long));
    check_ends(&told);
}

/* Cut off anywhere. */
ASNAP_TEST(naming_messages, early_end)
{
    struct told whole = begun();
    size_t first = whole.used;
    string(&whole, "more");
    done(&whole, 2);
    end(&whole, 0);
    for (size_t used = first; used < whole.used; used++) {
        struct told told = whole;
        told.used = used;
        check_ends(&told);
    }
}
