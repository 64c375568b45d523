/* The program that is looked at, a live process or a core: its memory and its memory map. */
#ifndef ALLOCSNAP_INFERIOR_H
#define ALLOCSNAP_INFERIOR_H

#include "allocsnap_base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum asnap_read_result {
    ASNAP_READ_OK = 0,
    ASNAP_READ_FAILED = 1,      /* some of the bytes cannot be read */
    ASNAP_READ_INTERRUPTED = 2, /* the user wants to stop: give up at once */
};

/* How the library reads the inferior's memory. `read` fills all of `buffer` with
 * the `size` bytes at `address`, or fails; it returns an asnap_read_result. */
struct asnap_memory {
    int (*read)(void *context, uint64_t address, void *buffer, size_t size);
    void *context;
    uint64_t bytes; /* that there are at all, each counted once though it be at several addresses
                       (the size of a core file): what says that it is more is damaged; 0: not
                       known */
};

/* How far a long step has come; returns true to go on, false to stop it (the
 * step then fails with ASNAP_ERROR_INTERRUPTED). `total` is 0 where unknown. Where `step` is "",
 * there is nothing to tell, and the question is only whether to go on. */
struct asnap_progress {
    bool (*report)(void *context, const char *step, uint64_t done, uint64_t total);
    void *context;
};

enum asnap_region_flags {
    ASNAP_REGION_READABLE = 1,
    ASNAP_REGION_WRITABLE = 2,
    ASNAP_REGION_EXECUTABLE = 4,
};

/* A piece of the inferior's address space: [start, end). */
struct asnap_region {
    uint64_t start;
    uint64_t end;
    uint64_t file_offset; /* of `start` in the file at `path` */
    const char *path;     /* NULL or "" where no file is mapped; "[vdso]" for the vDSO */
    uint32_t flags;       /* asnap_region_flags */
};

/* The memory map of a core file, read from its program headers and its
 * NT_FILE and NT_AUXV notes (ELF gABI; Linux core notes). Each file-backed piece
 * has its path, and the vDSO is named. Sorted by address. Fails with IO where it is no core that
 * can be read, UNSUPPORTED, and DAMAGED where it says that it has more memory than it can have:
 * such a core is not to be read by other means either. */
struct asnap_core_map;
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *asnap_core_map_create(const char *core_path,
                                                                     struct asnap_core_map **map);
ASNAP_API size_t asnap_core_map_count(const struct asnap_core_map *map);
ASNAP_API const struct asnap_region *asnap_core_map_regions(const struct asnap_core_map *map);
/* The parts of the map that the file has contents of, in no order: where to look for the table. */
ASNAP_API const struct asnap_region *asnap_core_map_dumped(const struct asnap_core_map *map,
                                                           size_t *count);
/* Bytes that the program headers promise and the file does not have; 0: whole. */
ASNAP_API uint64_t asnap_core_map_missing(const struct asnap_core_map *map);
/* Whether that is because the file was cut off and filled up with zeros since, which are then no
 * memory of the program's. */
ASNAP_API bool asnap_core_map_filled_up(const struct asnap_core_map *map);
/* How many bytes of the memory from `start` to `end` the file has no contents of; holes in it are
 * zeros that were dumped. */
ASNAP_API uint64_t asnap_core_map_absent(const struct asnap_core_map *map, uint64_t start,
                                         uint64_t end);
ASNAP_API void asnap_core_map_destroy(struct asnap_core_map *map);

/* A piece of memory: [start, end). */
struct asnap_address_range {
    uint64_t start;
    uint64_t end;
};

/* A thread of the program. */
struct asnap_thread {
    uint64_t number;         /* the kernel's (TID) */
    uint64_t stack_pointer;  /* 0: its registers are not known */
    uint64_t thread_pointer; /* where its thread-local storage is: fs_base on x86-64, tpidr_el0 on
                                aarch64; 0: not known */
    bool vectors_unknown;    /* its other registers are known, and its vector registers are not */
    bool registers_unknown;  /* some of its general registers are not known */
};

