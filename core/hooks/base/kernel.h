/* System calls, made directly. libc's functions for them are points where a thread can be
 * cancelled, and can be replaced by a preloaded library that allocates; either would happen in
 * the middle of an allocation. None of these touches errno: a failure is returned as a negative
 * error number. */
#ifndef ASNAP_HOOKS_KERNEL_H
#define ASNAP_HOOKS_KERNEL_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

/* futex(2): not between processes. musl comes without the kernel's headers. */
enum { ASNAP_FUTEX_WAIT = 128, ASNAP_FUTEX_WAKE = 129 };

/* No result of a system call but an error is so large. */
enum { ASNAP_KERNEL_ERRORS = 4095 };

#if defined(__x86_64__)

/* System V ABI AMD64 supplement, A.2.1. */
static inline long asnap_kernel_call(long number, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#elif defined(__aarch64__)

/* Linux, syscall(2): x8 has the number, x0 to x5 the arguments. */
static inline long asnap_kernel_call(long number, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}

#else
#error "the hooks make system calls of x86-64 and aarch64 only"
#endif

static inline long asnap_kernel_pointer(const volatile void *pointer)
{
    return (long)(uintptr_t)pointer;
}

#if defined(__SANITIZE_THREAD__)

/* In tests of the table alone: the sanitizer learns from libc's functions that memory is another
 * one now. */
static inline void *asnap_kernel_map_with(size_t bytes, int flags)
{
    void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
    return start == MAP_FAILED ? NULL : start;
}

static inline void asnap_kernel_unmap(void *start, size_t bytes)
{
    munmap(start, bytes);
}

#else

/* NULL: there is no memory. */
static inline void *asnap_kernel_map_with(size_t bytes, int flags)
{
    long result = asnap_kernel_call(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);
    return result < 0 && result >= -ASNAP_KERNEL_ERRORS ? NULL : (void *)(uintptr_t)result;
}

static inline void asnap_kernel_unmap(void *start, size_t bytes)
{
    asnap_kernel_call(SYS_munmap, asnap_kernel_pointer(start), (long)bytes, 0, 0, 0, 0);
}

#endif

static inline void *asnap_kernel_map(size_t bytes)
{
    return asnap_kernel_map_with(bytes, 0);
}

static inline long asnap_kernel_advise(void *start, size_t bytes, int advice)
{
    return asnap_kernel_call(SYS_madvise, asnap_kernel_pointer(start), (long)bytes, advice, 0, 0,
                             0);
}

static inline long asnap_kernel_protect(uint64_t start, size_t bytes, int protection)
{
    return asnap_kernel_call(SYS_mprotect, (long)start, (long)bytes, protection, 0, 0, 0);
}

/* `mode` is that of a file that is made. The descriptor is closed by exec. */
static inline int asnap_kernel_open(const char *path, int flags, int mode)
{
    return (int)asnap_kernel_call(SYS_openat, AT_FDCWD, asnap_kernel_pointer(path),
                                  flags | O_CLOEXEC, mode, 0, 0);
}

static inline long asnap_kernel_read(int file, void *bytes, size_t count)
{
    long got;
    do
        got = asnap_kernel_call(SYS_read, file, asnap_kernel_pointer(bytes), (long)count, 0, 0, 0);
    while (got == -EINTR);
    return got;
}

/* From a place in the file. */
static inline long asnap_kernel_read_at(int file, void *bytes, size_t count, uint64_t offset)
{
    long got;
    do
        got = asnap_kernel_call(SYS_pread64, file, asnap_kernel_pointer(bytes), (long)count,
                                (long)offset, 0, 0);
    while (got == -EINTR);
    return got;
}

/* What cannot be written is lost: it is for people to read, and the file may be closed. */
static inline void asnap_kernel_write(int file, const void *bytes, size_t count)
{
    asnap_kernel_call(SYS_write, file, asnap_kernel_pointer(bytes), (long)count, 0, 0, 0);
}

static inline void asnap_kernel_close(int file)
{
    asnap_kernel_call(SYS_close, file, 0, 0, 0, 0, 0);
}

static inline long asnap_kernel_readlink(const char *path, char *target, size_t count)
{
    return asnap_kernel_call(SYS_readlinkat, AT_FDCWD, asnap_kernel_pointer(path),
                             asnap_kernel_pointer(target), (long)count, 0, 0);
}

static inline uint32_t asnap_kernel_process(void)
{
    return (uint32_t)asnap_kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

static inline uint32_t asnap_kernel_thread(void)
{
    return (uint32_t)asnap_kernel_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

/* Copies from this process's own memory, as from another's: what cannot be read is an error and
 * no signal. How many bytes. */
static inline long asnap_kernel_copy(void *copy, uint64_t address, size_t count)
{
    struct iovec to = {copy, count};
    struct iovec from = {(void *)(uintptr_t)address, count};
    return asnap_kernel_call(SYS_process_vm_readv, asnap_kernel_process(),
                             asnap_kernel_pointer(&to), 1, asnap_kernel_pointer(&from), 1, 0);
}

static inline void asnap_kernel_yield(void)
{
    asnap_kernel_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}

/* Waits until the word is woken, is not `value`, or the time is over. */
static inline void asnap_kernel_wait(uint32_t *word, uint32_t value, const struct timespec *time)
{
    asnap_kernel_call(SYS_futex, asnap_kernel_pointer(word), ASNAP_FUTEX_WAIT, (long)value,
                      asnap_kernel_pointer(time), 0, 0);
}

/* Wakes one that waits. */
static inline void asnap_kernel_wake(uint32_t *word)
{
    asnap_kernel_call(SYS_futex, asnap_kernel_pointer(word), ASNAP_FUTEX_WAKE, 1, 0, 0, 0);
}

/* How signals that are to be handled are blocked; the sets are of the kernel's size. */
static inline long asnap_kernel_signal_mask(int how, const uint64_t *set)
{
    return asnap_kernel_call(SYS_rt_sigprocmask, how, asnap_kernel_pointer(set), 0,
                             sizeof(uint64_t), 0, 0);
}

/* Whether the thread is on an alternate signal stack. */
static inline int asnap_kernel_on_signal_stack(void)
{
    stack_t stack = {.ss_flags = 0};
    long result = asnap_kernel_call(SYS_sigaltstack, 0, asnap_kernel_pointer(&stack), 0, 0, 0, 0);
    return result != 0 || (stack.ss_flags & SS_ONSTACK) != 0;
}

/* Ends the process as abort does, whatever the program has made of the signal. */
static inline _Noreturn void asnap_kernel_abort(void)
{
    const uint64_t aborted = UINT64_C(1) << (SIGABRT - 1);
    const uint64_t by_default[4] = {0}; /* the kernel's struct sigaction */
    asnap_kernel_signal_mask(SIG_UNBLOCK, &aborted);
    for (int i = 0; i < 2; i++) {
        asnap_kernel_call(SYS_tgkill, asnap_kernel_process(), asnap_kernel_thread(), SIGABRT, 0, 0,
                          0);
        asnap_kernel_call(SYS_rt_sigaction, SIGABRT, asnap_kernel_pointer(by_default), 0,
                          sizeof(uint64_t), 0, 0);
    }
    __builtin_trap();
}

/* Stops all threads of the process, until a debugger or SIGCONT has them go on. */
static inline void asnap_kernel_stop(void)
{
    asnap_kernel_call(SYS_kill, asnap_kernel_process(), SIGSTOP, 0, 0, 0, 0);
}

static inline void asnap_kernel_clock(int clock, struct timespec *now)
{
    asnap_kernel_call(SYS_clock_gettime, clock, asnap_kernel_pointer(now), 0, 0, 0, 0);
}

#endif
