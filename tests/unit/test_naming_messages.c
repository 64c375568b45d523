/* What a process that reads debug information may tell, sense and nonsense. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "naming_messages.h"
#include "naming_reader.h"
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

enum { MODULE = 7 };

static void begin(struct told *told, uint64_t module)
{
    message(told, ASNAP_NAMING_BEGIN, &module, sizeof(module));
}

static void done(struct told *told, uint64_t count)
{
    message(told, ASNAP_NAMING_DONE, &count, sizeof(count));
}

static void end(struct told *told, uint32_t code)
{
    message(told, ASNAP_NAMING_END, &code, sizeof(code));
}

/* One frame: the strings have these numbers; `allocates` is the type of what the call returns. */
static void named_with_type(struct told *told, uint64_t address, uint32_t filename,
                            uint32_t function, uint32_t allocates)
{
    struct {
        struct asnap_told_naming naming;
        struct asnap_told_frame frame;
    } both = {{address, 0, 1, allocates, 0}, {filename, function, 7, 0}};
    message(told, ASNAP_NAMING_NAMED, &both, sizeof(both));
}

static void named(struct told *told, uint64_t address, uint32_t filename, uint32_t function)
{
    named_with_type(told, address, filename, function, ASNAP_NAMING_NO_STRING);
}

struct heard {
    struct asnap_frame_store *store;
    struct asnap_naming namings[ADDRESSES];
    uint64_t done;
    enum asnap_naming_outcome heard;
    enum asnap_error_code code; /* of the error; 0: none */
    struct asnap_error *problem;
};

static void hear(struct heard *heard, const struct told *told)
{
    int ends[2];
    struct asnap_naming_progress progress = {.total = ADDRESSES};
    *heard = (struct heard){.done = 0};
    for (size_t i = 0; i < ADDRESSES; i++)
        heard->namings[i].address = FIRST_ADDRESS + i;
    ASNAP_ASSERT_OK(asnap_frame_store_create(&heard->store));
    CU_ASSERT_FATAL(pipe(ends) == 0);
    CU_ASSERT_FATAL(write(ends[1], told->bytes, told->used) == (ssize_t)told->used);
    close(ends[1]);
    struct asnap_naming_reader reader = {.fd = ends[0], .store = heard->store};
    struct asnap_error *error = asnap_naming_reader_read(&reader, MODULE, heard->namings, ADDRESSES,
                                                         &progress, &heard->problem, &heard->heard);
    asnap_naming_reader_deinit(&reader);
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
    begin(&told, MODULE);
    string(&told, "/src/a.c");
    string(&told, "main");
    named(&told, FIRST_ADDRESS + 1, 0, 1);
    done(&told, 2);
    named_with_type(&told, FIRST_ADDRESS + 2, 0, ASNAP_NAMING_NO_STRING, 1);
    done(&told, 1);
    end(&told, 0);
    hear(&heard, &told);
    CU_ASSERT(heard.heard == ASNAP_OUTCOME_ALL && heard.code == 0 && heard.problem == NULL);
    CU_ASSERT_EQUAL(heard.done, 3);
    CU_ASSERT_PTR_NULL(heard.namings[0].named);
    CU_ASSERT_PTR_NOT_NULL_FATAL(heard.namings[1].named);
    CU_ASSERT_EQUAL_FATAL(heard.namings[1].named->frame_count, 1);
    CU_ASSERT_STRING_EQUAL(heard.namings[1].named->frames[0].filename, "/src/a.c");
    CU_ASSERT_STRING_EQUAL(heard.namings[1].named->frames[0].function, "main");
    CU_ASSERT_EQUAL(heard.namings[1].named->frames[0].lineno, 7);
    CU_ASSERT_PTR_NOT_NULL_FATAL(heard.namings[2].named);
    CU_ASSERT_PTR_NULL(heard.namings[2].named->frames[0].function);
    CU_ASSERT_PTR_NULL(heard.namings[1].named->allocates);
    CU_ASSERT_STRING_EQUAL(heard.namings[2].named->allocates, "main");
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
    begin(&told, MODULE);
    message(&told, ASNAP_NAMING_PROBLEM, &problem, sizeof(problem.code) + strlen(problem.text));
    end(&told, 0);
    hear(&heard, &told);
    CU_ASSERT_EQUAL(heard.heard, ASNAP_OUTCOME_ALL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(heard.problem);
    CU_ASSERT_EQUAL(asnap_error_code(heard.problem), ASNAP_ERROR_DAMAGED);
    CU_ASSERT_STRING_EQUAL(asnap_error_message(heard.problem), "a.c: bad");
    forget(&heard);
}

ASNAP_TEST(naming_messages, want_of_memory_is_told)
{
    struct told told = {.used = 0};
    struct heard heard;
    begin(&told, MODULE);
    end(&told, ASNAP_ERROR_NO_MEMORY);
    hear(&heard, &told);
    CU_ASSERT_EQUAL(heard.heard, ASNAP_OUTCOME_MEMORY);
    CU_ASSERT_EQUAL(heard.code, 0);
    CU_ASSERT_EQUAL(heard.done, ADDRESSES);
    forget(&heard);
}

/* What came before stays, all addresses count as done, and it is not whole. */
static void check_ends(const struct told *told, enum asnap_naming_outcome how)
{
    struct heard heard;
    hear(&heard, told);
    CU_ASSERT_EQUAL(heard.heard, how);
    CU_ASSERT_EQUAL(heard.code, 0);
    CU_ASSERT_EQUAL(heard.done, ADDRESSES);
    CU_ASSERT_PTR_NOT_NULL(heard.namings[0].named);
    CU_ASSERT_PTR_NULL(heard.namings[1].named);
    forget(&heard);
}

static struct told begun(void)
{
    struct told told = {.used = 0};
    begin(&told, MODULE);
    string(&told, "/src/a.c");
    named(&told, FIRST_ADDRESS, 0, 0);
    done(&told, 1);
    return told;
}

ASNAP_TEST(naming_messages, nonsense_ends_it)
{
    static const struct asnap_told_naming no_frames = {FIRST_ADDRESS + 1, 0, 0,
                                                       ASNAP_NAMING_NO_STRING, 0};
    static const struct asnap_told_naming many_frames = {FIRST_ADDRESS + 1, 0, UINT32_MAX,
                                                         ASNAP_NAMING_NO_STRING, 0};
    static const struct asnap_naming_header too_long = {ASNAP_NAMING_STRING, UINT32_MAX};
    struct told told = begun();
    check_ends(&told, ASNAP_OUTCOME_END);
    named(&told, FIRST_ADDRESS + 1, 1, 0); /* a string that there is not */
    end(&told, 0);
    check_ends(&told, ASNAP_OUTCOME_NONSENSE);
    told = begun();
    named_with_type(&told, FIRST_ADDRESS + 1, 0, 0, 1); /* likewise, as a type */
    end(&told, 0);
    check_ends(&told, ASNAP_OUTCOME_NONSENSE);
    told = begun();
    named(&told, FIRST_ADDRESS - 1, 0, 0); /* an address that nobody asked for */
    end(&told, 0);
    check_ends(&told, ASNAP_OUTCOME_NONSENSE);
    told = begun();
    named(&told, FIRST_ADDRESS, 0, 0); /* once more */
    end(&told, 0);
    check_ends(&told, ASNAP_OUTCOME_NONSENSE);
    told = begun();
    message(&told, ASNAP_NAMING_NAMED, &no_frames, sizeof(no_frames));
    end(&told, 0);
    check_ends(&told, ASNAP_OUTCOME_NONSENSE);
    told = begun();
    message(&told, ASNAP_NAMING_NAMED, &many_frames, sizeof(many_frames));
    end(&told, 0);
    check_ends(&told, ASNAP_OUTCOME_NONSENSE);
    told = begun();
    message(&told, ASNAP_NAMING_NAMED, &no_frames, 3);
    end(&told, 0);
    check_ends(&told, ASNAP_OUTCOME_NONSENSE);
    told = begun();
    done(&told, ADDRESSES); /* more than there are */
    end(&told, 0);
    check_ends(&told, ASNAP_OUTCOME_NONSENSE);
    told = begun();
    message(&told, ASNAP_NAMING_DONE, "", 0);
    end(&told, 0);
    check_ends(&told, ASNAP_OUTCOME_NONSENSE);
    told = begun();
    message(&told, ASNAP_NAMING_PROBLEM, "ab", 2);
    end(&told, 0);
    check_ends(&told, ASNAP_OUTCOME_NONSENSE);
    told = begun();
    message(&told, ASNAP_NAMING_END, "ab", 2);
    check_ends(&told, ASNAP_OUTCOME_NONSENSE);
    told = begun();
    message(&told, 99, "ab", 2);
    end(&told, 0);
    check_ends(&told, ASNAP_OUTCOME_NONSENSE);
    told = begun();
    begin(&told, MODULE + 1); /* within another */
    end(&told, 0);
    check_ends(&told, ASNAP_OUTCOME_NONSENSE);
    told = begun();
    put(&told, &too_long, sizeof(too_long));
    check_ends(&told, ASNAP_OUTCOME_NONSENSE);
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
        check_ends(&told, ASNAP_OUTCOME_END);
    }
}

