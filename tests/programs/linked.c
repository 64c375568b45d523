/* Loads libraries built from liblinked.c, in ways that leave them in memory differently, and has
 * each allocate: library N of the arguments, from 0, two blocks of 10000 + N and 20000 + N bytes.
 * Arguments: WAY:PATH... Ways:
 *   keep    stays loaded
 *   close   is unloaded
 *   data    is mapped as data, too, before and after it is loaded
 *   split   a page of its code is made writable: its mapping is in three
 *   moved   its code is moved to memory of no file, as for large pages
 *   space   is loaded into a name space of its own, after it was loaded as usual
 *   delete  its file is removed
 *   memory  is loaded from a copy in a file of memory; all such have one name
 * The program's own block has 601 bytes. With "abort" as the first argument it ends by a signal.
 * Without arguments they are in LINKED, with blanks between. */
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096 };

typedef void linked_alloc(void *(*allocate)(size_t), size_t number);

void *own;

__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("");
}

static void fail(const char *what)
{
    fprintf(stderr, "linked: %s: %s\n", what, dlerror());
    exit(2);
}

static void map_as_data(const char *path)
{
    struct stat status;
    int file = open(path, O_RDONLY);
    if (file < 0 || fstat(file, &status) != 0 ||
        mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0) == MAP_FAILED ||
        mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0) ==
            MAP_FAILED)
        fail(path);
    close(file);
}

/* The pages of the segment with code of the object that holds `address`. */
static int find_code(struct dl_phdr_info *info, size_t size, void *range)
{
    uintptr_t *code = range;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + header->p_vaddr;
        if (header->p_type != PT_LOAD || (header->p_flags & PF_X) == 0 ||
            code[0] - start >= header->p_memsz)
            continue;
        code[0] = start & -(uintptr_t)PAGE;
        code[1] = (start + header->p_memsz + PAGE - 1) & -(uintptr_t)PAGE;
        return 1;
    }
    return 0;
}

static void change_code(const char *way, void *function)
{
    uintptr_t code[2] = {(uintptr_t)function, 0};
    if (dl_iterate_phdr(find_code, code) != 1)
        fail(way);
    void *start = (void *)code[0];
    size_t bytes = code[1] - code[0];
    if (strcmp(way, "split") == 0) {
        void *page = (void *)((uintptr_t)function & -(uintptr_t)PAGE);
        if (mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) != 0)
            fail(way);
        *(volatile char *)page = *(volatile char *)page;
        return;
    }
    void *copy =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED)
        fail(way);
    memcpy(copy, start, bytes);
    mprotect(copy, bytes, PROT_READ | PROT_EXEC);
    if (mremap(copy, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, start) != start)
        fail(way);
}

/* Copies a file into memory; returns the path by which that can be opened, by a debugger too. */
static const char *copy_to_memory(const char *path)
{
    static char opened[64];
    struct stat status;
    int from = open(path, O_RDONLY);
    int to = memfd_create("linked", 0);
    if (from < 0 || to < 0 || fstat(from, &status) != 0 ||
        sendfile(to, from, NULL, (size_t)status.st_size) != status.st_size)
        fail(path);
    close(from);
    snprintf(opened, sizeof(opened), "/proc/%d/fd/%d", (int)getpid(), to);
    return opened;
}

static void use(const char *way, const char *path, size_t number)
{
    if (strcmp(way, "data") == 0)
        map_as_data(path);
    if (strcmp(way, "memory") == 0)
        path = copy_to_memory(path);
    void *handle = dlopen(path, RTLD_NOW);
    if (strcmp(way, "space") == 0)
        handle = dlmopen(LM_ID_NEWLM, path, RTLD_NOW);
    if (handle == NULL)
        fail(path);
    void *symbol = dlsym(handle, "linked_alloc");
    linked_alloc *call;
    memcpy(&call, &symbol, sizeof(call));
    if (call == NULL)
        fail(path);
    if (strcmp(way, "split") == 0 || strcmp(way, "moved") == 0)
        change_code(way, symbol);
    call(malloc, number); /* tag: call */
    if (strcmp(way, "close") == 0)
        dlclose(handle);
    if (strcmp(way, "data") == 0)
        map_as_data(path);
    if (strcmp(way, "delete") == 0)
        unlink(path);
}

/* The arguments in the environment, as main has them. */
static int read_environment(char **words)
{
    int count = 1;
    char *text = strdup(getenv("LINKED"));
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " "))
        words[count++] = word;
    return count;
}

int main(int count, char **words)
{
    static char *told[1024];
    if (count == 1) {
        words = told;
        count = read_environment(words);
    }
    int first = count > 1 && strcmp(words[1], "abort") == 0 ? 2 : 1;
    own = malloc(601); /* tag: own */
    for (int i = first; i < count; i++) {
        char *path = strchr(words[i], ':');
        *path++ = '\0';
        use(words[i], path, (size_t)(i - first)); /* tag: use */
    }
    stop_here();
    if (first == 2)
        abort();
    return 0;
}
