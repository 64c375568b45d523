/* CPython's tables, in a program that is made up: what is read, without symbols and with them, and
 * what damage makes of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "python_image.h"
#include "unit.h"

static struct python_image image;

static struct asnap_error *read_image(struct asnap_snapshot **snapshot)
{
    struct asnap_cpython found;
    struct asnap_error *error =
        asnap_cpython_find(&image.memory, &image.symbols, image.regions, 3, NULL, &found);
    if (error == NULL)
        error = asnap_cpython_snapshot(&image.memory, &found, image.regions, 3, NULL, 0, NULL,
                                       snapshot);
    return error;
}

/* The snapshot as text: DOMAIN ADDRESS SIZE FRAMES/TOTAL, a line for each trace, then the notes. */
static char *text_of(const struct asnap_snapshot *snapshot)
{
    char *text;
    size_t size;
    const struct asnap_trace *traces;
    FILE *out = open_memstream(&text, &size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    ASNAP_ASSERT_OK(asnap_snapshot_traces(snapshot, &traces));
    /* In order of domain and address. */
    for (uint32_t domain = 0; domain < 8; domain++) {
        for (uint64_t address = 0x1000; address <= 0x3000; address += 0x1000) {
            for (size_t i = 0; i < asnap_snapshot_count(snapshot); i++) {
                if (traces[i].domain != domain || traces[i].address != address)
                    continue;
                const struct asnap_traceback *back =
                    &asnap_snapshot_tracebacks(snapshot)[traces[i].traceback_id];
                fprintf(out, "%u %#llx %llu", domain, (unsigned long long)address,
                        (unsigned long long)traces[i].size);
                for (uint32_t k = 0; k < back->frame_count; k++) {
                    struct asnap_frame frame = asnap_snapshot_frame(
                        snapshot, asnap_snapshot_frame_ids(snapshot)[back->first + k]);
                    CU_ASSERT_PTR_NULL(frame.function);
                    fprintf(out, " %s:%u", frame.filename, frame.lineno);
                }
                fprintf(out, "/%d\n", (int)back->total_nframe);
            }
        }
    }
    for (size_t i = 0; i < asnap_snapshot_note_count(snapshot); i++)
        fprintf(out, "%s\n", asnap_snapshot_note(snapshot, i));
    fclose(out);
    return text;
}

static void check(const char *expected)
{
    struct asnap_snapshot *snapshot;
    ASNAP_ASSERT_OK(read_image(&snapshot));
    CU_ASSERT_EQUAL(asnap_snapshot_traceback_limit(snapshot), 4);
    char *text = text_of(snapshot);
    CU_ASSERT_STRING_EQUAL(text, expected);
    if (strcmp(text, expected) != 0)
        fprintf(stderr, "read:\n%s", text);
    free(text);
    asnap_snapshot_destroy(snapshot);
}

#define FIRST "0 0x1000 10 /a.py:1 /b\u00e9.py:2/2\n"
#define SECOND "0 0x2000 20 /a.py:1 /b\u00e9.py:2/2\n"
#define THIRD "0 0x3000 30 \u65e5:3/7\n"
#define OTHER "5 0x1000 40 \u65e5:3/7\n"
/* 3.8 has one number, which is below the limit: that of all frames. */
#define THIRD_OF_3_8 "0 0x3000 30 \u65e5:3/1\n"

static const char *whole(enum python_image_kind kind)
{
    return kind == PYTHON_3_8 ? FIRST SECOND THIRD_OF_3_8 : FIRST SECOND THIRD OTHER;
}

ASNAP_TEST(cpython, reads_each_kind)
{
    static const char *const names[] = {"CPython 3.8.18", "CPython 3.11.2", "CPython 3.14.1",
                                        "CPython 3.14.1, free-threaded"};
    for (enum python_image_kind kind = 0; kind < PYTHON_KINDS; kind++) {
        struct asnap_cpython found;
        python_image_make(&image, kind);
        check(whole(kind));
        ASNAP_ASSERT_OK(
            asnap_cpython_find(&image.memory, &image.symbols, image.regions, 3, NULL, &found));
        CU_ASSERT_STRING_EQUAL(found.name, names[kind]);
        CU_ASSERT_EQUAL(found.traced_size, kind == PYTHON_3_8 ? 60 : 100);
    }
}

/* Only the configuration is exported, and from 3.12 on nothing need be. */
ASNAP_TEST(cpython, finds_tables_without_symbols)
{
    for (enum python_image_kind kind = 0; kind < PYTHON_KINDS; kind++) {
        python_image_make(&image, kind);
        uint64_t runtime = image.symbols.runtime;
        image.symbols = (struct asnap_cpython_symbols){
            .path = kind < PYTHON_3_14 ? "/usr/bin/python3" : image.symbols.path,
            .config = kind < PYTHON_3_14 ? image.config : 0,
            .version = image.symbols.version,
            .runtime = kind == PYTHON_3_14_FREE_THREADED ? runtime : 0,
        };
        check(whole(kind));
    }
}

/* A table that is no table is no answer, nor is one that lies elsewhere. */
ASNAP_TEST(cpython, takes_no_other_tables)
{
    python_image_make(&image, PYTHON_3_11);
    image.symbols.traces = image.symbols.domains = 0;
    /* The file names' table, without which it cannot be told which is which. */
    python_image_put(&image, image.state + 24, 0);
    struct asnap_snapshot *snapshot;
    ASNAP_ASSERT_ERROR(read_image(&snapshot), ASNAP_ERROR_UNSUPPORTED);
    python_image_make(&image, PYTHON_3_11);
    image.symbols.traces = image.symbols.domains = 0;
    python_image_put(&image, image.traces + 32, PYTHON_HEAP);
    ASNAP_ASSERT_ERROR(read_image(&snapshot), ASNAP_ERROR_UNSUPPORTED);
    python_image_make(&image, PYTHON_3_14);
    python_image_put(&image, image.traces + 16, 12);
    ASNAP_ASSERT_ERROR(read_image(&snapshot), ASNAP_ERROR_NOT_TRACING);
}

ASNAP_TEST(cpython, says_where_it_does_not_trace)
{
    struct asnap_snapshot *snapshot;
    for (enum python_image_kind kind = 0; kind < PYTHON_KINDS; kind++) {
        python_image_make(&image, kind);
        python_image_put_half(&image, image.config + 4, 0);
        ASNAP_ASSERT_ERROR(read_image(&snapshot), ASNAP_ERROR_NOT_TRACING);
    }
}

ASNAP_TEST(cpython, says_what_was_being_changed)
{
    static const char held[] =
        "a thread was changing tracemalloc's tables (it holds their lock): the block in flight may "
        "be missing, or here although it was freed\n";
    char expected[1024];
    for (enum python_image_kind kind = 0; kind < PYTHON_KINDS; kind++) {
        python_image_make(&image, kind);
        python_image_put(&image, image.lock, kind < PYTHON_3_14 ? 0 : 1);
        snprintf(expected, sizeof(expected), "%s%s", whole(kind), held);
        check(expected);
    }
    /* An entry whose list ends early. */
    python_image_make(&image, PYTHON_3_11);
    python_image_put(&image, image.entries[2], 0);
    check(FIRST THIRD OTHER
          "tracemalloc says that it has 4 traces, and 3 are found: a thread was changing its "
          "tables, or the program has overwritten them\n");
    /* A list that leads into itself, as half of a resize leaves it: each trace is there once. */
    python_image_make(&image, PYTHON_3_11);
    python_image_put(&image, image.entries[1], image.entries[2]);
    check(FIRST SECOND THIRD OTHER
          "lists of tracemalloc's tables lead into each other: a thread was resizing them, or the "
          "program has overwritten them, and traces may be missing here\n");
    /* What it counts itself is not what there is. */
    python_image_make(&image, PYTHON_3_14);
    python_image_put(&image, image.state + 144, 99);
    check(FIRST SECOND THIRD OTHER
          "tracemalloc says that it traces 99 bytes, and its traces sum to 100: a thread was "
          "changing its tables, or the program has overwritten them\n");
}

ASNAP_TEST(cpython, says_what_cannot_be_read)
{
    python_image_make(&image, PYTHON_3_11);
    python_image_put(&image, image.entries[0] + 24, 0x10);
    check(SECOND THIRD OTHER "1 trace could not be read (a truncated core?): it is missing here\n");
    python_image_make(&image, PYTHON_3_11);
    python_image_put(&image, python_image_word(&image, image.entries[0] + 24), UINT64_MAX);
    check(SECOND THIRD OTHER
          "1 trace of an impossible size is left out: the program has overwritten it\n");
    python_image_make(&image, PYTHON_3_11);
    python_image_put_half(&image, image.tracebacks[1] + 8, 5 | 7 << 16);
    check(FIRST SECOND "0 0x3000 30 <unreadable>:0/-1\n"
                       "5 0x1000 40 <unreadable>:0/-1\n"
                       "1 traceback could not be read: its blocks are at <unreadable>\n");
    python_image_make(&image, PYTHON_3_11);
    python_image_put(&image, image.tracebacks[1] + 12, 0x20);
    check(FIRST SECOND "0 0x3000 30 <unreadable name at 0x20>:3/7\n"
                       "5 0x1000 40 <unreadable name at 0x20>:3/7\n"
                       "1 file name could not be read\n");
    python_image_make(&image, PYTHON_3_11);
    python_image_put(&image, image.domains + 16, 12);
    check(FIRST SECOND THIRD
          "1 table of a domain is not what it must be: its traces are missing here\n");
}

/* Characters of which no file name can be made are written out, once where bytes are UTF-8 only
 * when they come together. */
ASNAP_TEST(cpython, names_of_any_characters)
{
    static const struct {
        uint16_t character;
        const char *shown;
        bool is_odd;
    } cases[] = {
        {0x65e5, "\u65e5", false}, {0xdcff, "\xff", false},   {0xd800, "\\ud800", true},
        {0, "\\x00", true},        {0xdc7f, "\\udc7f", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char expected[512];
        python_image_make(&image, PYTHON_3_14);
        uint64_t at = image.names[2] + 16 + 24 + 16;
        python_image_put_half(&image, at, cases[i].character);
        snprintf(expected, sizeof(expected),
                 FIRST SECOND "0 0x3000 30 %s:3/7\n5 0x1000 40 %s:3/7\n%s", cases[i].shown,
                 cases[i].shown,
                 cases[i].is_odd ? "1 file name has characters that no file can have in its name: "
                                   "they are written \\x.. and \\u.... here\n"
                                 : "");
        check(expected);
    }
}

static bool ask_no(void *context, const char *step, uint64_t done, uint64_t total)
{
    (void)context;
    (void)step;
    (void)done;
    (void)total;
    return false;
}

ASNAP_TEST(cpython, can_be_interrupted)
{
    static const struct asnap_progress progress = {.report = ask_no};
    struct asnap_cpython found;
    struct asnap_snapshot *snapshot;
    python_image_make(&image, PYTHON_3_14);
    ASNAP_ASSERT_OK(
        asnap_cpython_find(&image.memory, &image.symbols, image.regions, 3, NULL, &found));
    ASNAP_ASSERT_ERROR(asnap_cpython_snapshot(&image.memory, &found, image.regions, 3, NULL, 0,
                                              &progress, &snapshot),
                       ASNAP_ERROR_INTERRUPTED);
}

static struct asnap_error *read_once(void *context)
{
    struct asnap_snapshot *snapshot;
    (void)context;
    struct asnap_error *error = read_image(&snapshot);
    if (error == NULL)
        asnap_snapshot_destroy(snapshot);
    return error;
}

ASNAP_TEST(cpython, survives_lack_of_memory)
{
    for (enum python_image_kind kind = 0; kind < PYTHON_KINDS; kind++) {
        python_image_make(&image, kind);
        CU_ASSERT(asnap_unit_sweep(read_once, NULL) > 10);
        image.symbols.traces = image.symbols.domains = 0;
        CU_ASSERT(asnap_unit_sweep(read_once, NULL) > 10);
    }
}
