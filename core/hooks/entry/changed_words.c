#include "changed_words.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>

#include "kernel.h"
#include "memory_map.h"
#include "pages.h"

enum { CAPACITY_MIN = 256 };

bool asnap_changed_words_add(struct asnap_changed_words *words, struct asnap_changed_word word)
{
    if (words->count == words->capacity) {
        uint32_t capacity = words->capacity == 0 ? CAPACITY_MIN : words->capacity * 2;
        struct asnap_changed_word *list = asnap_pages_map(capacity * sizeof(*list));
        if (list == NULL)
            return false;
        if (words->count != 0)
            memcpy(list, words->list, words->count * sizeof(*list));
        asnap_pages_unmap(words->list, words->capacity * sizeof(*list));
        words->list = list;
        words->capacity = capacity;
    }
    words->list[words->count++] = word;
    return true;
}

void asnap_changed_words_close(struct asnap_changed_words *words)
{
    asnap_pages_unmap(words->list, words->capacity * sizeof(*words->list));
    *words = (struct asnap_changed_words){0};
}

/* The page that was written last, and what may be done with it. */
struct page {
    uint64_t start;
    uint64_t bytes;
    int protection;
};

static void store(uint64_t place, uint64_t value)
{
    __atomic_store_n((uint64_t *)(uintptr_t)place, value, __ATOMIC_RELEASE);
}

/* Other threads may go through the word, and run code of the page, at any moment: it is written in
 * one piece, and the page loses no right. */
static int write_word(struct page *page, uint64_t place, uint64_t value)
{
    uint64_t start = place & ~(page->bytes - 1);
    if (start != page->start) {
        if (!asnap_memory_map_protection(place, &page->protection))
            return EFAULT;
        page->start = start;
    }
    if ((page->protection & PROT_WRITE) != 0) {
        store(place, value);
        return 0;
    }
    long result = asnap_kernel_protect(start, page->bytes, page->protection | PROT_WRITE);
    if (result != 0)
        return (int)-result;
    store(place, value);
    asnap_kernel_protect(start, page->bytes, page->protection);
    return 0;
}

const struct asnap_changed_word *asnap_changed_words_apply(const struct asnap_changed_words *words,
                                                           int *error)
{
    struct page page = {.bytes = getauxval(AT_PAGESZ)};
    for (uint32_t at = 0; at < words->count; at++) {
        const struct asnap_changed_word *word = &words->list[at];
        int result = write_word(&page, word->place, word->after);
        if (result == 0)
            continue;
        *error = result;
        while (at-- > 0)
            write_word(&page, words->list[at].place, words->list[at].before);
        return word;
    }
    return NULL;
}
