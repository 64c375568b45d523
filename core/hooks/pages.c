#include "pages.h"

#include <errno.h>
#include <sys/mman.h>

#include "root.h"

static size_t whole_pages(size_t bytes)
{
    return (bytes + 4095) & ~(size_t)4095;
}

void *asnap_pages_map(size_t bytes)
{
    int saved_errno = errno;
    void *pages = mmap(NULL, whole_pages(bytes), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    errno = saved_errno;
    if (pages == MAP_FAILED)
        return NULL;
    __atomic_fetch_add(&allocsnap_root.tracker_bytes, whole_pages(bytes), __ATOMIC_RELAXED);
    return pages;
}

void asnap_pages_unmap(void *pages, size_t bytes)
{
    if (pages == NULL)
        return;
    int saved_errno = errno;
    munmap(pages, whole_pages(bytes));
    errno = saved_errno;
    __atomic_fetch_sub(&allocsnap_root.tracker_bytes, whole_pages(bytes), __ATOMIC_RELAXED);
}
