#include "naming_writer.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bounded_demangle.h"
#include "naming_messages.h"
#include "number_map.h"

/* Much longer than any file takes, and than all files together: whoever waits without a terminal is
 * not kept for ever. Files are read at tens of MB a second. */
enum {
    PROCESSOR_SECONDS_ALWAYS = 30,
    PROCESSOR_SECONDS_SPLIT = 120, /* of all split files of a file */
    PROCESSOR_SECONDS_MAX = 600,
};
#define BYTES_A_SECOND ((uint64_t)4 << 20)

/* More memory than reading any file takes: for any, and for each of its bytes. */
#define MEMORY_ALWAYS ((uint64_t)512 << 20)
#define MEMORY_FOR_BYTE 64

/* What reading the file may take. */
struct allowance {
    uint64_t started_seconds; /* that were taken before */
    uint64_t started_memory;
    uint64_t bytes;       /* of the file */
    uint64_t split_bytes; /* of all split files */
    uint64_t split_most;  /* of the largest of them */
};

static struct allowance allowance;

struct asnap_naming_writer {
    int fd;
    const struct asnap_naming *namings; /* of the module */
    size_t told;                        /* of them */
    struct asnap_number_map number;     /* string of the store -> pointer into `numbers` + number */
    uint32_t string_count;
    size_t used;
    char buffer[1 << 16];
};

/* A reader that is gone needs no answer. */
static void write_out(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        if (written <= 0)
            _exit(1);
        bytes += written;
        size -= (size_t)written;
    }
}

static void flush(struct asnap_naming_writer *writer)
{
    write_out(writer->fd, writer->buffer, writer->used);
    writer->used = 0;
}

static void put(struct asnap_naming_writer *writer, const void *bytes, size_t size)
{
    if (size > sizeof(writer->buffer) - writer->used)
        flush(writer);
    if (size > sizeof(writer->buffer)) {
        write_out(writer->fd, bytes, size);
        return;
    }
    memcpy(writer->buffer + writer->used, bytes, size);
    writer->used += size;
}

static void put_header(struct asnap_naming_writer *writer, enum asnap_naming_message message,
                       size_t bytes)
{
    struct asnap_naming_header header = {.message = message, .bytes = (uint32_t)bytes};
    put(writer, &header, sizeof(header));
}

static void write_number(struct asnap_naming_writer *writer, enum asnap_naming_message message,
                         uint64_t number, size_t bytes)
{
    put_header(writer, message, bytes);
    put(writer, &number, bytes);
}

/* Equal strings of a store are one. */
static struct asnap_error *write_string(struct asnap_naming_writer *writer, const char *text,
                                        uint32_t *number)
{
    *number = ASNAP_NAMING_NO_STRING;
    if (text == NULL)
        return NULL;
    uintptr_t known = (uintptr_t)asnap_number_map_get(&writer->number, (uint64_t)(uintptr_t)text);
    if (known != 0) {
        *number = (uint32_t)(known - 1);
        return NULL;
    }
    size_t length = strlen(text);
    if (length > ASNAP_NAME_BYTES_MAX)
        return NULL;
    put_header(writer, ASNAP_NAMING_STRING, length);
    put(writer, text, length);
    *number = writer->string_count++;
    return asnap_number_map_put(&writer->number, (uint64_t)(uintptr_t)text,
                                (const void *)((uintptr_t)*number + 1));
}

static struct asnap_error *write_naming(struct asnap_naming_writer *writer,
                                        const struct asnap_naming *naming)
{
    struct asnap_told_frame frames[ASNAP_NAMING_FRAMES_MAX];
    size_t count = naming->named->frame_count;
    for (size_t i = 0; i < count; i++) {
        const struct asnap_frame *frame = &naming->named->frames[i];
        frames[i] = (struct asnap_told_frame){.lineno = frame->lineno, .inlined = frame->inlined};
        struct asnap_error *error = write_string(writer, frame->filename, &frames[i].filename);
        if (error == NULL)
            error = write_string(writer, frame->function, &frames[i].function);
        if (error != NULL)
            return error;
    }
    uint32_t allocates;
    struct asnap_error *error = write_string(writer, naming->named->allocates, &allocates);
    if (error != NULL)
        return error;
    struct asnap_told_naming told = {
        .allocates = allocates,
        .address = naming->address,
        .prefers_symbol = naming->prefers_symbol,
        .frame_count = (uint32_t)count,
    };
    put_header(writer, ASNAP_NAMING_NAMED, sizeof(told) + count * sizeof(frames[0]));
    put(writer, &told, sizeof(told));
    put(writer, frames, count * sizeof(frames[0]));
    return NULL;
}

