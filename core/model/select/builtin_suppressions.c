#include "builtin_suppressions.h"

#include <string.h>

#include "function_name.h"

/* A block is of one of these where the C library has asked for it on its own behalf: one of the
 * functions is among the most recent frames of its stack, before any that is not the C library's or
 * the loader's. So what a program gets from a function of the library, and forgets to free, is of
 * none: of functions whose result is the caller's, only inner ones are named, which are known where
 * the library's debug symbols are. */
struct builtin {
    const char *name;
    const char *what;
    /* As programs call them, or of inner ones without what marks them so (function_name.h); a * at
     * the end stands for anything. These end with NULL. */
    const char *const *functions;
};

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

enum { LOADER, EMERGENCY_POOL, FIRST_BY_FUNCTION };

static const struct builtin builtins[] = {
    [LOADER] = {"loader", "the dynamic loader's: loaded files, vectors of thread-local storage",
                LIST("dlopen", "dlmopen", "dlclose", "dlsym", "dlvsym", "dlinfo", "dlerror",
                     "dlerror_run", "tls_get_addr")},
    [EMERGENCY_POOL] = {"c++-pool",
                        "the C++ library's memory for exceptions when there is no other",
                        LIST("GLOBAL__sub_I__ZN9__gnu_cxx9__freeresEv", "GLOBAL__sub_I_eh_alloc*")},
    [FIRST_BY_FUNCTION] =
        {"threads", "the C library's: values of threads' keys, destructors of thread-local objects",
         LIST("pthread_create*", "pthread_setspecific", "tss_set", "thrd_create",
              "cxa_thread_atexit_impl")},
    {"exit-handlers", "the C library's: functions to be called at exit and in children",
     LIST("atexit", "at_quick_exit", "on_exit", "cxa_atexit", "cxa_at_quick_exit",
          "internal_atexit", "register_atfork", "pthread_atfork")},
    {"stdio", "the C library's: buffers of streams", LIST("file_doallocate", "wfile_doallocate")},
    {"locale", "the C library's: locales that were loaded",
     LIST("setlocale", "nl_find_locale", "nl_load_locale*", "nl_make_l10nflist", "nl_expand_alias",
          "nl_intern_locale_data")},
    {"time-zone", "the C library's: the time zone",
     LIST("tzset", "tzset_*", "tz_convert", "tzfile_*", "localtime", "localtime_r", "mktime",
          "timelocal", "ctime", "ctime_r", "strftime", "strftime_l", "wcsftime", "wcsftime_l")},
    {"databases", "the C library's: users, groups, hosts, services, and where they are looked up",
     LIST("getpwnam*", "getpwuid*", "getpwent*", "getgrnam*", "getgrgid*", "getgrent*", "getspnam*",
          "getspent*", "gethostby*", "gethostent*", "getservby*", "getservent*", "getprotoby*",
          "getprotoent*", "getnetby*", "getnetent*", "getrpcby*", "getrpcent*", "getaliasby*",
          "getnameinfo", "initgroups", "getgrouplist", "setpwent", "setgrent", "nss_*",
          "resolv_conf_*", "resolv_context_get*", "res_vinit", "res_init", "check_pf", "getmntent",
          "getusershell", "getttyent")},
    {"conversions", "the C library's: conversions between character sets",
     LIST("gconv_find_*", "gconv_lookup_cache", "gconv_load_*", "gconv_read_conf",
          "wcsmbs_load_conv", "mbrtowc", "mbtowc", "mbsrtowcs*", "mbsnrtowcs", "mbstowcs",
          "wcrtomb", "wctomb", "wcsrtombs*", "wcsnrtombs", "wcstombs", "btowc", "mbrlen",
          "mbrtoc16", "mbrtoc32")},
    {"messages", "the C library's: translations of messages",
     LIST("gettext", "dgettext", "dcgettext", "ngettext", "dngettext", "dcngettext", "dcigettext",
          "textdomain", "bindtextdomain", "bind_textdomain_codeset", "set_binding_values",
          "strerror", "strerror_l", "strsignal", "nl_find_domain", "nl_load_domain")},
    {"environment", "the C library's: the environment", LIST("setenv", "putenv", "add_to_environ")},
};

