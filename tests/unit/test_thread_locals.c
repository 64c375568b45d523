/* Where thread-local variables are, in a program that is made up word by word. */
#include <elf.h>
#include <string.h>

#include "allocsnap_graph.h"
#include "unit.h"

/* The program's headers and constants, its data, and a mapping with all that is the C library's. */
#define PROGRAM UINT64_C(0x555555554000)
#define DATA (PROGRAM + 0x1000)
#define LIBRARY (PROGRAM + 0x2000)
#define LIBRARY_DATA (PROGRAM + 0x3000)
#define HEAP (PROGRAM + 0x4000)
#define END (HEAP + 0x2000)

#define DEBUG (HEAP + 0x100)
#define MAPS (HEAP + 0x200) /* of the program; that of the library 0x600 behind it */
#define VECTOR (HEAP + 0xe10)
#define DYNAMIC_STORAGE (HEAP + 0xf00)
#define THREAD (HEAP + 0x1800)

static uint8_t memory_bytes[END - PROGRAM];
static size_t reads;

static int read_memory(void *context, uint64_t address, void *buffer, size_t size)
{
    (void)context;
    reads++;
    if (address < PROGRAM || size > sizeof(memory_bytes) ||
        address - PROGRAM > sizeof(memory_bytes) - size)
        return ASNAP_READ_FAILED;
    memcpy(buffer, memory_bytes + (address - PROGRAM), size);
    return ASNAP_READ_OK;
}

static void put(uint64_t address, uint64_t word)
{
    memcpy(memory_bytes + (address - PROGRAM), &word, sizeof(word));
}

/* A file of a page of constants and one of data, with 0x40 bytes of thread-local variables of which
 * 0x10 begin with values, wherever it is loaded. */
static void put_file(uint64_t start, uint16_t machine)
{
    Elf64_Ehdr header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64},
                         .e_type = ET_DYN,
                         .e_machine = machine,
                         .e_phoff = sizeof(header),
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = 4};
    const Elf64_Phdr headers[] = {
        {.p_type = PT_LOAD, .p_flags = PF_R, .p_filesz = 0x1000, .p_memsz = 0x1000},
        {.p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_vaddr = 0x1000, .p_memsz = 0x1000},
        {.p_type = PT_DYNAMIC, .p_vaddr = 0x1100, .p_memsz = 0x40},
        {.p_type = PT_TLS, .p_vaddr = 0x1200, .p_filesz = 0x10, .p_memsz = 0x40, .p_align = 16},
    };
    memcpy(memory_bytes + (start - PROGRAM), &header, sizeof(header));
    memcpy(memory_bytes + (start - PROGRAM) + sizeof(header), headers, sizeof(headers));
}

/* What the dynamic linker keeps of a file; `at` of its words is where that of storage begins. */
static void put_map(uint64_t map, uint64_t file, uint64_t next, uint64_t offset, uint64_t number)
{
    const uint64_t storage[] = {file + 0x1200, 0x10, 0x40, 16, 0, offset, number};
    put(map, file);
    put(map + 16, file + 0x1100);
    put(map + 24, next);
    memcpy(memory_bytes + (map - PROGRAM) + 0x300, storage, sizeof(storage));
}

/* The program has static storage, 0x50 bytes from the thread pointer, the library other. */
static void make(uint16_t machine)
{
    memset(memory_bytes, 0, sizeof(memory_bytes));
    put_file(PROGRAM, machine);
    put_file(LIBRARY, machine);
    put(DATA + 0x100, DT_DEBUG);
    put(DATA + 0x108, DEBUG);
    put(DEBUG, 1);
    put(DEBUG + 8, MAPS);
    put_map(MAPS, PROGRAM, MAPS + 0x600, 0x50, 1);
    put_map(MAPS + 0x600, LIBRARY, 0, 0, 2);
    put(THREAD + (machine == EM_X86_64 ? 8 : 0), VECTOR);
    put(VECTOR - 16, 2);
    put(VECTOR + 32, DYNAMIC_STORAGE);
}

static const struct asnap_region regions[] = {
    {PROGRAM, DATA, 0, "/p", ASNAP_REGION_READABLE},
    {DATA, LIBRARY, 0x1000, "/p", ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE},
    {LIBRARY, LIBRARY_DATA, 0, "/l.so", ASNAP_REGION_READABLE},
    {LIBRARY_DATA, HEAP, 0x1000, "/l.so", ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE},
    {HEAP, END, 0, NULL, ASNAP_REGION_READABLE | ASNAP_REGION_WRITABLE},
};
static const struct asnap_memory memory = {.read = read_memory};
static const struct asnap_thread threads[] = {{.number = 7}, {8, HEAP, THREAD, false, false}};