/* Of a module that is not asked about only the strings count; one that the other process has
 * left out has no names. */
ASNAP_TEST(naming_messages, modules_in_turn)
{
    struct asnap_naming namings[ADDRESSES];
    struct told told = {.used = 0};
    int ends[2];
    struct asnap_naming_progress progress = {.total = 3 * ADDRESSES};
    struct asnap_error *problem = NULL;
    enum asnap_naming_outcome heard;
    begin(&told, 1);
    string(&told, "one");
    named(&told, FIRST_ADDRESS, 0, 0);
    end(&told, 0);
    begin(&told, 3);
    string(&told, "three");
    named(&told, FIRST_ADDRESS, 1, 0);
    end(&told, 0);
    struct asnap_frame_store *store;
    ASNAP_ASSERT_OK(asnap_frame_store_create(&store));
    CU_ASSERT_FATAL(pipe(ends) == 0);
    CU_ASSERT_FATAL(write(ends[1], told.bytes, told.used) == (ssize_t)told.used);
    close(ends[1]);
    struct asnap_naming_reader reader = {.fd = ends[0], .store = store};
    for (uint64_t module = 2; module <= 4; module++) {
        for (size_t i = 0; i < ADDRESSES; i++)
            namings[i] = (struct asnap_naming){.address = FIRST_ADDRESS + i};
        ASNAP_ASSERT_OK(asnap_naming_reader_read(&reader, module, namings, ADDRESSES, &progress,
                                                 &problem, &heard));
        CU_ASSERT_EQUAL(heard, module == 4 ? ASNAP_OUTCOME_END : ASNAP_OUTCOME_ALL);
        CU_ASSERT_EQUAL((namings[0].named != NULL), (module == 3));
        if (module == 3) {
            CU_ASSERT_STRING_EQUAL(namings[0].named->frames[0].filename, "three");
            CU_ASSERT_STRING_EQUAL(namings[0].named->frames[0].function, "one");
        }
        CU_ASSERT_EQUAL(progress.done, (module - 1) * ADDRESSES);
    }
    asnap_naming_reader_deinit(&reader);
    close(ends[0]);
    asnap_frame_store_destroy(store);
}
