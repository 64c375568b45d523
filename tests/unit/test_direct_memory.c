/* Memory that is read without the debugger: what comes from where. */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core_image.h"
#include "core_map.h"
#include "unit.h"

/* What the debugger was asked for last, and how often; it knows every byte as '?'. */
struct asked {
    size_t times;
    uint64_t address;
    size_t size;
};

static int ask(void *context, uint64_t address, void *buffer, size_t size)
{
    struct asked *asked = context;
    asked->times++;
    asked->address = address;
    asked->size = size;
    memset(buffer, '?', size);
    return ASNAP_READ_OK;
}

static int no_answer(void *context, uint64_t address, void *buffer, size_t size)
{
    (void)context, (void)address, (void)buffer, (void)size;
    return ASNAP_READ_FAILED;
}

static int read_by(const struct asnap_direct_memory *direct, uint64_t address, void *buffer,
                   size_t size)
{
    const struct asnap_memory *memory = asnap_direct_memory_reader(direct);
    return memory->read(memory->context, address, buffer, size);
}

ASNAP_TEST(direct_memory, process)
{
    struct asked asked = {0};
    struct asnap_memory debugger = {.read = ask, .context = &asked};
    struct asnap_direct_memory *direct = NULL;
    ASNAP_ASSERT_OK(asnap_direct_memory_of_process(getpid(), &debugger, &direct));

    long page = sysconf(_SC_PAGESIZE);
    char *pages =
        mmap(NULL, 2 * (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_FATAL(pages != MAP_FAILED);
    CU_ASSERT_FATAL(mprotect(pages + page, (size_t)page, PROT_NONE) == 0);
    memcpy(pages + page - 4, "abcd", 4);
    char got[8] = "";
    CU_ASSERT(read_by(direct, (uintptr_t)pages + (uint64_t)page - 4, got, 4) == ASNAP_READ_OK);
    CU_ASSERT(memcmp(got, "abcd", 4) == 0);
    CU_ASSERT(read_by(direct, 1, got, 0) == ASNAP_READ_OK);
    CU_ASSERT(asked.times == 0);

    /* What is not all there is asked for as a whole. */
    CU_ASSERT(read_by(direct, (uintptr_t)pages + (uint64_t)page - 4, got, 8) == ASNAP_READ_OK);
    CU_ASSERT(memcmp(got, "????????", 8) == 0);
    CU_ASSERT(asked.times == 1 && asked.size == 8);
    CU_ASSERT(asked.address == (uintptr_t)pages + (uint64_t)page - 4);
    munmap(pages, 2 * (size_t)page);
    asnap_direct_memory_destroy(direct);

    debugger.read = no_answer;
    ASNAP_ASSERT_OK(asnap_direct_memory_of_process(getpid(), &debugger, &direct));
    CU_ASSERT(read_by(direct, UINT64_MAX - 3, got, 8) == ASNAP_READ_FAILED);
    asnap_direct_memory_destroy(direct);
}

#define PIECES 4

/* A core file whose bytes are "0123456789abcdef" from DATA_AT on, and that ends there. */
#define DATA_AT (sizeof(Elf64_Ehdr) + PIECES * sizeof(Elf64_Phdr))

static void write_core(const char *path, const Elf64_Phdr *loads)
{
    Elf64_Ehdr header = core_header(PIECES);
    FILE *file = fopen(path, "wb");
    CU_ASSERT_FATAL(file != NULL);
    CU_ASSERT(fwrite(&header, sizeof(header), 1, file) == 1);
    CU_ASSERT(fwrite(loads, sizeof(*loads), PIECES, file) == PIECES);
    CU_ASSERT(fwrite("0123456789abcdef", 1, 16, file) == 16);
    CU_ASSERT(fclose(file) == 0);
}

static Elf64_Phdr load(uint64_t address, uint64_t offset, uint64_t file_size, uint64_t memory_size)
{
    return (Elf64_Phdr){
        .p_type = PT_LOAD,
        .p_flags = PF_R,
        .p_vaddr = address,
        .p_offset = DATA_AT + offset,
        .p_filesz = file_size,
        .p_memsz = memory_size,
    };
}

/* Not in order; the second continues the first, the third is not all in the core, the
 * fourth lies beyond the end of the file for its greater part. */
static void write_good_core(const char *path)
{
    const Elf64_Phdr loads[PIECES] = {
        load(0x1008, 8, 4, 4),
        load(0x1000, 0, 8, 8),
        load(0x2000, 4, 4, 0x1000),
        load(0x4000, 12, 0x100, 0x100),
    };
    write_core(path, loads);
}

static char *core_path(void)
{
    char *path = strdup("/tmp/allocsnap-core-XXXXXX");
    int file = mkstemp(path);
    CU_ASSERT_FATAL(file >= 0);
    close(file);
    return path;
}

ASNAP_TEST(direct_memory, core)
{
    char *path = core_path();
    write_good_core(path);
    struct asnap_core_map *map = NULL;
    ASNAP_ASSERT_OK(asnap_core_map_create(path, &map));
    CU_ASSERT(asnap_core_map_missing(map) == 0x100 - 4);
    struct asked asked = {0};
    struct asnap_memory debugger = {.read = ask, .context = &asked};
    struct asnap_direct_memory *direct = NULL;
    ASNAP_ASSERT_OK(asnap_direct_memory_of_core(map, &debugger, &direct));

    char got[16] = "";
    CU_ASSERT(read_by(direct, 0x1000, got, 12) == ASNAP_READ_OK);
    CU_ASSERT(memcmp(got, "0123456789ab", 12) == 0);
    CU_ASSERT(read_by(direct, 0x1009, got, 3) == ASNAP_READ_OK);
    CU_ASSERT(memcmp(got, "9ab", 3) == 0);
    CU_ASSERT(read_by(direct, 0x2001, got, 3) == ASNAP_READ_OK);
    CU_ASSERT(memcmp(got, "567", 3) == 0);
    CU_ASSERT(read_by(direct, 0x4000, got, 4) == ASNAP_READ_OK);
    CU_ASSERT(memcmp(got, "cdef", 4) == 0);
    CU_ASSERT(asked.times == 0);

    const struct {
        uint64_t address;
        size_t size;
    } elsewhere[] = {{0x0fff, 4}, {0x100a, 3}, {0x2001, 4}, {0x2004, 1},
                     {0x4000, 5}, {0x5000, 1}, {0, 1},      {UINT64_MAX, 4}};
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++) {
        CU_ASSERT(read_by(direct, elsewhere[i].address, got, elsewhere[i].size) == ASNAP_READ_OK);
        CU_ASSERT(memcmp(got, "?????", elsewhere[i].size) == 0);
        CU_ASSERT(asked.times == i + 1);
        CU_ASSERT(asked.address == elsewhere[i].address && asked.size == elsewhere[i].size);
    }

    /* The file shrinks meanwhile. */
    CU_ASSERT(truncate(path, (off_t)DATA_AT + 6) == 0);
    CU_ASSERT(read_by(direct, 0x1000, got, 6) == ASNAP_READ_OK);
    CU_ASSERT(memcmp(got, "012345", 6) == 0);
    CU_ASSERT(read_by(direct, 0x1000, got, 7) == ASNAP_READ_OK);
    CU_ASSERT(memcmp(got, "???????", 7) == 0);

    asnap_direct_memory_destroy(direct);
    asnap_core_map_destroy(map);
    unlink(path);
    free(path);
}

ASNAP_TEST(direct_memory, core_that_contradicts_itself)
{
    char *path = core_path();
    const Elf64_Phdr loads[PIECES] = {
        load(0x1000, 0, 8, 8),
        load(0x1004, 8, 8, 8),
        load(0x2000, 0, 8, 8),
        load(0x3000, UINT64_MAX - DATA_AT - 7, 8, 8),
    };
    write_core(path, loads);
    struct asnap_core_map *map = NULL;
    ASNAP_ASSERT_ERROR(asnap_core_map_create(path, &map), ASNAP_ERROR_IO);

    Elf64_Phdr overlapping[PIECES];
    memcpy(overlapping, loads, sizeof(loads));
    overlapping[3] = load(0x3000, UINT64_MAX / 2, 8, 8);
    write_core(path, overlapping);
    ASNAP_ASSERT_OK(asnap_core_map_create(path, &map));
    size_t count = 1;
    asnap_core_map_pieces(map, &count);
    CU_ASSERT(count == 0);
    asnap_core_map_destroy(map);
    unlink(path);
    free(path);
}

static struct asnap_error *open_both(void *context)
{
    struct asked asked = {0};
    struct asnap_memory debugger = {.read = ask, .context = &asked};
    struct asnap_core_map *map = NULL;
    struct asnap_direct_memory *of_core = NULL;
    struct asnap_direct_memory *of_process = NULL;
    struct asnap_error *error = asnap_core_map_create(context, &map);
    if (error == NULL)
        error = asnap_direct_memory_of_core(map, &debugger, &of_core);
    if (error == NULL)
        error = asnap_direct_memory_of_process(getpid(), &debugger, &of_process);
    asnap_direct_memory_destroy(of_process);
    asnap_direct_memory_destroy(of_core);
    asnap_core_map_destroy(map);
    return error;
}

ASNAP_TEST(direct_memory, no_memory)
{
    char *path = core_path();
    write_good_core(path);
    CU_ASSERT(asnap_unit_sweep(open_both, path) >= 4);
    unlink(path);
    free(path);
}

ASNAP_TEST(direct_memory, arguments)
{
    struct asnap_memory debugger = {.read = ask};
    struct asnap_direct_memory *direct = NULL;
    ASNAP_ASSERT_ERROR(asnap_direct_memory_of_process(0, &debugger, &direct),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(asnap_direct_memory_of_process(1, NULL, &direct),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    ASNAP_ASSERT_ERROR(asnap_direct_memory_of_core(NULL, &debugger, &direct),
                       ASNAP_ERROR_INVALID_ARGUMENT);
    CU_ASSERT(direct == NULL);
}