/* An asnap_progress report: writes what is new. */
static bool write_done(void *context, const char *step, uint64_t done, uint64_t total)
{
    struct asnap_naming_writer *writer = context;
    uint64_t before = writer->told;
    (void)step;
    (void)total;
    for (; writer->told < done; writer->told++) {
        const struct asnap_naming *naming = &writer->namings[writer->told];
        if (naming->named != NULL && write_naming(writer, naming) != NULL)
            return false;
    }
    write_number(writer, ASNAP_NAMING_DONE, done - before, sizeof(uint64_t));
    flush(writer);
    return true;
}

static void write_problem(struct asnap_naming_writer *writer, const struct asnap_error *problem)
{
    uint32_t code = asnap_error_code(problem);
    const char *text = asnap_error_message(problem);
    size_t length = strnlen(text, ASNAP_NAMING_BYTES_MAX - sizeof(code));
    put_header(writer, ASNAP_NAMING_PROBLEM, sizeof(code) + length);
    put(writer, &code, sizeof(code));
    put(writer, text, length);
}

/* A debugger's own handlers and its terminal are not for this process, which leaves no core
 * and is the first to go where memory runs out. */
static void settle_in(void)
{
    const struct rlimit no_core = {0, 0};
    const struct rlimit seconds = {PROCESSOR_SECONDS_MAX, PROCESSOR_SECONDS_MAX};
    sigset_t none;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &no_core);
    setrlimit(RLIMIT_CPU, &seconds);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nowhere >= 0) {
        dup2(nowhere, STDIN_FILENO);
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
    }
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0 && write(score, "1000", 4) > 0)
        close(score);
    /* Where cores go to a program, the limit alone does not keep them. */
    prctl(PR_SET_DUMPABLE, 0);
}

/* Bytes of this process's address space; 0 where they cannot be told. */
static uint64_t memory_now(void)
{
    char text[64] = "";
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t got = read(file, text, sizeof(text) - 1);
    close(file);
    return got <= 0 ? 0 : strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void limit(__rlimit_resource_t resource, uint64_t most)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0)
        return;
    limit.rlim_cur = most < limit.rlim_max ? most : limit.rlim_max;
    setrlimit(resource, &limit);
}

/* Out of memory, allocations fail; out of time, SIGXCPU ends the process. */
static void set_limits(void)
{
    uint64_t split = allowance.split_bytes / BYTES_A_SECOND;
    split = split < PROCESSOR_SECONDS_SPLIT ? split : PROCESSOR_SECONDS_SPLIT;
    limit(RLIMIT_CPU, allowance.started_seconds + PROCESSOR_SECONDS_ALWAYS + split +
                          allowance.bytes / BYTES_A_SECOND);
    if (allowance.started_memory != 0)
        limit(RLIMIT_AS, allowance.started_memory + MEMORY_ALWAYS +
                             MEMORY_FOR_BYTE * (allowance.bytes + allowance.split_most));
}

/* A split file is opened too, one after the other. */
static void opens_split(uint64_t bytes)
{
    allowance.split_bytes += bytes;
    if (allowance.split_most < bytes)
        allowance.split_most = bytes;
    set_limits();
}

static void begin_file(const struct asnap_dwarf_source *source)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    allowance = (struct allowance){
        .started_seconds = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + 1),
        .started_memory = memory_now(),
        .bytes = source->file->file_bytes,
    };
    if (source->supplement != NULL)
        allowance.bytes += source->supplement->file_bytes;
    set_limits();
}

struct asnap_naming_writer *asnap_naming_writer_begin(int fd)
{
    static struct asnap_naming_writer writer;
    settle_in();
    writer = (struct asnap_naming_writer){.fd = fd};
    return &writer;
}

void asnap_naming_writer_write(struct asnap_naming_writer *writer, uint64_t module,
                               const struct asnap_dwarf_source *source,
                               struct asnap_frame_store *store, struct asnap_naming *namings,
                               size_t count)
{
    const struct asnap_progress progress = {.report = write_done, .context = writer};
    struct asnap_naming_progress counting = {.progress = &progress, .total = count};
    struct asnap_error *problem = NULL;
    struct asnap_dwarf_source limited = *source;
    limited.opens = opens_split;
    begin_file(&limited);
    writer->namings = namings;
    writer->told = 0;
    write_number(writer, ASNAP_NAMING_BEGIN, module, sizeof(module));
    struct asnap_error *error =
        asnap_dwarf_name_file(&limited, store, namings, count, &counting, &problem);
    if (problem != NULL)
        write_problem(writer, problem);
    asnap_error_destroy(problem);
    /* write_done stops it for want of memory alone. */
    write_number(writer, ASNAP_NAMING_END, error == NULL ? 0 : ASNAP_ERROR_NO_MEMORY,
                 sizeof(uint32_t));
    flush(writer);
    if (error != NULL)
        _exit(1);
}
