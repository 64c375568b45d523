/* For a process that was started without the hooks, and has loaded them since (a debugger has had
 * it call dlopen): the program's calls are led to the hooks by the words that the dynamic linker
 * has filled in for them in each file, and by the symbols from which it fills in those of files
 * that are loaded later. */
#ifndef ASNAP_HOOKS_REDIRECT_H
#define ASNAP_HOOKS_REDIRECT_H

#include <stdbool.h>
#include <stdint.h>

enum asnap_redirect_result {
    ASNAP_REDIRECT_DONE = 0,
    ASNAP_REDIRECT_NO_MEMORY = 1,    /* for the list of what is to be changed */
    ASNAP_REDIRECT_STARTED_WITH = 2, /* the program has been started with the hooks */
    ASNAP_REDIRECT_NO_LINKER = 3,    /* where the dynamic linker keeps its functions is not known */
    ASNAP_REDIRECT_NOT_WRITABLE = 4, /* `file` cannot be changed at `address`, for `error` */
};

/* What has been done, or in which file it could not be. */
struct asnap_redirect_report {
    uint32_t result; /* asnap_redirect_result */
    uint32_t error;  /* the kernel's number, or 0 */
    uint32_t words;  /* that were changed */
    uint32_t files;  /* that have some */
    uint64_t address;
    char file[232]; /* "" for the program */
};

/* Leads the program's calls of the family to the hooks (`on` is not 0), or back to where they went.
 * Done before, it is done for what has been loaded since. Where it cannot be done wholly, nothing
 * is changed. The caller sees to it that no other thread is in the dynamic linker meanwhile; this
 * takes no lock, allocates nothing and calls nothing of the C library. */
void allocsnap_redirect(int on, struct asnap_redirect_report *report);

enum asnap_redirected {
    ASNAP_STARTED_WITH = 0, /* the program was started with the hooks: its calls come here anyway */
    ASNAP_LED_HERE = 1,
    ASNAP_LED_PAST = 2,
};

/* Which of these it is, for debuggers. */
extern uint32_t allocsnap_redirected;

/* Before anything of it is asked: whether the hooks were loaded late. */
void asnap_redirect_init(bool is_late);

#endif
