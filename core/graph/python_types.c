#include "python_types.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "grow.h"
#include "inferior_map.h"
#include "utf8.h"

/* PyTypeObject, the same from 3.8 to 3.14: words behind its head, which is 24 bytes (PyVarObject).
 */
enum {
    HEAD = 24,
    NAME = 0,
    BASIC_SIZE = 1,
    ITEM_SIZE = 2,
    FLAGS = 18,
    TYPE_WORDS = 19,
    LONGEST_NAME = 512,
    LARGEST_OBJECT = 1 << 20,
    LEAST_TYPE_TYPE = 400, /* bytes of a type object, which hold also a class's own slots */
    MOST_METAS = 8,
    GC_HEAD = 16,
    PRE_HEADER = 16, /* the dictionary, and weak references or a class's values */
    LEAST_STR = 40,  /* bytes of a str without its characters, which mostly lie behind it */
    PAD = 16,        /* of debug hooks: the size, and what asked for it, filled up */
    ROUNDED = 24,    /* what allocators add at most to a small block */
};

/* tp_flags */
#define INLINE_VALUES (UINT64_C(1) << 2)
#define HAS_PRE_HEADER (UINT64_C(3) << 3)
#define HEAP_TYPE (UINT64_C(1) << 9)
#define READY (UINT64_C(1) << 12)
#define HAVE_GC (UINT64_C(1) << 14)
#define STR_SUBCLASS (UINT64_C(1) << 28)
#define TYPE_SUBCLASS (UINT64_C(1) << 31)

static const char forbidden[7] = "\xfd\xfd\xfd\xfd\xfd\xfd\xfd";

/* Whether a file is of CPython's: the interpreter, or a module of its library. */
static bool is_of_python(const struct asnap_region *region)
{
    const char *name = region->path == NULL ? NULL : strrchr(region->path, '/');
    return name != NULL && strstr(name, "python") != NULL;
}

void asnap_python_types_init(struct asnap_python_types *types,
                             const struct asnap_graph_facts *facts)
{
    *types = (struct asnap_python_types){.facts = facts};
    for (size_t i = 0; i < facts->region_count && !types->is_wanted; i++)
        types->is_wanted = is_of_python(&facts->regions[i]);
}

void asnap_python_types_deinit(struct asnap_python_types *types)
{
    for (size_t i = 0; i < types->count; i++)
        free(types->types[i].name);
    free(types->types);
    asnap_intern_deinit(&types->index);
}

static bool copy(struct asnap_python_types *types, uint64_t address, void *bytes, size_t size)
{
    bool read = false;
    struct asnap_error *error = asnap_inferior_copy(types->facts, address, bytes, size, &read);
    if (error != NULL) {
        asnap_error_destroy(error);
        types->interrupted = true;
        return false;
    }
    return read;
}

/* ---- types that are known ---- */

struct wanted {
    const struct asnap_python_types *types;
    uint64_t address;
};

static bool same_type(const void *context, uint32_t place)
{
    const struct wanted *wanted = context;
    return wanted->types->types[place].address == wanted->address;
}

static uint32_t hash_of(uint64_t address)
{
    return asnap_hash_end(asnap_hash_mix(0, address));
}

const struct asnap_python_type *asnap_python_types_at(const struct asnap_python_types *types,
                                                      uint64_t address)
{
    struct wanted wanted = {types, address};
    uint32_t place = asnap_intern_find(&types->index, hash_of(address), same_type, &wanted);
    return place == ASNAP_NONE ? NULL : &types->types[place];
}

static struct asnap_error *add(struct asnap_python_types *types,
                               const struct asnap_python_type *type, const char *name)
{
    struct asnap_python_type *grown =
        asnap_grow(types->types, &types->capacity, types->count + 1, sizeof(*grown));
    if (grown == NULL)
        return asnap_error_no_memory();
    types->types = grown;
    struct asnap_error *error = asnap_intern_reserve(&types->index);
    if (error != NULL)
        return error;
    char *own = name == NULL ? NULL : strdup(name);
    if (name != NULL && own == NULL)
        return asnap_error_no_memory();
    grown[types->count] = *type;
    grown[types->count].name = own;
    asnap_intern_add(&types->index, hash_of(type->address), (uint32_t)types->count++);
    return NULL;
}

