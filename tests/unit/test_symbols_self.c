/* The symbolizer on this very process: functions and lines known to the compiler. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "own_memory.h"
#include "symbolizer.h"
#include "test_symbols_process.h"
#include "unit.h"

/* The address behind the call, for the caller to be named by. */
__attribute__((noinline)) static uint64_t here(void)
{
    uint64_t address = (uint64_t)__builtin_return_address(0);
    __asm__ volatile("" : "+r"(address));
    return address;
}

/* Where calls are, in lines of this file. */
struct places {
    uint64_t address;
    uint32_t inner;
    uint32_t middle;
    uint32_t outer;
};

static inline __attribute__((always_inline)) void inlined_inner(struct places *places)
{
    places->address = here(), places->inner = __LINE__;
}

static inline __attribute__((always_inline)) void inlined_middle(struct places *places)
{
    inlined_inner(places), places->middle = __LINE__;
}

__attribute__((noinline)) static void not_inlined(struct places *places)
{
    inlined_middle(places), places->outer = __LINE__;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static void expect_frame(const struct asnap_frame *frame, const char *function, uint32_t line,
                         bool inlined)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(frame->function);
    CU_ASSERT_STRING_EQUAL(frame->function, function);
    CU_ASSERT_EQUAL(frame->lineno, line);
    CU_ASSERT_EQUAL(frame->inlined, inlined);
    CU_ASSERT_EQUAL(frame->filename[0], '/');
    CU_ASSERT(ends_with(frame->filename, __FILE__));
}

ASNAP_TEST(symbols_self, inlined_functions_are_frames)
{
    struct places places;
    not_inlined(&places);
    struct asnap_symbolizer *symbolizer = own_symbolizer(NULL);
    struct asnap_named_pc named = name_one(symbolizer, places.address);
    CU_ASSERT_EQUAL_FATAL(named.frame_count, 3);
    expect_frame(&named.frames[0], "inlined_inner", places.inner, true);
    expect_frame(&named.frames[1], "inlined_middle", places.middle, true);
    expect_frame(&named.frames[2], "not_inlined", places.outer, false);
    CU_ASSERT_EQUAL(asnap_symbolizer_note_count(symbolizer), 0);
    asnap_symbolizer_destroy(symbolizer);
}

ASNAP_TEST(symbols_self, named_once)
{
    struct places places;
    not_inlined(&places);
    struct asnap_symbolizer *symbolizer = own_symbolizer(NULL);
    struct asnap_named_pc first = name_one(symbolizer, places.address);
    struct own_regions own;
    own_regions_init(&own);
    ASNAP_ASSERT_OK(asnap_symbolizer_set_regions(symbolizer, &own_memory, own.regions, own.count));
    own_regions_deinit(&own);
    struct asnap_named_pc second = name_one(symbolizer, places.address);
    CU_ASSERT_PTR_EQUAL(first.frames, second.frames);
    CU_ASSERT_EQUAL(first.frame_count, second.frame_count);
    asnap_symbolizer_destroy(symbolizer);
}

ASNAP_TEST(symbols_self, unknown_addresses)
{
    struct asnap_symbolizer *symbolizer = own_symbolizer(NULL);
    int local = 0;
    uint64_t addresses[] = {0, 1, UINT64_MAX, (uint64_t)&local, 1};
    struct asnap_named_pc names[5];
    ASNAP_ASSERT_OK(asnap_symbolizer_name(symbolizer, addresses, 5, NULL, names));
    for (size_t i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(names[i].frame_count, 1);
        CU_ASSERT_STRING_EQUAL(names[i].frames[0].filename, "<unknown>");
        CU_ASSERT_PTR_NULL(names[i].frames[0].function);
        CU_ASSERT_EQUAL(names[i].frames[0].lineno, 0);
    }
    CU_ASSERT_EQUAL(asnap_symbolizer_note_count(symbolizer), 0);
    asnap_symbolizer_destroy(symbolizer);
}