#define BUILTINS ((uint32_t)(sizeof(builtins) / sizeof(builtins[0])))

uint32_t asnap_builtin_suppression_count(void)
{
    return BUILTINS;
}

const char *asnap_builtin_suppression_name(uint32_t number)
{
    return builtins[number].name;
}

const char *asnap_builtin_suppression_what(uint32_t number)
{
    return builtins[number].what;
}

static bool is_for(const char *pattern, const char *name)
{
    size_t length = strlen(pattern);
    if (pattern[length - 1] == '*')
        return strncmp(pattern, name, length - 1) == 0;
    return strcmp(pattern, name) == 0;
}

/* The built-in that has a function of this name. */
static uint32_t by_function(const char *name)
{
    const char *known = asnap_function_of_library(name);
    for (uint32_t number = 0; number < BUILTINS; number++) {
        for (const char *const *at = builtins[number].functions; *at != NULL; at++) {
            if (is_for(*at, known))
                return number;
        }
    }
    return UINT32_MAX;
}

/* The path of the module that a frame's code is in; NULL where it is not known. */
static const char *module_of(const struct asnap_store *store, uint32_t frame_id)
{
    const struct asnap_stored_frame *frame = &store->frames[frame_id];
    const struct asnap_location *location = &store->locations[frame->location];
    if (frame->mapping != ASNAP_NONE)
        return asnap_names_get(&store->mapping_names, store->mappings[frame->mapping].path);
    return location->lineno == 0 ? asnap_names_get(&store->files, location->file) : NULL;
}

/* Whether a frame is in a file whose name begins so. */
static bool is_in(const struct asnap_store *store, uint32_t frame_id, const char *const *names)
{
    const char *path = module_of(store, frame_id);
    const char *slash = path == NULL ? NULL : strrchr(path, '/');
    for (; slash != NULL && *names != NULL; names++) {
        if (strncmp(slash + 1, *names, strlen(*names)) == 0)
            return true;
    }
    return false;
}

/* musl's is its C library, too: there, functions tell. */
static bool is_in_loader(const struct asnap_store *store, uint32_t frame_id)
{
    return is_in(store, frame_id, LIST("ld-linux", "ld-2.", "ld64.so."));
}

/* Whether these are frames of a constructor of the C++ library's own, called by the loader. */
static bool is_constructor(const struct asnap_store *store, const uint32_t *frame_ids,
                           uint32_t count)
{
    uint32_t place = 0;
    while (place < count && is_in(store, frame_ids[place], LIST("libstdc++.so.")))
        place++;
    return place > 0 && place < count && is_in_loader(store, frame_ids[place]);
}

uint32_t asnap_builtin_suppression_of(const struct asnap_set_matches *matches,
                                      const struct asnap_store *store, uint32_t traceback)
{
    const uint32_t *frame_ids = asnap_store_frame_ids(store, traceback);
    uint32_t count = store->tracebacks[traceback].frame_count;
    if (is_in_loader(store, frame_ids[0]))
        return LOADER;
    if (is_constructor(store, frame_ids, count))
        return EMERGENCY_POOL;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t function = store->frames[frame_ids[i]].function;
        uint32_t found = function == ASNAP_NONE
                             ? UINT32_MAX
                             : by_function(asnap_names_get(&store->functions, function));
        /* The C++ library's constructor may be linked into the program. */
        if (found == EMERGENCY_POOL)
            return found;
        if ((asnap_sets_of_frame(matches, store, frame_ids[i]) & ASNAP_SET_LIBC) == 0)
            return UINT32_MAX;
        if (found != UINT32_MAX)
            return found;
    }
    return UINT32_MAX;
}
