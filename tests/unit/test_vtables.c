/* Which addresses are taken for vtables, in a program at low addresses that is made up word by
 * word: there numbers are addresses, and offsets to the top of an object look like them. */
#include <string.h>

#include "unit.h"
#include "vtables.h"

#define HEAD UINT64_C(0x400000)
#define CODE (HEAD + 0x1000)
#define CONSTANTS (HEAD + 0x2000)
#define DATA (HEAD + 0x3000)
#define BSS (HEAD + 0x4000)
#define END (HEAD + 0x5000)

#define NAME (CONSTANTS + 0x800)
#define TYPE (CONSTANTS + 0x900)
#define PLACE (CONSTANTS + 0x110)

static uint8_t memory_bytes[END - HEAD];

static int read_memory(void *context, uint64_t address, void *buffer, size_t size)
{
    (void)context;
    if (address < HEAD || size > sizeof(memory_bytes) ||
        address - HEAD > sizeof(memory_bytes) - size)
        return ASNAP_READ_FAILED;
    memcpy(buffer, memory_bytes + (address - HEAD), size);
    return ASNAP_READ_OK;
}

static void put(uint64_t address, uint64_t word)
{
    memcpy(memory_bytes + (address - HEAD), &word, sizeof(word));
}

static const struct asnap_region regions[] = {
    {HEAD, CODE, 0, "/p", ASNAP_REGION_READABLE},
    {CODE, CONSTANTS, 0x1000, "/p", ASNAP_REGION_READABLE | ASNAP_REGION_EXECUTABLE},
    {CONSTANTS, DATA, 0x2000, "/p", ASNAP_REGION_READABLE},
    {DATA, BSS, 0x3000, "/p", ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE},
    {BSS, END, 0, NULL, ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE},
};
static const struct asnap_memory memory = {.read = read_memory};
static const struct asnap_graph_facts facts = {
    .memory = &memory, .regions = regions, .region_count = 5};

/* Whether PLACE, or another address, is the vtable of an object with these words before and at it;
 * its type is of a class whose vtable is a copy in the program's bss. */
static bool is_vtable(uint64_t place, uint64_t offset, uint64_t type, uint64_t function)
{
    static struct asnap_vtables vtables;
    vtables = (struct asnap_vtables){.facts = &facts};
    put(place - 16, offset);
    put(place - 8, type);
    put(place, function);
    return asnap_vtables_has(&vtables, place);
}

static void make(const char *name)
{
    memset(memory_bytes, 0, sizeof(memory_bytes));
    put(TYPE, BSS + 0x110);
    put(TYPE + 8, NAME);
    memcpy(memory_bytes + (NAME - HEAD), name, strlen(name));
}

ASNAP_TEST(vtables, of_classes)
{
    make("4Base");
    CU_ASSERT(is_vtable(PLACE, 0, TYPE, CODE + 1));
    CU_ASSERT(is_vtable(PLACE, (uint64_t)-16, TYPE, CODE + 1));
    CU_ASSERT(is_vtable(PLACE, 16, TYPE, CODE + 1)); /* while a virtual base is made */
    CU_ASSERT(is_vtable(PLACE, 0, TYPE, 0));         /* of an abstract class */
    CU_ASSERT(is_vtable(PLACE, 0, 0, CODE + 1));     /* without type information */
    CU_ASSERT(is_vtable(PLACE, (uint64_t)-16, 0, CODE + 1));
    make("*N12_GLOBAL__N_14BaseE");
    CU_ASSERT(is_vtable(PLACE, 0, TYPE, CODE + 1));
    make("St9exception");
    CU_ASSERT(is_vtable(PLACE, 0, TYPE, CODE + 1));
}

ASNAP_TEST(vtables, what_looks_like_them)
{
    make("4Base");
    /* The addresses in a switch's table, or in one of functions. */
    CU_ASSERT_FALSE(is_vtable(PLACE, CODE + 8, CODE + 16, CODE + 24));
    CU_ASSERT_FALSE(is_vtable(PLACE, CODE + 7, 0, CODE + 24));
    CU_ASSERT_FALSE(is_vtable(PLACE, CODE + 8, 0, CODE + 24));
    /* A table of strings and functions, as of commands. */
    CU_ASSERT_FALSE(is_vtable(PLACE, 0, NAME, CODE + 24));
    CU_ASSERT_FALSE(is_vtable(PLACE, 3, TYPE, CODE + 24));
    CU_ASSERT_FALSE(is_vtable(PLACE, 0, TYPE + 4, CODE + 24));
    CU_ASSERT_FALSE(is_vtable(PLACE, 0, DATA + 64, CODE + 24)); /* zeros */
    CU_ASSERT_FALSE(is_vtable(PLACE, 0, 0, 0));
    CU_ASSERT_FALSE(is_vtable(PLACE, 0, TYPE, NAME));
    /* Where a vtable cannot lie. */
    CU_ASSERT_FALSE(is_vtable(DATA + 0x110, 0, TYPE, CODE + 1));
    CU_ASSERT_FALSE(is_vtable(BSS + 0x110, 0, TYPE, CODE + 1));
    CU_ASSERT_FALSE(is_vtable(CODE + 0x110, 0, TYPE, CODE + 1));
    CU_ASSERT_FALSE(is_vtable(PLACE + 4, 0, TYPE, CODE + 1));
    make("4Base");
    put(TYPE, CODE + 8); /* types are of classes, and these have vtables */
    CU_ASSERT_FALSE(is_vtable(PLACE, 0, TYPE, CODE + 1));
    make("4Base");
    put(TYPE + 8, BSS + 64);
    CU_ASSERT_FALSE(is_vtable(PLACE, 0, TYPE, CODE + 1));
    make("no mangled name");
    CU_ASSERT_FALSE(is_vtable(PLACE, 0, TYPE, CODE + 1));
}

/* In a file's first page lie headers, symbols and relocations: an entry of each. */
ASNAP_TEST(vtables, headers_of_a_file)
{
    static const uint64_t entries[][3] = {
        {0x12000000000000, 0x401136, 0x1b}, /* a symbol */
        {0x401136, 0x1b, 0x12000000000001}, /* and from within one */
        {0x1b, 0x1200000001, 0x401136},     /* likewise, into the next */
        {0x403e10, 8, 0x401136},            /* a relative relocation */
        {0x403ff8, 0x100000006, 0},         /* of a symbol */
        {8, 0x401136, 0x403e18},            /* from one into the next */
        {0x300000006, 0x40, 0x400040},      /* program headers */
    };
    make("4Base");
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
        CU_ASSERT_FALSE(is_vtable(HEAD + 0x300, entries[i][0], entries[i][1], entries[i][2]));
}
