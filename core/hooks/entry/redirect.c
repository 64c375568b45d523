#include "redirect.h"

#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

#include "changed_words.h"
#include "interpose.h"
#include "loaded_modules.h"
#include "operators.h"
#include "relocations.h"
#include "root.h"

__attribute__((visibility("default"))) uint32_t allocsnap_redirected;

/* In C; those of C++ follow. */
#define C_FUNCTIONS(FUNCTION)                                                                      \
    FUNCTION(malloc, MALLOC)                                                                       \
    FUNCTION(calloc, CALLOC)                                                                       \
    FUNCTION(realloc, REALLOC)                                                                     \
    FUNCTION(free, FREE)                                                                           \
    FUNCTION(reallocarray, REALLOCARRAY)                                                           \
    FUNCTION(posix_memalign, POSIX_MEMALIGN)                                                       \
    FUNCTION(aligned_alloc, ALIGNED_ALLOC)                                                         \
    FUNCTION(memalign, MEMALIGN)                                                                   \
    FUNCTION(valloc, VALLOC)                                                                       \
    FUNCTION(pvalloc, PVALLOC)                                                                     \
    FUNCTION(free_sized, FREE_SIZED)                                                               \
    FUNCTION(free_aligned_sized, FREE_ALIGNED_SIZED)

enum {
#define NUMBER_OF(NAME, BIT) OF_##NAME,
    C_FUNCTIONS(NUMBER_OF)
#undef NUMBER_OF
        C_COUNT,
    COUNT = C_COUNT + ASNAP_OPERATOR_COUNT,
    OF_LINKER = 4, /* malloc, calloc, realloc and free */
};

static const struct {
    const char *name;
    uint32_t function; /* of asnap_table_functions */
} family[COUNT] = {
#define NAME_OF(NAME, BIT) [OF_##NAME] = {#NAME, ASNAP_TABLE_##BIT},
    C_FUNCTIONS(NAME_OF)
#undef NAME_OF
#define NAME_OF(NAME)                                                                              \
    [C_COUNT + ASNAP_OPERATOR_##                                                                   \
        NAME] = {ASNAP_NAME_##NAME, ASNAP_OPERATOR_##NAME < ASNAP_OPERATOR_delete_plain            \
                                        ? ASNAP_TABLE_NEW                                          \
                                        : ASNAP_TABLE_DELETE},
        ASNAP_OPERATORS(NAME_OF)
#undef NAME_OF
};

static struct {
    bool is_known;
    bool of_linker;              /* its words were found */
    uint64_t under[COUNT];       /* what each name leads to without the hooks; 0: nothing */
    uint64_t own[COUNT];         /* the hooks' own */
    uint64_t entries[OF_LINKER]; /* what the first of these have for an address in the program */
    uint32_t preceded;           /* what the root says of it where the calls are not led here */
    uint32_t of_program; /* asnap_table_functions that the program defines itself, and calls so */
    struct {
        uint64_t entry; /* of a symbol that was changed */
        uint64_t value; /* what it was */
    } symbols[COUNT];
} ends;

