/* The demo: a small server that answers requests out of a cache. The cache never
 * forgets anything, which is the leak to be found. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 256
#define PAGES 500
#define REQUESTS 2000

struct entry {
    char *name;
    char *page;
    struct entry *next;
};

struct session {
    char *user;
    char buffer[4096];
};

static struct entry *cache[BUCKETS];
static struct session *sessions[16];

static void *checked(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

static size_t bucket_of(const char *name)
{
    size_t hash = 5381;
    while (*name != '\0')
        hash = hash * 33 + (unsigned char)*name++;
    return hash % BUCKETS;
}

static const char *find_page(const char *name)
{
    for (struct entry *entry = cache[bucket_of(name)]; entry != NULL; entry = entry->next)
        if (strcmp(entry->name, name) == 0)
            return entry->page;
    return NULL;
}

static const char *cache_page(const char *name, size_t size)
{
    struct entry *entry = checked(malloc(sizeof(*entry)));
    entry->name = checked(strdup(name));
    entry->page = checked(calloc(1, size));
    entry->next = cache[bucket_of(name)];
    cache[bucket_of(name)] = entry;
    return entry->page;
}

static struct session *open_session(const char *user)
{
    struct session *session = checked(malloc(sizeof(*session)));
    session->user = checked(strdup(user));
    return session;
}

static void start_server(void)
{
    char name[64];
    for (size_t i = 0; i < 16; i++) {
        snprintf(name, sizeof(name), "user-%zu", i);
        sessions[i] = open_session(name);
    }
    for (int i = 0; i < PAGES; i++) {
        snprintf(name, sizeof(name), "/page/%d", i);
        cache_page(name, 2048);
    }
}

/* Each request carries a number of its own in its query, and so misses the cache. */
__attribute__((noinline)) static void handle_request(int number)
{
    char name[64];
    snprintf(name, sizeof(name), "/page/%d?request=%d", number % PAGES, number);
    char *answer = checked(malloc(8192));
    const char *page = find_page(name);
    if (page == NULL)
        page = cache_page(name, 512);
    snprintf(answer, 8192, "%s", page);
    free(answer);
}

int main(void)
{
    start_server();
    for (int number = 0; number < REQUESTS; number++)
        handle_request(number);
    return 0;
}
