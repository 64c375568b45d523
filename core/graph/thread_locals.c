/* Where the thread-local variables of each thread are, by the dynamic linker's list of files and by
 * each thread's vector of its storage (DTV); no thread library is asked. */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "grow.h"
#include "inferior_map.h"
#include "loaded_files.h"

/* Places in a vector, more than any program has files. */
enum { NUMBER_MAX = 65536 };

/* glibc's struct link_map is smaller. */
enum { LINK_MAP_WORDS = 256 };

/* Static storage of a thread is smaller. */
#define STATIC_MAX ((uint64_t)1 << 30)

struct asnap_thread_local_list {
    struct asnap_thread_local *blocks;
    size_t count;
    size_t capacity;
};

/* A file with thread-local variables. */
struct file {
    uint64_t start;   /* where it begins in memory */
    uint64_t dynamic; /* its dynamic section */
    uint64_t image;   /* the values that its variables begin with */
    Elf64_Phdr storage;
    uint16_t machine;
    uint64_t offset; /* of its static storage from the thread pointer; 0: it has none */
    uint64_t number; /* its place in the vector; 0: not known */
};

struct finding {
    const struct asnap_graph_facts *facts;
    struct file *files;
    size_t count;
    size_t capacity;
    uint64_t debug; /* the dynamic linker's struct r_debug; 0: not found */
};

/* ---- files ---- */

/* What the dynamic linker has left in the program's dynamic section. */
static struct asnap_error *look_for_debug(struct finding *finding, uint64_t dynamic, uint64_t size)
{
    struct asnap_error *error = NULL;
    Elf64_Dyn entry = {0};
    bool read = true;
    for (uint64_t at = 0; error == NULL && read && at + sizeof(entry) <= size;
         at += sizeof(entry)) {
        error = asnap_inferior_copy(finding->facts, dynamic + at, &entry, sizeof(entry), &read);
        if (error != NULL || !read || entry.d_tag == DT_NULL)
            break;
        if (entry.d_tag == DT_DEBUG && entry.d_un.d_ptr != 0)
            finding->debug = entry.d_un.d_ptr;
    }
    return error;
}

static struct asnap_error *find_files(struct finding *finding)
{
    struct asnap_error *error = NULL;
    for (size_t i = 0; error == NULL && i < finding->facts->region_count; i++) {
        struct asnap_loaded_file file;
        bool found;
        error = asnap_loaded_file_read(finding->facts, i, &file, &found);
        const Elf64_Phdr *dynamic =
            error != NULL || !found ? NULL : asnap_loaded_header(&file, PT_DYNAMIC);
        if (dynamic == NULL)
            continue;
        if (finding->debug == 0)
            error = look_for_debug(finding, file.bias + dynamic->p_vaddr, dynamic->p_memsz);
        const Elf64_Phdr *storage = asnap_loaded_header(&file, PT_TLS);
        if (error != NULL || storage == NULL || storage->p_memsz == 0 ||
            storage->p_memsz > STATIC_MAX)
            continue;
        struct file *grown =
            asnap_grow(finding->files, &finding->capacity, finding->count + 1, sizeof(*grown));
        if (grown == NULL)
            return asnap_error_no_memory();
        finding->files = grown;
        grown[finding->count++] = (struct file){.start = file.start,
                                                .dynamic = file.bias + dynamic->p_vaddr,
                                                .image = file.bias + storage->p_vaddr,
                                                .storage = *storage,
                                                .machine = file.machine};
    }
    return error;
}

/* Looks through a struct link_map for what it says of thread-local storage: where the image is, its
 * size, that of the storage, the alignment, where in that it begins, the offset of static storage,
 * and the place in the vector (include/link.h of glibc; other libraries have other words). */
static void look_for_storage(struct file *file, const uint64_t *words, size_t count)
{
    const Elf64_Phdr *storage = &file->storage;
    for (size_t i = 5; i + 7 <= count; i++) {
        if (words[i] != file->image || words[i + 1] != storage->p_filesz ||
            words[i + 2] != storage->p_memsz || words[i + 3] != storage->p_align)
            continue;
        bool has_number = words[i + 6] != 0 && words[i + 6] < NUMBER_MAX;
        file->number = has_number ? words[i + 6] : 0;
        /* 0 and -1 stand for none. */
        file->offset = words[i + 5] < STATIC_MAX ? words[i + 5] : 0;
        return;
    }
}

/* Reads what there is of `words`, in ever smaller pieces. */
static struct asnap_error *read_words(const struct finding *finding, uint64_t address,
                                      uint64_t words[LINK_MAP_WORDS], size_t *count)
{
    bool read = false;
    struct asnap_error *error = NULL;
    size_t size = LINK_MAP_WORDS;
    for (; error == NULL && !read && size >= 64; size -= read ? 0 : 16)
        error = asnap_inferior_copy(finding->facts, address, words, size * 8, &read);
    *count = error == NULL && read ? size : 0;
    return error;
}