/* What an indirect symbol leads to is asked of a function: these say the hooks'. */
#define RESOLVER_OF(NAME, BIT)                                                                     \
    static uint64_t resolve_##NAME(void)                                                           \
    {                                                                                              \
        return ends.own[OF_##NAME];                                                                \
    }
C_FUNCTIONS(RESOLVER_OF)
#undef RESOLVER_OF

static uint64_t (*const resolvers[COUNT])(void) = {
#define RESOLVER_OF(NAME, BIT) [OF_##NAME] = resolve_##NAME,
    C_FUNCTIONS(RESOLVER_OF)
#undef RESOLVER_OF
};

/* One change of all that there is to change. */
struct redirection {
    struct asnap_libraries *libraries;
    struct asnap_changed_words words;
    const uint64_t *from; /* ends.under or ends.own */
    const uint64_t *to;
    uint32_t file;
    bool is_on;
};

static void learn(struct asnap_libraries *libraries)
{
    for (uint32_t i = 0; i < COUNT; i++) {
        struct asnap_wanted wanted = asnap_wanted_symbol(family[i].name);
        void *under = i < C_COUNT ? asnap_symbol_next(libraries, family[i].name)
                                  : asnap_operators[i - C_COUNT];
        ends.under[i] = (uint64_t)(uintptr_t)under;
        ends.own[i] = (uint64_t)(uintptr_t)asnap_symbol_own(libraries, family[i].name);
        if (asnap_file_symbol(&libraries->known, &libraries->list[0], &wanted) != NULL)
            ends.of_program |= family[i].function;
        wanted.is_entry = true;
        if (i < OF_LINKER)
            ends.entries[i] = (uint64_t)(uintptr_t)asnap_file_symbol(&libraries->known,
                                                                     &libraries->list[0], &wanted);
    }
    ends.preceded = allocsnap_root.preceded;
    ends.is_known = true;
}

/* ---- what is to be changed ---- */

static bool add(struct redirection *all, uint64_t place, uint64_t before, uint64_t after)
{
    return asnap_changed_words_add(&all->words,
                                   (struct asnap_changed_word){place, before, after, all->file});
}

static bool is_from(void *context, uint64_t value)
{
    const struct redirection *all = context;
    for (uint32_t i = 0; i < COUNT; i++)
        if (all->from[i] == value && value != 0)
            return true;
    return false;
}

/* A word that leads elsewhere, as to another allocator of a library's own, stays as it is: what the
 * hooks are called for goes on to where the word led. */
static bool add_word(void *context, uint64_t place, uint64_t value, const char *name)
{
    struct redirection *all = context;
    for (uint32_t i = 0; i < COUNT; i++)
        if (all->from[i] == value && all->to[i] != 0 && strcmp(name, family[i].name) == 0)
            return add(all, place, value, all->to[i]);
    return true;
}

/* The symbol by which files that are loaded later find a function, and words that are filled in
 * with the first call. */
static bool add_symbol(struct redirection *all, uint32_t i)
{
    const struct asnap_library *library = &all->libraries->list[all->file];
    struct asnap_known_pages *known = &all->libraries->known;
    struct asnap_wanted wanted = asnap_wanted_symbol(family[i].name);
    uint64_t found = (uint64_t)(uintptr_t)asnap_file_symbol(known, library, &wanted);
    uint64_t place = wanted.entry + offsetof(ElfW(Sym), st_value);
    uint64_t value;
    if (found == 0 || found != all->from[i] || all->to[i] == 0 || place % sizeof(value) != 0 ||
        !asnap_readable_copy(known, place, &value, sizeof(value)))
        return true;
    if (!all->is_on)
        return ends.symbols[i].entry != wanted.entry ||
               add(all, place, value, ends.symbols[i].value);
    uint64_t target = all->to[i];
    if (wanted.is_indirect && resolvers[i] == NULL)
        return true;
    if (wanted.is_indirect)
        target = (uint64_t)(uintptr_t)resolvers[i];
    ends.symbols[i].entry = wanted.entry;
    ends.symbols[i].value = value;
    /* Of one that is not relative, the bias is 0. */
    uint64_t bias = wanted.is_indirect ? library->bias : found - value;
    return add(all, place, value, target - bias);
}

static bool add_file(struct redirection *all)
{
    const struct asnap_library *library = &all->libraries->list[all->file];
    for (uint32_t i = 0; i < COUNT; i++)
        if (!add_symbol(all, i))
            return false;
    return asnap_relocations_each(&all->libraries->known, library, is_from, add_word, all);
}

/* ---- the dynamic linker's own calls ---- */

/* It has looked up the four functions for itself, and keeps them side by side (glibc 2.31 and
 * later, elf/dl-minimal.c). Which of `functions` a word is; OF_LINKER: none. */
static uint32_t which(const uint64_t *functions, uint64_t word)
{
    uint32_t i = 0;
    while (i < OF_LINKER && (word == 0 || (functions[i] != word && ends.entries[i] != word)))
        i++;
    return i;
}

/* Where the four are, in any order; 0: in no place or in several. */
static uint64_t linker_words(struct asnap_known_pages *known, const uint64_t *functions)
{
    uint64_t start;
    uint64_t end;
    uint64_t found = 0;
    uint32_t in_turn = 0;
    uint32_t seen = 0;
    uint64_t word;
    asnap_modules_linker(&start, &end);
    for (uint64_t at = start; at < end; at += sizeof(word)) {
        bool is_read = asnap_readable_copy(known, at, &word, sizeof(word));
        uint32_t one = is_read ? which(functions, word) : OF_LINKER;
        if (one == OF_LINKER || (seen >> one & 1) != 0)
            in_turn = seen = 0;
        if (one == OF_LINKER)
            continue;
        seen |= 1U << one;
        if (++in_turn < OF_LINKER)
            continue;
        if (found != 0)
            return 0;
        found = at - (OF_LINKER - 1) * sizeof(word);
    }
    return found;
}

/* From its calls of free the hooks learn that a file was unloaded: without them, stacks could be
 * walked by what another file had been at the same place. One that unloads nothing (musl's, which
 * is the C library) does without. */
static bool add_linker(struct redirection *all, bool *is_known)
{
    uint64_t start;
    uint64_t end;
    uint64_t word;
    asnap_modules_linker(&start, &end);
    uint64_t place = linker_words(&all->libraries->known, all->from);
    *is_known = start == end || place != 0;
    for (uint32_t i = 0; i < all->words.count && !*is_known; i++)
        *is_known = asnap_modules_is_linker(all->words.list[i].place);
    for (uint32_t i = 0; place != 0 && i < OF_LINKER; i++, place += sizeof(word)) {
        if (!asnap_readable_copy(&all->libraries->known, place, &word, sizeof(word)))
            return false;
        /* An entry leads on by a word of the program's. */
        if (is_from(all, word) && !add(all, place, word, all->to[which(all->from, word)]))
            return false;
    }
    return true;
}

/* ---- all of it ---- */

static bool collect(struct redirection *all, bool *knows_linker)
{
    uint32_t linker = 0;
    for (all->file = 0; all->file < all->libraries->count; all->file++) {
        if (asnap_modules_is_linker(all->libraries->list[all->file].dynamic))
            linker = all->file;
        if (!all->libraries->list[all->file].is_hooks && !add_file(all))
            return false;
    }
    all->file = linker;
    return add_linker(all, knows_linker);
}

static void name_file(const struct redirection *all, const struct asnap_changed_word *word,
                      struct asnap_redirect_report *report)
{
    uint64_t name = all->libraries->list[word->file].name;
    struct asnap_known_pages *known = &all->libraries->known;
    report->address = word->place;
    for (size_t i = 0; i < sizeof(report->file) - 1; i++)
        if (!asnap_readable_copy(known, name + i, &report->file[i], 1) || report->file[i] == '\0')
            break;
    report->file[sizeof(report->file) - 1] = '\0';
}

static uint32_t count_files(const struct asnap_changed_words *words)
{
    uint32_t files = 0;
    for (uint32_t i = 0; i < words->count; i++)
        if (i == 0 || words->list[i].file != words->list[i - 1].file)
            files++;
    return files;
}

static void change(struct redirection *all, struct asnap_redirect_report *report)
{
    bool knows_linker = false;
    int error = 0;
    if (!collect(all, &knows_linker)) {
        report->result = ASNAP_REDIRECT_NO_MEMORY;
        return;
    }
    if (all->is_on && !knows_linker && !ends.of_linker) {
        report->result = ASNAP_REDIRECT_NO_LINKER;
        return;
    }
    const struct asnap_changed_word *failed = asnap_changed_words_apply(&all->words, &error);
    if (failed != NULL) {
        report->error = (uint32_t)error;
        report->result = ASNAP_REDIRECT_NOT_WRITABLE;
        name_file(all, failed, report);
        return;
    }
    report->words = all->words.count;
    report->files = count_files(&all->words);
    ends.of_linker = ends.of_linker || knows_linker;
    allocsnap_root.preceded = all->is_on ? ends.preceded & ends.of_program : ends.preceded;
    __atomic_store_n(&allocsnap_redirected, all->is_on ? ASNAP_LED_HERE : ASNAP_LED_PAST,
                     __ATOMIC_RELEASE);
}

void asnap_redirect_init(bool is_late)
{
    allocsnap_redirected = is_late ? ASNAP_LED_PAST : ASNAP_STARTED_WITH;
}

ASNAP_EXPORT void allocsnap_redirect(int on, struct asnap_redirect_report *report)
{
    struct asnap_libraries libraries;
    struct redirection all = {.libraries = &libraries, .is_on = on != 0};
    memset(report, 0, sizeof(*report));
    asnap_libraries_open(&libraries, false);
    if (!libraries.is_late || libraries.first_root != 0) {
        report->result = ASNAP_REDIRECT_STARTED_WITH;
    } else {
        if (!ends.is_known)
            learn(&libraries);
        all.from = all.is_on ? ends.under : ends.own;
        all.to = all.is_on ? ends.own : ends.under;
        change(&all, report);
    }
    asnap_changed_words_close(&all.words);
    asnap_libraries_close(&libraries);
}