static struct asnap_error *find(struct asnap_thread_local_list **list)
{
    const struct asnap_graph_facts facts = {
        .memory = &memory,
        .regions = regions,
        .region_count = sizeof(regions) / sizeof(regions[0]),
        .threads = threads,
        .thread_count = 2,
    };
    reads = 0;
    return asnap_thread_local_list_create(&facts, list);
}

/* Whether the storage of a file begins at an address; 0: it is not found. */
static void expect(uint64_t program, uint64_t library)
{
    const uint64_t expected[2] = {program, library};
    const uint64_t files[2] = {PROGRAM, LIBRARY};
    struct asnap_thread_local_list *list = NULL;
    ASNAP_ASSERT_OK(find(&list));
    for (size_t i = 0; i < 2; i++) {
        const struct asnap_thread_local *found =
            asnap_thread_local_list_find(list, expected[i] + 0x3f);
        CU_ASSERT_EQUAL(found != NULL, expected[i] != 0);
        if (found == NULL)
            continue;
        CU_ASSERT_EQUAL(found->start, expected[i]);
        CU_ASSERT_EQUAL(found->end, expected[i] + 0x40);
        CU_ASSERT_EQUAL(found->file, files[i]);
        CU_ASSERT_EQUAL(found->thread, 1);
        CU_ASSERT_PTR_NULL(asnap_thread_local_list_find(list, expected[i] + 0x40));
        CU_ASSERT_PTR_NULL(asnap_thread_local_list_find(list, expected[i] - 1));
    }
    asnap_thread_local_list_destroy(list);
}

ASNAP_TEST(thread_locals, below_the_thread_pointer_or_above_it)
{
    make(EM_X86_64);
    expect(THREAD - 0x50, DYNAMIC_STORAGE);
    make(EM_AARCH64);
    expect(THREAD + 0x50, DYNAMIC_STORAGE);
    make(EM_RISCV);
    expect(0, DYNAMIC_STORAGE);
}

ASNAP_TEST(thread_locals, what_does_not_fit_is_left_out)
{
    make(EM_X86_64);
    put(VECTOR + 32, UINT64_MAX); /* not made yet */
    expect(THREAD - 0x50, 0);
    put(VECTOR + 32, DYNAMIC_STORAGE + 8); /* not aligned */
    expect(THREAD - 0x50, 0);
    make(EM_X86_64);
    put(VECTOR - 16, 1); /* the vector is shorter */
    expect(THREAD - 0x50, 0);
    make(EM_X86_64);
    put(THREAD + 8, UINT64_C(0x123456789000)); /* it cannot be read */
    expect(THREAD - 0x50, 0);
    make(EM_X86_64);
    put(MAPS + 0x300 + 8, 0x18); /* another size than in the file */
    expect(0, DYNAMIC_STORAGE);
    make(EM_X86_64);
    put(MAPS + 0x300 + 40, UINT64_C(1) << 40); /* far from the thread pointer */
    expect(0, DYNAMIC_STORAGE);
    make(EM_X86_64);
    put(MAPS + 0x300 + 48, UINT64_C(1) << 40); /* no place in a vector */
    expect(0, DYNAMIC_STORAGE);
    make(EM_X86_64);
    put(DATA + 0x108, 0); /* the linker has left nothing */
    expect(0, 0);
    make(EM_X86_64);
    put(DEBUG + 8, UINT64_C(0x123456789000));
    expect(0, 0);
}

/* A list that leads back is followed so far and no further. */
ASNAP_TEST(thread_locals, a_list_in_a_circle)
{
    make(EM_X86_64);
    put(MAPS + 0x600 + 24, MAPS);
    expect(THREAD - 0x50, DYNAMIC_STORAGE);
    CU_ASSERT(reads < 100);
}

static struct asnap_error *find_once(void *context)
{
    struct asnap_thread_local_list *list = NULL;
    struct asnap_error *error = find(&list);
    (void)context;
    asnap_thread_local_list_destroy(list);
    return error;
}

ASNAP_TEST(thread_locals, every_allocation_may_fail)
{
    make(EM_X86_64);
    CU_ASSERT(asnap_unit_sweep(find_once, NULL) >= 3);
}
