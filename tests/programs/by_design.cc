/* What the C library, the loader and the C++ library keep until the program ends, and beside it
 * what the same functions hand to the program, which nobody else frees: the sizes of the latter are
 * told by tags. tests/e2e/test_suppressions.py says what is suppressed. */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <dlfcn.h>
#include <grp.h>
#include <iconv.h>
#include <libintl.h>
#include <locale.h>
#include <netdb.h>
#include <pthread.h>
#include <pwd.h>
#include <wchar.h>

static pthread_key_t keys[64];
static pthread_barrier_t barrier;
static void *kept[8];

struct Local {
    int value = 1;
    ~Local()
    {
        value = 0;
    }
};
static thread_local Local local;

static void nothing()
{
}

static void *in_thread(void *)
{
    local.value++;                       /* threads: its destructor */
    pthread_setspecific(keys[60], keys); /* threads: values of many keys */
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return nullptr;
}

static void use_loader()
{
    dlopen("/nonexistent.so", RTLD_NOW); /* loader: its message */
    kept[0] = dlopen("libpthread.so.0", RTLD_NOW);
    kept[1] = dlopen("libanl.so.1", RTLD_NOW); /* loader: a file */
}

static void use_locales()
{
    setlocale(LC_ALL, "C.UTF-8");                         /* locale */
    bindtextdomain("by_design", "/nonexistent");          /* messages */
    textdomain("by_design");                              /* messages */
    kept[2] = newlocale(LC_ALL_MASK, "C.UTF-8", nullptr); /* tag: own newlocale */
    wchar_t wide[8];
    mbstowcs(wide, "wide", 8);               /* conversions */
    kept[3] = iconv_open("UTF-16", "UTF-8"); /* tag: own iconv_open */
}

static void use_databases()
{
    getpwuid(0); /* databases */
    getgrgid(0); /* databases */
    getservbyname("http", "tcp");
    struct addrinfo hints = {}, *found = nullptr;
    hints.ai_flags = AI_NUMERICHOST;
    getaddrinfo("127.0.0.1", nullptr, &hints, &found); /* tag: own getaddrinfo */
    kept[4] = found;
}

static void use_time_and_environment()
{
    setenv("TZ", "EST5EDT", 1); /* environment */
    tzset();                    /* time-zone */
    time_t now = 0;
    localtime(&now);
    setenv("BY_DESIGN", "1", 1); /* environment */
}

static void use_streams()
{
    FILE *file = fopen("/dev/null", "w"); /* tag: own fopen */
    fprintf(file, "%d", 1);               /* stdio */
    kept[5] = file;
    for (int i = 0; i < 40; i++)
        atexit(nothing); /* exit-handlers */
}

/* What the program has asked for itself, by functions that others here call, too. */
static void hold()
{
    kept[6] = strdup("a string of the program's own"); /* tag: own strdup */
    kept[7] = malloc(1111);                            /* tag: own malloc */
    if (malloc(2222) == nullptr)                       /* tag: lost malloc */
        abort();
}

/* Overwrites what is left on the stack. */
static void scrub()
{
    char space[16384];
    memset(space, 0, sizeof(space));
    __asm__ volatile("" : : "r"(space) : "memory");
}

extern "C" __attribute__((noinline)) void stop_here(int trap)
{
    if (trap)
        __builtin_trap();
}

int main(int count, char **)
{
    for (pthread_key_t &key : keys)
        pthread_key_create(&key, nullptr);
    pthread_barrier_init(&barrier, nullptr, 2);
    pthread_t thread;
    pthread_create(&thread, nullptr, in_thread, nullptr);
    use_loader();
    use_locales();
    use_databases();
    use_time_and_environment();
    use_streams();
    hold();
    pthread_barrier_wait(&barrier);
    scrub();
    stop_here(count > 1);
    pthread_barrier_wait(&barrier);
    pthread_join(thread, nullptr);
    return 0;
}
