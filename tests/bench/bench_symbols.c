/* 5,000 random addresses of a big program's code, named with the calls inlined there: one
 * process each of the symbolizer and of the tools that do the same, the best of several runs
 * in turn. */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "allocsnap.h"
#include "elf_file.h"

#define PROGRAM "/usr/bin/python3-dbg"
#define ADDRESSES 5000u
#define ROUNDS 5

extern char **environ;

static void die(const char *what)
{
    fprintf(stderr, "bench_symbols: %s\n", what);
    exit(1);
}

static void check(struct asnap_error *error)
{
    if (error != NULL)
        die(asnap_error_message(error));
}

static double milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Where the program's code is, by its addresses in the file. */
static void find_code(const char *section_name, uint64_t *start, uint64_t *size)
{
    struct asnap_elf *elf;
    check(asnap_elf_open(PROGRAM, &elf));
    GElf_Shdr header;
    Elf_Scn *section = asnap_elf_section(elf, section_name);
    if (section == NULL || gelf_getshdr(section, &header) == NULL)
        die(PROGRAM " has no code");
    *start = header.sh_addr;
    *size = header.sh_size;
    asnap_elf_close(elf);
}

static void write_addresses(FILE *file)
{
    uint64_t start, size;
    uint64_t random = 1;
    find_code(".text", &start, &size);
    for (size_t i = 0; i < ADDRESSES; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        fprintf(file, "0x%llx\n", (unsigned long long)(start + (random >> 16) % size));
    }
    if (fflush(file) != 0)
        die("no room for a file");
}

/* The regions that the kernel would map, each at its own address. */
static size_t list_regions(struct asnap_region *regions, size_t most)
{
    struct asnap_elf *elf;
    struct asnap_load *loads;
    size_t count;
    check(asnap_elf_open(PROGRAM, &elf));
    check(asnap_elf_loads(elf, &loads, &count));
    if (count > most)
        die(PROGRAM " has many segments");
    for (size_t i = 0; i < count; i++)
        regions[i] = (struct asnap_region){
            .start = loads[i].address,
            .end = loads[i].address + loads[i].size,
            .file_offset = loads[i].offset,
            .path = PROGRAM,
            .flags = ASNAP_REGION_READABLE | ASNAP_REGION_EXECUTABLE,
        };
    free(loads);
    asnap_elf_close(elf);
    return count;
}

static double name(struct asnap_symbolizer *symbolizer, const uint64_t *addresses, size_t count,
                   struct asnap_named_pc *names)
{
    double start = milliseconds();
    check(asnap_symbolizer_name(symbolizer, addresses, count, NULL, names));
    return milliseconds() - start;
}

/* What the tools do, by the symbolizer. The last line on standard error is how long naming
 * the same again took. */
static int name_standard_input(bool apart)
{
    static uint64_t addresses[ADDRESSES];
    static struct asnap_named_pc names[ADDRESSES];
    struct asnap_region regions[16];
    char line[64];
    size_t count = 0;
    /* Return addresses: of calls that end behind what is asked for. */
    for (; count < ADDRESSES && fgets(line, sizeof(line), stdin) != NULL; count++)
        addresses[count] = strtoull(line, NULL, 16) + 1;
    struct asnap_symbolizer *symbolizer;
    check(asnap_symbolizer_create(NULL, &symbolizer));
    asnap_symbolizer_read_apart(symbolizer, apart);
    check(asnap_symbolizer_set_regions(symbolizer, NULL, regions, list_regions(regions, 16)));
    name(symbolizer, addresses, count, names);
    for (size_t i = 0; i < count; i++) {
        for (size_t f = 0; f < names[i].frame_count; f++) {
            const struct asnap_frame *frame = &names[i].frames[f];
            printf("%s\n%s:%u\n", frame->function == NULL ? "??" : frame->function, frame->filename,
                   frame->lineno);
        }
    }
    fprintf(stderr, "%f\n", name(symbolizer, addresses, count, names));
    asnap_symbolizer_destroy(symbolizer);
    return 0;
}

struct run {
    double milliseconds;
    double again; /* of the symbolizer: naming the same again */
    double peak;  /* resident, in MiB */
};

/* Runs a command with the addresses as its input. */
static struct run run(char *const *command, FILE *addresses, FILE *errors)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    rewind(addresses);
    if (ftruncate(fileno(errors), 0) != 0)
        die("no room for a file");
    rewind(errors);
    posix_spawn_file_actions_adddup2(&actions, fileno(addresses), STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, fileno(errors), STDERR_FILENO);
    struct run result = {.milliseconds = milliseconds()};
    pid_t child;
    int status;
    struct rusage usage;
    if (posix_spawnp(&child, command[0], &actions, NULL, command, environ) != 0)
        die(command[0]);
    if (wait4(child, &status, 0, &usage) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        die(command[0]);
    result.milliseconds = milliseconds() - result.milliseconds;
    result.peak = (double)usage.ru_maxrss / 1024;
    posix_spawn_file_actions_destroy(&actions);
    rewind(errors);
    if (fscanf(errors, "%lf", &result.again) != 1)
        result.again = 0;
    return result;
}

static struct run better(struct run old, struct run now)
{
    return old.milliseconds != 0 && old.milliseconds < now.milliseconds ? old : now;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return name_standard_input(strcmp(argv[1], "apart") == 0);
    if (access(PROGRAM, R_OK) != 0)
        die("no " PROGRAM ": install python3-dbg");
    /* As the debuggers do it, and without a process for the debug information. */
    char *own[] = {argv[0], "apart", NULL};
    char *own_here[] = {argv[0], "here", NULL};
    char *binutils[] = {"addr2line", "-i", "-f", "-C", "-e", PROGRAM, NULL};
    char *llvm[] = {"llvm-symbolizer", "-i", "-f", "-C", "-e", PROGRAM, NULL};
    char *elfutils[] = {"eu-addr2line", "-i", "-f", "-C", "-e", PROGRAM, NULL};
    char *const *const commands[] = {own, own_here, binutils, llvm, elfutils};
    enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };
    struct run runs[COMMANDS] = {{0}};
    FILE *addresses = tmpfile();
    FILE *errors = tmpfile();
    if (addresses == NULL || errors == NULL)
        die("no temporary file");
    write_addresses(addresses);
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < COMMANDS; i++)
            runs[i] = better(runs[i], run(commands[i], addresses, errors));
    }
    printf("names of 5,000 addresses\t%.0f ms, %.0f MiB resident\t\n", runs[0].milliseconds,
           runs[0].peak);
    printf("the same ones again\t%.1f ms\t\n", runs[0].again);
    printf("  in one process\t%.0f ms, %.0f MiB resident\t\n", runs[1].milliseconds, runs[1].peak);
    for (size_t i = 2; i < COMMANDS; i++)
        printf("%s (%.0f ms, %.0f MiB)\t%.2f times as long as ours\t%s\n", commands[i][0],
               runs[i].milliseconds, runs[i].peak, runs[i].milliseconds / runs[0].milliseconds,
               i == 2 ? "1 or more" : "");
    return 0;
}