/* ---- type objects ---- */

/* Reads a name: text that ends, of one character at least. */
static bool read_name(struct asnap_python_types *types, uint64_t address, char *name)
{
    size_t length = 0;
    for (size_t part = 0; part < LONGEST_NAME && length == part; part += 64) {
        if (!copy(types, address + part, name + part, 64))
            break;
        length = strnlen(name, part + 64);
    }
    if (length == 0 || length >= LONGEST_NAME || name[length] != '\0')
        return false;
    for (size_t at = 0; at < length;) {
        uint32_t code;
        size_t bytes = asnap_utf8_decode(name + at, length - at, &code);
        if (bytes == 0 || code < 0x20 || code == 0x7f)
            return false;
        at += bytes;
    }
    return true;
}

/* The name of a type in a page's last bytes may end where memory does. */
static bool read_short_name(struct asnap_python_types *types, uint64_t address, char *name)
{
    memset(name, 0, LONGEST_NAME + 64);
    if (read_name(types, address, name))
        return true;
    memset(name, 0, LONGEST_NAME + 64);
    for (size_t i = 0; i < 63 && copy(types, address + i, name + i, 1); i++) {
        if (name[i] == '\0')
            return i > 0;
    }
    return false;
}

static bool can_be_count(struct asnap_python_types *types, uint64_t word)
{
    /* Counts have 32 bits, above which 3.14 has flags. What is an address is no count: a program
     * at low addresses has pairs of pointers that look like the head of an object. */
    uint64_t high = word >> 32;
    uint64_t count = word & UINT32_MAX;
    return count != 0 && (high & 0xffff) == 0 && high >> 16 < 16 &&
           (count < 0x10000 || asnap_inferior_region(types->facts, word) == NULL);
}

/* Some of the interpreter's own types tell a larger size than most of their objects have. */
static void allow_for_less(struct asnap_python_type *type, uint64_t flags, const char *name)
{
    if ((flags & STR_SUBCLASS) != 0) { /* with its characters elsewhere, as those of classes */
        type->size = LEAST_STR;
        type->is_fixed = false;
    } else if (strcmp(name, "datetime.datetime") == 0 || strcmp(name, "datetime.time") == 0) {
        type->size -= 8; /* a time zone's address */
    }
}

/* Reads a type object without looking at its own type; whether it can be one. */
static bool read_type(struct asnap_python_types *types, uint64_t address,
                      struct asnap_python_type *type, char *name, bool *is_named)
{
    uint64_t words[HEAD / 8 + TYPE_WORDS];
    if (address % 8 != 0 || !copy(types, address, words, sizeof(words)) ||
        !can_be_count(types, words[0]))
        return false;
    const uint64_t *fields = words + HEAD / 8;
    uint64_t flags = fields[FLAGS];
    *type = (struct asnap_python_type){
        .address = address,
        .meta = words[1],
        .size = fields[BASIC_SIZE],
        .before = ((flags & HAVE_GC) != 0 ? (uint64_t)GC_HEAD : 0) +
                  ((flags & HAS_PRE_HEADER) != 0 ? (uint64_t)PRE_HEADER : 0),
        .is_fixed = fields[ITEM_SIZE] == 0 && (flags & INLINE_VALUES) == 0,
        .is_meta = (flags & TYPE_SUBCLASS) != 0,
    };
    if ((flags & READY) == 0 || type->meta == 0 || type->size < 16 || type->size > LARGEST_OBJECT ||
        fields[ITEM_SIZE] > LARGEST_OBJECT || fields[NAME] == 0)
        return false;
    *is_named = read_short_name(types, fields[NAME], name);
    if ((flags & HEAP_TYPE) == 0)
        allow_for_less(type, flags, *is_named ? name : "");
    /* A core may lack what is in a file. */
    const struct asnap_region *region = asnap_inferior_region(types->facts, fields[NAME]);
    return *is_named || (region != NULL && asnap_region_is_file(region) &&
                         (region->flags & ASNAP_REGION_WRITABLE) == 0);
}

