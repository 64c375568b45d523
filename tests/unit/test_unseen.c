/* What is said of calls that go past the hooks. */
#include <string.h>

#include "table_image.h"
#include "unseen.h"

#define REMEDY ": link its allocator as a shared library"
#define ON ", have it go on by dlsym(RTLD_NEXT, ...)"
#define TRACK ", or have it call allocsnap_track (allocsnap_hooks.h)"
#define MISSED                                                                                     \
    "given out again by the allocator without having been freed by a call that the hooks see: "    \
    "other freed blocks may still count here (too many); such calls come from libraries with a "   \
    "scope of their own (RTLD_DEEPBIND) and from code that does not call free by its name"
#define DEFINES "the program, or a library before the hooks, defines "

static uint64_t missed_frees;

static void expect(uint32_t preceded, uint32_t passed_on, const char *wanted)
{
    static struct asnap_table_root root;
    char text[ASNAP_UNSEEN_BYTES];
    root.preceded = preceded;
    root.passed_on = passed_on;
    root.missed_frees = missed_frees;
    asnap_unseen_describe(&root, text);
    CU_ASSERT_STRING_EQUAL(text, wanted);
}

ASNAP_TEST(unseen, nothing_is_said_where_all_is_seen)
{
    expect(0, 0, "");
    expect(ASNAP_TABLE_FREE | ASNAP_TABLE_NEW, ASNAP_TABLE_FREE | ASNAP_TABLE_NEW, "");
    /* What another version of the hooks may have noticed. */
    expect(UINT32_C(1) << 31, 0, "");
}

ASNAP_TEST(unseen, calls_and_directions_are_named)
{
    expect(ASNAP_TABLE_FREE, 0,
           DEFINES "free, and no call of it has come to the hooks; blocks that free took back "
                   "still count here (too many)" REMEDY ON TRACK);
    expect(ASNAP_TABLE_MALLOC | ASNAP_TABLE_CALLOC | ASNAP_TABLE_MEMALIGN, ASNAP_TABLE_CALLOC,
           DEFINES "malloc and memalign, and no call of these has come to the hooks; blocks that "
                   "malloc and memalign made are missing here (too few)" REMEDY ON TRACK
                   "; " DEFINES "calloc, which goes on to the hooks: blocks count as it asks for "
                   "them, with what it adds to them");
    expect(ASNAP_TABLE_NEW | ASNAP_TABLE_DELETE, ASNAP_TABLE_NEW,
           DEFINES "operator delete, and no call of it has come to the hooks; blocks that operator "
                   "delete took back still count here (too many)" REMEDY ON TRACK);
    expect(ASNAP_TABLE_NEW | ASNAP_TABLE_DELETE, 0,
           DEFINES "operator new and operator delete, and no call of these has come to the hooks; "
                   "blocks that operator new made are missing here (too few)" REMEDY ON TRACK);
    expect(ASNAP_TABLE_REALLOC, 0,
           DEFINES "realloc, and no call of it has come to the hooks; blocks that realloc made are "
                   "missing here (too few), those that it resized count as they were before, also "
                   "when freed after it moved them (too many)" REMEDY ON TRACK);
}

ASNAP_TEST(unseen, a_whole_allocator_is_called_so)
{
    const uint32_t usual =
        ASNAP_TABLE_MALLOC | ASNAP_TABLE_CALLOC | ASNAP_TABLE_REALLOC | ASNAP_TABLE_FREE;
    const uint32_t aligned =
        ASNAP_TABLE_POSIX_MEMALIGN | ASNAP_TABLE_ALIGNED_ALLOC | ASNAP_TABLE_MEMALIGN;
    const char *whole = "the program has a malloc of its own, whose blocks are not seen and "
                        "missing here (too few)" REMEDY TRACK;
    expect(usual | aligned, 0, whole);
    expect(usual | ASNAP_TABLE_ALIGNED_ALLOC, 0,
           "the program has a malloc of its own, whose blocks are not seen and missing here (too "
           "few); blocks of posix_memalign and memalign that free took back still count here (too "
           "many)" REMEDY TRACK);
}

ASNAP_TEST(unseen, what_goes_on_to_the_hooks_is_told)
{
    const uint32_t all = ASNAP_TABLE_MALLOC | ASNAP_TABLE_REALLOC | ASNAP_TABLE_FREE;
    expect(all, all,
           DEFINES "malloc and realloc, which go on to the hooks: blocks count as these ask for "
                   "them, with what these add to them");
}

ASNAP_TEST(unseen, frees_that_were_missed_are_told)
{
    missed_frees = 1;
    expect(0, 0, "1 block was " MISSED);
    missed_frees = 12;
    expect(0, 0, "12 blocks were " MISSED);
    /* It has been said why. */
    expect(ASNAP_TABLE_FREE, 0,
           DEFINES "free, and no call of it has come to the hooks; blocks that free took back "
                   "still count here (too many)" REMEDY ON TRACK);
    missed_frees = 0;
}

ASNAP_TEST(unseen, all_of_it_fits)
{
    static struct asnap_table_root root;
    char text[ASNAP_UNSEEN_BYTES];
    for (uint32_t preceded = 1; preceded <= ASNAP_TABLE_FUNCTIONS; preceded++) {
        root.preceded = preceded;
        root.passed_on = preceded & (preceded >> 1);
        root.missed_frees = UINT64_MAX;
        asnap_unseen_describe(&root, text);
        size_t length = strlen(text);
        CU_ASSERT_FATAL(length > 0 && length < ASNAP_UNSEEN_BYTES - 1);
    }
}
