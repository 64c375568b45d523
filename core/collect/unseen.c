#include "unseen.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* In the order in which they are named. */
static const struct {
    uint32_t function;
    const char *name;
} names[] = {
    {ASNAP_TABLE_MALLOC, "malloc"},
    {ASNAP_TABLE_CALLOC, "calloc"},
    {ASNAP_TABLE_REALLOC, "realloc"},
    {ASNAP_TABLE_REALLOCARRAY, "reallocarray"},
    {ASNAP_TABLE_POSIX_MEMALIGN, "posix_memalign"},
    {ASNAP_TABLE_ALIGNED_ALLOC, "aligned_alloc"},
    {ASNAP_TABLE_MEMALIGN, "memalign"},
    {ASNAP_TABLE_VALLOC, "valloc"},
    {ASNAP_TABLE_PVALLOC, "pvalloc"},
    {ASNAP_TABLE_FREE, "free"},
    {ASNAP_TABLE_FREE_SIZED, "free_sized"},
    {ASNAP_TABLE_FREE_ALIGNED_SIZED, "free_aligned_sized"},
    {ASNAP_TABLE_NEW, "operator new"},
    {ASNAP_TABLE_DELETE, "operator delete"},
};

enum {
    OF_C = ASNAP_TABLE_FUNCTIONS & ~(ASNAP_TABLE_NEW | ASNAP_TABLE_DELETE),
    RESIZE = ASNAP_TABLE_REALLOC | ASNAP_TABLE_REALLOCARRAY,
    MAKE = ((OF_C & ~RESIZE) | ASNAP_TABLE_NEW) & ~ASNAP_TABLE_TAKE_BACK,
    /* No allocator lacks these. */
    USUAL = ASNAP_TABLE_MALLOC | ASNAP_TABLE_CALLOC | ASNAP_TABLE_REALLOC | ASNAP_TABLE_FREE,
    ALIGNED = ASNAP_TABLE_POSIX_MEMALIGN | ASNAP_TABLE_ALIGNED_ALLOC | ASNAP_TABLE_MEMALIGN,
};

static void add(char *text, const char *more)
{
    size_t used = strlen(text);
    size_t length = strlen(more);
    size_t room = ASNAP_UNSEEN_BYTES - 1 - used;
    memcpy(text + used, more, length < room ? length : room);
    text[used + (length < room ? length : room)] = '\0';
}

static void add_names(char *text, uint32_t functions)
{
    uint32_t left = functions;
    for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if ((left & names[i].function) == 0)
            continue;
        bool is_first = left == functions;
        left &= ~names[i].function;
        add(text, is_first ? "" : left == 0 ? " and " : ", ");
        add(text, names[i].name);
    }
}

/* What the hooks record all the same and do not see freed. */
static uint32_t kept(uint32_t unseen)
{
    uint32_t functions = 0;
    if ((unseen & ASNAP_TABLE_TAKE_BACK & OF_C) != 0)
        functions = (MAKE & OF_C) | ASNAP_TABLE_REALLOC;
    /* There valloc and its kind are of no use. */
    if ((unseen & USUAL) == USUAL)
        functions = ALIGNED;
    if ((unseen & ASNAP_TABLE_DELETE) != 0)
        functions |= ASNAP_TABLE_NEW;
    return functions & ~unseen;
}

static void add_unseen(char *text, uint32_t unseen)
{
    bool is_whole = (unseen & USUAL) == USUAL;
    if (is_whole) {
        add(text, "the program has a malloc of its own, whose blocks are not seen and missing here "
                  "(too few)");
    } else {
        add(text, "the program, or a library before the hooks, defines ");
        add_names(text, unseen);
        add(text, ", and no call of ");
        add(text, (unseen & (unseen - 1)) == 0 ? "it" : "these");
        add(text, " has come to the hooks");
    }
    if (!is_whole && (unseen & MAKE) != 0) {
        add(text, "; blocks that ");
        add_names(text, unseen & MAKE);
        add(text, " made are missing here (too few)");
    }
    if (!is_whole && (unseen & RESIZE) != 0)
        add(text, "; blocks that realloc made are missing here (too few), those that it resized "
                  "count as they were before, also when freed after it moved them (too many)");
    if (kept(unseen) != 0) {
        add(text, "; blocks ");
        if (is_whole) {
            add(text, "of ");
            add_names(text, kept(unseen));
            add(text, " ");
        }
        add(text, "that ");
        add_names(text, unseen & ASNAP_TABLE_TAKE_BACK);
        add(text, " took back still count here (too many)");
    }
    add(text, ": link its allocator as a shared library");
    add(text, is_whole ? "" : ", have it go on by dlsym(RTLD_NEXT, ...)");
    add(text, ", or have it call allocsnap_track (allocsnap_hooks.h)");
}

/* What is before the hooks and goes on to them. */
static void add_passed(char *text, uint32_t passed)
{
    bool is_one = (passed & (passed - 1)) == 0;
    add(text, "the program, or a library before the hooks, defines ");
    add_names(text, passed);
    add(text, is_one
                  ? ", which goes on to the hooks: blocks count as it asks for them, with what it "
                    "adds to them"
                  : ", which go on to the hooks: blocks count as these ask for them, with what "
                    "these add to them");
}

static void add_missed(char *text, uint64_t missed)
{
    char number[32];
    snprintf(number, sizeof(number), "%" PRIu64, missed);
    add(text, number);
    add(text, missed == 1 ? " block was" : " blocks were");
    add(text,
        " given out again by the allocator without having been freed by a call that the hooks "
        "see: other freed blocks may still count here (too many); such calls come from "
        "libraries with a scope of their own (RTLD_DEEPBIND) and from code that does not call "
        "free by its name");
}

void asnap_unseen_describe(const struct asnap_table_root *root, char text[ASNAP_UNSEEN_BYTES])
{
    uint32_t unseen = root->preceded & ~root->passed_on & ASNAP_TABLE_FUNCTIONS;
    uint32_t passed = root->preceded & root->passed_on & (MAKE | RESIZE) & OF_C;
    text[0] = '\0';
    if (unseen != 0)
        add_unseen(text, unseen);
    if (passed != 0) {
        add(text, text[0] == '\0' ? "" : "; ");
        add_passed(text, passed);
    }
    if (root->missed_frees != 0 && (unseen & (ASNAP_TABLE_TAKE_BACK | RESIZE)) == 0) {
        add(text, text[0] == '\0' ? "" : "; ");
        add_missed(text, root->missed_frees);
    }
}