ASNAP_TEST(symbols_self, without_debug_information)
{
    /* The C library is stripped, and no debug file is looked for. */
    struct asnap_symbolizer *symbolizer = own_symbolizer("");
    uint64_t address = (uint64_t)dlsym(RTLD_DEFAULT, "getenv");
    struct asnap_named_pc named = name_one(symbolizer, address + 1);
    CU_ASSERT_EQUAL(named.frame_count, 1);
    CU_ASSERT_STRING_EQUAL(named.frames[0].function, "getenv");
    CU_ASSERT_EQUAL(named.frames[0].lineno, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(named.frames[0].filename, "/libc.so.6"));
    /* An address that starts a function returns from a call in the one before. */
    named = name_one(symbolizer, address);
    CU_ASSERT(named.frames[0].function == NULL || strcmp(named.frames[0].function, "getenv") != 0);
    asnap_symbolizer_destroy(symbolizer);
}

ASNAP_TEST(symbols_self, vdso)
{
    void *vdso = dlopen("linux-vdso.so.1", RTLD_LAZY | RTLD_NOLOAD);
    CU_ASSERT_PTR_NOT_NULL_FATAL(vdso);
    uint64_t address = (uint64_t)dlsym(vdso, "__vdso_clock_gettime");
    CU_ASSERT_FATAL(address > getauxval(AT_SYSINFO_EHDR));
    struct asnap_symbolizer *symbolizer = own_symbolizer(NULL);
    struct asnap_named_pc named = name_one(symbolizer, address + 1);
    CU_ASSERT_STRING_EQUAL(named.frames[0].filename, "[vdso]");
    CU_ASSERT_PTR_NOT_NULL_FATAL(named.frames[0].function);
    CU_ASSERT_STRING_EQUAL(named.frames[0].function, "__vdso_clock_gettime");
    CU_ASSERT_EQUAL(asnap_symbolizer_note_count(symbolizer), 0);
    /* Without its memory nothing is known of it. */
    struct own_regions own;
    own_regions_init(&own);
    ASNAP_ASSERT_OK(asnap_symbolizer_set_regions(symbolizer, NULL, own.regions, own.count));
    own_regions_deinit(&own);
    named = name_one(symbolizer, address + 1);
    CU_ASSERT_STRING_EQUAL(named.frames[0].filename, "[vdso]");
    CU_ASSERT_PTR_NULL(named.frames[0].function);
    CU_ASSERT_EQUAL(asnap_symbolizer_note_count(symbolizer), 1);
    asnap_symbolizer_destroy(symbolizer);
    dlclose(vdso);
}

/* Names one address of a file that is mapped at 0x10000. */
static struct asnap_frame name_in_file(struct asnap_symbolizer *symbolizer, const char *path)
{
    struct asnap_region region = {.start = 0x10000, .end = 0x20000, .path = path};
    ASNAP_ASSERT_OK(asnap_symbolizer_set_regions(symbolizer, NULL, &region, 1));
    struct asnap_named_pc named = name_one(symbolizer, 0x12345);
    CU_ASSERT_EQUAL(named.frame_count, 1);
    return named.frames[0];
}

static void expect_module_only(const char *path, const char *filename, const char *note)
{
    struct asnap_symbolizer *symbolizer;
    ASNAP_ASSERT_OK(asnap_symbolizer_create(NULL, &symbolizer));
    struct asnap_frame frame = name_in_file(symbolizer, path);
    CU_ASSERT_STRING_EQUAL(frame.filename, filename);
    CU_ASSERT_PTR_NULL(frame.function);
    CU_ASSERT_EQUAL(frame.lineno, 0);
    CU_ASSERT_EQUAL_FATAL(asnap_symbolizer_note_count(symbolizer), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(asnap_symbolizer_note(symbolizer, 0), note));
    CU_ASSERT_PTR_NULL(strchr(asnap_symbolizer_note(symbolizer, 0), '\n'));
    CU_ASSERT_PTR_NULL(asnap_symbolizer_note(symbolizer, 1));
    asnap_symbolizer_destroy(symbolizer);
}