/* Whether it is `type` itself. */
static bool is_type_type(const struct asnap_python_type *type, const char *name, bool is_named)
{
    return type->meta == type->address && type->is_meta && type->size >= LEAST_TYPE_TYPE &&
           (!is_named || strcmp(name, "type") == 0);
}

/* Makes what is at an address known where it is a type; *found tells whether it is. */
static struct asnap_error *look(struct asnap_python_types *types, uint64_t address, int metas,
                                bool *found)
{
    char name[LONGEST_NAME + 64];
    struct asnap_python_type type;
    bool is_named;
    uint64_t *none = &types->none[(address >> 3) % ASNAP_PYTHON_NONE];
    struct asnap_error *error = NULL;
    *found = asnap_python_types_at(types, address) != NULL;
    if (*found || *none == address || metas == MOST_METAS)
        return NULL;
    bool can_be = read_type(types, address, &type, name, &is_named);
    if (can_be && !is_type_type(&type, name, is_named)) {
        can_be = false;
        if (type.meta != address)
            error = look(types, type.meta, metas + 1, &can_be);
        can_be = can_be && asnap_python_types_at(types, type.meta)->is_meta;
    }
    if (error == NULL && can_be)
        error = add(types, &type, is_named ? name : NULL);
    else
        *none = address;
    *found = error == NULL && can_be;
    return error;
}

/* ---- objects ---- */

/* The object in a block is `at` bytes behind its start? */
static struct asnap_error *look_at(struct asnap_python_types *types, uint64_t size,
                                   const uint64_t *words, size_t count, uint64_t at, uint64_t *type)
{
    bool found = false;
    if (at / 8 + 1 >= count || !can_be_count(types, words[at / 8]) || words[at / 8 + 1] == 0 ||
        words[at / 8 + 1] % 8 != 0)
        return NULL;
    uint64_t address = words[at / 8 + 1];
    struct asnap_error *error = look(types, address, 0, &found);
    const struct asnap_python_type *known = found ? asnap_python_types_at(types, address) : NULL;
    if (known != NULL && known->before == at && known->size + at <= size &&
        (!known->is_fixed || size - at - known->size <= ROUNDED))
        *type = address;
    return error;
}

/* Debug hooks have a block's size before it, the most significant byte first, what kind of memory
 * it is, and a pattern; another one and maybe a number behind it. */
static bool has_pad(uint64_t size, const uint64_t *words, size_t count, uint64_t *inner)
{
    const char *bytes = (const char *)&words[1];
    if (count < 4 || size < (uint64_t)2 * PAD ||
        (bytes[0] != 'o' && bytes[0] != 'm' && bytes[0] != 'r') ||
        memcmp(bytes + 1, forbidden, sizeof(forbidden)) != 0)
        return false;
    *inner = __builtin_bswap64(words[0]);
    return *inner <= size - PAD;
}

struct asnap_error *asnap_python_types_of(struct asnap_python_types *types, uint64_t size,
                                          const uint64_t *words, size_t count, uint64_t *type)
{
    static const uint64_t places[] = {0, GC_HEAD, GC_HEAD + PRE_HEADER};
    struct asnap_error *error = NULL;
    *type = 0;
    if (!types->is_wanted)
        return NULL;
    /* A large block that objects' hooks have asked malloc's for has both. */
    for (int i = 0; i < 2 && has_pad(size, words, count, &size); i++) {
        words += PAD / 8;
        count -= PAD / 8;
    }
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && error == NULL && *type == 0; i++)
        error = look_at(types, size, words, count, places[i], type);
    return error;
}