static struct asnap_error *follow_maps(struct finding *finding)
{
    uint64_t words[LINK_MAP_WORDS];
    bool read = false;
    struct asnap_error *error = NULL;
    uint64_t map = 0;
    if (finding->debug != 0) /* struct r_debug: its version, the list */
        error = asnap_inferior_copy(finding->facts, finding->debug + 8, &map, sizeof(map), &read);
    if (!read)
        map = 0;
    /* Each file begins in a region: a list that is longer leads back. */
    for (size_t i = 0; error == NULL && map != 0 && i <= finding->facts->region_count; i++) {
        size_t count;
        error = read_words(finding, map, words, &count);
        if (error != NULL || count == 0)
            break;
        /* l_addr, l_name, l_ld, l_next */
        for (size_t j = 0; j < finding->count; j++) {
            if (finding->files[j].dynamic == words[2])
                look_for_storage(&finding->files[j], words, count);
        }
        map = words[3];
    }
    return error;
}

/* ---- threads ---- */

static bool is_aligned(const struct file *file, uint64_t address)
{
    uint64_t alignment = file->storage.p_align;
    bool is_known = alignment != 0 && (alignment & (alignment - 1)) == 0;
    return !is_known || ((address - file->storage.p_vaddr) & (alignment - 1)) == 0;
}

/* Where a thread's vector says that the storage of a file is; 0: nowhere. */
static struct asnap_error *find_in_vector(const struct finding *finding, const struct file *file,
                                          uint64_t thread_pointer, uint64_t *address)
{
    const struct asnap_graph_facts *facts = finding->facts;
    uint64_t vector = 0;
    uint64_t length = 0;
    uint64_t found = 0;
    bool read;
    uint64_t place = thread_pointer + (file->machine == EM_X86_64 ? 8 : 0);
    struct asnap_error *error = asnap_inferior_copy(facts, place, &vector, sizeof(vector), &read);
    if (error == NULL && read)
        error = asnap_inferior_copy(facts, vector - 16, &length, sizeof(length), &read);
    if (error == NULL && read && file->number <= length)
        error =
            asnap_inferior_copy(facts, vector + 16 * file->number, &found, sizeof(found), &read);
    *address = error == NULL && read && found != UINT64_MAX ? found : 0;
    return error;
}

/* Variant 2 of ELF's thread-local storage has it below the thread pointer, variant 1 above. */
static uint64_t static_address(const struct file *file, uint64_t thread_pointer)
{
    if (file->machine == EM_X86_64)
        return thread_pointer - file->offset;
    return file->machine == EM_AARCH64 ? thread_pointer + file->offset : 0;
}

static struct asnap_error *add_block(const struct finding *finding, const struct file *file,
                                     uint32_t thread, struct asnap_thread_local_list *list)
{
    uint64_t thread_pointer = finding->facts->threads[thread].thread_pointer;
    uint64_t address = 0;
    struct asnap_error *error = NULL;
    if (thread_pointer == 0 || file->number == 0)
        return NULL;
    if (file->offset != 0)
        address = static_address(file, thread_pointer);
    else
        error = find_in_vector(finding, file, thread_pointer, &address);
    if (error != NULL || address == 0 || !is_aligned(file, address))
        return error;
    struct asnap_thread_local *grown =
        asnap_grow(list->blocks, &list->capacity, list->count + 1, sizeof(*grown));
    if (grown == NULL)
        return asnap_error_no_memory();
    list->blocks = grown;
    grown[list->count++] = (struct asnap_thread_local){
        .start = address,
        .end = address + file->storage.p_memsz,
        .file = file->start,
        .thread = thread,
    };
    return NULL;
}

struct asnap_error *asnap_thread_local_list_create(const struct asnap_graph_facts *facts,
                                                   struct asnap_thread_local_list **list)
{
    struct finding finding = {.facts = facts};
    struct asnap_thread_local_list *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return asnap_error_no_memory();
    struct asnap_error *error = find_files(&finding);
    if (error == NULL && finding.count != 0)
        error = follow_maps(&finding);
    for (size_t i = 0; error == NULL && i < finding.count; i++) {
        for (uint32_t j = 0; error == NULL && j < facts->thread_count; j++)
            error = add_block(&finding, &finding.files[i], j, made);
    }
    free(finding.files);
    if (error != NULL) {
        asnap_thread_local_list_destroy(made);
        return error;
    }
    *list = made;
    return NULL;
}

void asnap_thread_local_list_destroy(struct asnap_thread_local_list *list)
{
    if (list == NULL)
        return;
    free(list->blocks);
    free(list);
}

const struct asnap_thread_local *
asnap_thread_local_list_find(const struct asnap_thread_local_list *list, uint64_t address)
{
    for (size_t i = 0; i < list->count; i++) {
        if (address >= list->blocks[i].start && address < list->blocks[i].end)
            return &list->blocks[i];
    }
    return NULL;
}