ASNAP_TEST(symbols_self, files_that_cannot_be_used)
{
    expect_module_only("/nonexistent/lib.so", "/nonexistent/lib.so", "No such file");
    expect_module_only("/nonexistent/lib.so (deleted)", "/nonexistent/lib.so", "deleted");
    expect_module_only("/proc/self/maps", "/proc/self/maps", "not a whole ELF");
    expect_module_only("/dev/zero", "/dev/zero", "cannot be read");
    expect_module_only("/", "/", "cannot be read");
}

/* Copies this program to `path`. */
static void copy_self(const char *path)
{
    FILE *from = fopen("/proc/self/exe", "rb");
    FILE *to = fopen(path, "wb");
    CU_ASSERT_FATAL(from != NULL && to != NULL);
    char buffer[65536];
    for (size_t got; (got = fread(buffer, 1, sizeof(buffer), from)) > 0;)
        CU_ASSERT_EQUAL(fwrite(buffer, 1, got, to), got);
    fclose(from);
    fclose(to);
}

ASNAP_TEST(symbols_self, file_that_changes)
{
    char path[] = "/tmp/allocsnap-XXXXXX";
    int fd = mkstemp(path);
    CU_ASSERT_FATAL(fd >= 0);
    close(fd);
    copy_self(path);
    struct own_regions own;
    own_regions_init(&own);
    for (size_t i = 0; i < own.count; i++) {
        if (strcmp(own.regions[i].path, own_path()) == 0) {
            free((char *)own.regions[i].path);
            own.regions[i].path = strdup(path);
        }
    }
    struct asnap_symbolizer *symbolizer;
    struct places places;
    not_inlined(&places);
    ASNAP_ASSERT_OK(asnap_symbolizer_create(NULL, &symbolizer));
    ASNAP_ASSERT_OK(asnap_symbolizer_set_regions(symbolizer, NULL, own.regions, own.count));
    struct asnap_named_pc before = name_one(symbolizer, places.address);
    CU_ASSERT_EQUAL(before.frame_count, 3);
    CU_ASSERT_EQUAL(truncate(path, 1000), 0);
    ASNAP_ASSERT_OK(asnap_symbolizer_set_regions(symbolizer, NULL, own.regions, own.count));
    struct asnap_named_pc after = name_one(symbolizer, places.address);
    CU_ASSERT_EQUAL(after.frame_count, 1);
    CU_ASSERT_STRING_EQUAL(after.frames[0].filename, path);
    CU_ASSERT_EQUAL(asnap_symbolizer_note_count(symbolizer), 1);
    expect_frame(&before.frames[0], "inlined_inner", places.inner, true);
    own_regions_deinit(&own);
    asnap_symbolizer_destroy(symbolizer);
    unlink(path);
}

struct reports {
    size_t count;
    uint64_t done;
    uint64_t total;
    size_t stop_after;
};

static bool report(void *context, const char *step, uint64_t done, uint64_t total)
{
    struct reports *reports = context;
    CU_ASSERT_STRING_EQUAL(step, "naming frames");
    CU_ASSERT(done >= reports->done && done <= total);
    reports->done = done;
    reports->total = total;
    return ++reports->count < reports->stop_after;
}

ASNAP_TEST(symbols_self, progress_and_interruption)
{
    struct reports reports = {.stop_after = SIZE_MAX};
    struct asnap_progress progress = {report, &reports};
    struct places places;
    not_inlined(&places);
    uint64_t addresses[] = {(uint64_t)dlsym(RTLD_DEFAULT, "getenv") + 1, places.address, 1, here()};
    struct asnap_named_pc names[4] = {{NULL, 7, NULL}};
    struct asnap_symbolizer *symbolizer = own_symbolizer("");
    reports.stop_after = 1;
    ASNAP_ASSERT_ERROR(asnap_symbolizer_name(symbolizer, addresses, 4, &progress, names),
                       ASNAP_ERROR_INTERRUPTED);
    CU_ASSERT_EQUAL(reports.count, 1);
    CU_ASSERT_EQUAL(names[0].frame_count, 7);
    reports = (struct reports){.stop_after = SIZE_MAX};
    ASNAP_ASSERT_OK(asnap_symbolizer_name(symbolizer, addresses, 4, &progress, names));
    CU_ASSERT_EQUAL(reports.total, 4);
    CU_ASSERT_EQUAL(reports.done, 4);
    CU_ASSERT_EQUAL(names[1].frame_count, 3);
    reports = (struct reports){.stop_after = SIZE_MAX};
    ASNAP_ASSERT_OK(asnap_symbolizer_name(symbolizer, addresses, 4, &progress, names));
    CU_ASSERT_EQUAL(reports.count, 0);
    asnap_symbolizer_destroy(symbolizer);
}