/* A word that a register of a thread holds; of wide ones several have one name. */
struct asnap_register {
    uint64_t value;
    uint32_t thread; /* its place among the threads */
    char name[12];
};

/* The threads of a core file and what their registers hold, from its notes; values below 32, and of
 * vector registers below 4096, are left out. `map` must live as long. Fails with NO_MEMORY and
 * INVALID_ARGUMENT only: what cannot be read is not there. */
struct asnap_core_threads;
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_core_threads_create(const struct asnap_core_map *map, struct asnap_core_threads **threads);
ASNAP_API const struct asnap_thread *
asnap_core_threads_list(const struct asnap_core_threads *threads, size_t *count);
ASNAP_API const struct asnap_register *
asnap_core_threads_registers(const struct asnap_core_threads *threads, size_t *count);
/* An address in the stack of the program's first thread; 0: not known. */
ASNAP_API uint64_t asnap_core_threads_main_stack(const struct asnap_core_threads *threads);
ASNAP_API void asnap_core_threads_destroy(struct asnap_core_threads *threads);

/* A process of this host that is kept from running by ptrace(2), and what its registers hold. It
 * runs on as soon as it is destroyed, and where the caller's process ends, however it does; one
 * that was stopped before stays so. No signal is sent to it, and none that it gets is lost. Only
 * the thread that has created it may destroy it. `progress` may be NULL. Fails with
 * INVALID_ARGUMENT, NO_MEMORY, INTERRUPTED and IO, the errno being the kernel's: EPERM where it
 * does not allow it, or the process is traced already, ESRCH and ENOENT where it has ended. A
 * thread that does not stop within 10 s, as it waits in the kernel, is IO without one. */
struct asnap_held_process;
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_held_process_create(int32_t pid, const struct asnap_progress *progress,
                          struct asnap_held_process **process);
/* The same of a process whose threads the calling thread has stopped by ptrace(2) itself: these are
 * `count` of them, by number. They are left as they are, also when it is destroyed. Fails with
 * INVALID_ARGUMENT and NO_MEMORY only: registers that cannot be read are not known. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_held_process_of_stopped(int32_t pid, const int32_t *threads, size_t count,
                              struct asnap_held_process **process);
/* Lends its threads, and the registers' words, as of asnap_core_threads. */
ASNAP_API const struct asnap_thread *
asnap_held_process_threads(const struct asnap_held_process *process, size_t *count);
ASNAP_API const struct asnap_register *
asnap_held_process_registers(const struct asnap_held_process *process, size_t *count);
ASNAP_API void asnap_held_process_destroy(struct asnap_held_process *process);

/* Memory that this library reads itself, and has the debugger read where it cannot. */
struct asnap_direct_memory;

/* The memory of the process `pid` of this host (process_vm_readv(2)). That it is the one that the
 * debugger means is for the caller to know. The debugger is asked, through `debugger`, for
 * each read that the kernel does not do whole. Copies `debugger`; its context must live as long.
 * Fails with INVALID_ARGUMENT and NO_MEMORY only. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_direct_memory_of_process(int32_t pid, const struct asnap_memory *debugger,
                               struct asnap_direct_memory **direct);

/* The memory that a core file holds, which must be as asnap_core_map_create found it; `map` must
 * live as long. The debugger is asked for what the file does not hold, such as code that was not
 * dumped, and for all where the program headers contradict each other. Fails as above. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_direct_memory_of_core(const struct asnap_core_map *map, const struct asnap_memory *debugger,
                            struct asnap_direct_memory **direct);

/* Has reads ask now and then whether to go on, with a step of ""; they are interrupted where not.
 * A debugger's own reads do so by themselves. Copies `progress`; its context must live as long. */
ASNAP_API void asnap_direct_memory_set_progress(struct asnap_direct_memory *direct,
                                                const struct asnap_progress *progress);

/* Lends what reads it. */
ASNAP_API const struct asnap_memory *
asnap_direct_memory_reader(const struct asnap_direct_memory *direct);
ASNAP_API void asnap_direct_memory_destroy(struct asnap_direct_memory *direct);

#ifdef __cplusplus
}
#endif

#endif