static int refuse(void *context, uint64_t address, void *buffer, size_t size)
{
    (void)address;
    (void)buffer;
    (void)size;
    return *(int *)context;
}

ASNAP_TEST(symbols_self, interrupted_while_reading_the_vdso)
{
    int result = ASNAP_READ_INTERRUPTED;
    struct asnap_memory memory = {.read = refuse, .context = &result};
    struct asnap_region region = {.start = 0x1000, .end = 0x3000, .path = "[vdso]"};
    struct asnap_symbolizer *symbolizer;
    ASNAP_ASSERT_OK(asnap_symbolizer_create(NULL, &symbolizer));
    ASNAP_ASSERT_ERROR(asnap_symbolizer_set_regions(symbolizer, &memory, &region, 1),
                       ASNAP_ERROR_INTERRUPTED);
    result = ASNAP_READ_FAILED;
    ASNAP_ASSERT_OK(asnap_symbolizer_set_regions(symbolizer, &memory, &region, 1));
    CU_ASSERT_STRING_EQUAL(name_one(symbolizer, 0x2000).frames[0].filename, "[vdso]");
    asnap_symbolizer_destroy(symbolizer);
}

struct naming {
    struct own_regions own;
    uint64_t addresses[4];
};

/* All of a symbolizer's life, over a file with debug information, one without, the
 * vDSO and an unknown address. */
static struct asnap_error *live(void *context)
{
    struct naming *naming = context;
    struct asnap_symbolizer *symbolizer = NULL;
    struct asnap_named_pc names[4];
    struct asnap_error *error = asnap_symbolizer_create("/nonexistent", &symbolizer);
    if (error == NULL)
        error = asnap_symbolizer_set_regions(symbolizer, &own_memory, naming->own.regions,
                                             naming->own.count);
    if (error == NULL)
        error = asnap_symbolizer_name(symbolizer, naming->addresses, 4, NULL, names);
    if (error == NULL)
        CU_ASSERT_EQUAL(names[0].frame_count, 3);
    asnap_symbolizer_destroy(symbolizer);
    return error;
}

ASNAP_TEST(symbols_self, every_allocation_fails)
{
    struct naming naming;
    struct places places;
    own_regions_init(&naming.own);
    not_inlined(&places);
    naming.addresses[0] = places.address;
    naming.addresses[1] = (uint64_t)dlsym(RTLD_DEFAULT, "getenv") + 1;
    naming.addresses[2] = getauxval(AT_SYSINFO_EHDR) + 0x800;
    naming.addresses[3] = 1;
    CU_ASSERT(asnap_unit_sweep(live, &naming) > 50);
    own_regions_deinit(&naming.own);
}

/* A failed call leaves a symbolizer that works. */
ASNAP_TEST(symbols_self, works_after_each_failure)
{
    struct places places;
    not_inlined(&places);
    struct asnap_symbolizer *symbolizer = own_symbolizer("/nonexistent");
    struct asnap_named_pc named = {0};
    for (int64_t successes = 0;; successes++) {
        asnap_unit_fail_after(successes);
        struct asnap_error *error =
            asnap_symbolizer_name(symbolizer, &places.address, 1, NULL, &named);
        asnap_unit_fail_after(-1);
        if (error == NULL)
            break;
        ASNAP_ASSERT_ERROR(error, ASNAP_ERROR_NO_MEMORY);
    }
    CU_ASSERT_EQUAL_FATAL(named.frame_count, 3);
    expect_frame(&named.frames[2], "not_inlined", places.outer, false);
    CU_ASSERT_EQUAL(asnap_symbolizer_note_count(symbolizer), 0);
    asnap_symbolizer_destroy(symbolizer);
}
