#include "py_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "py_gather.h"
#include "utf8.h"

enum {
    WORD = 8,
    STATE = 4,
    LONGEST = 1 << 20, /* bytes of a name's characters; paths have 4096 at most */
    ESCAPE = 7,        /* the longest, with what sprintf puts behind it */
    OBJECT_HEAD = 16,  /* PyObject: a count and the type */
    OBJECT_HEAD_FREE_THREADED = 32,
    VERSION_3_12 = 0x030c0000, /* the first without wstr (PEP 623) */
};

struct asnap_py_str_layout asnap_py_str_layout(uint32_t version, bool free_threaded)
{
    uint32_t head = free_threaded ? OBJECT_HEAD_FREE_THREADED : OBJECT_HEAD;
    uint32_t wide = version != 0 && version < VERSION_3_12 ? WORD : 0;
    /* The length, the hash and the state, which is filled up to a word; until 3.11 wstr, and behind
     * the length in UTF-8 and that text, the length of wstr. */
    uint32_t ascii = head + 3 * WORD + wide;
    return (struct asnap_py_str_layout){
        .length = head,
        .state = head + 2 * WORD,
        .ascii = ascii,
        .compact = ascii + 2 * WORD + wide,
    };
}

/* A str object. */
struct str_object {
    uint64_t length; /* characters */
    uint32_t kind;   /* bytes of each; 0: this is no str */
    uint64_t data;
    bool is_apart; /* `data` is where the pointer to them is (a subclass of str) */
};

struct reading {
    const struct asnap_py_str_layout *layout;
    const uint64_t *addresses;
    struct str_object *objects;
    char **names;
    struct asnap_py_names_found *found;
};

/* The state's bits from the kind on: behind two bits for interned, or a byte for it without the
 * GIL (3.14). What is interned is below 4, so that one of these is 0. */
static uint32_t kind_bits(uint32_t state)
{
    uint32_t bits = state >> 2 & 0x3f;
    return (bits & 7) != 0 ? bits : state >> 8 & 0x3f;
}

static struct asnap_error *take_head(void *context, const struct asnap_wanted *wanted,
                                     const uint8_t *bytes, const struct asnap_py_window *window)
{
    (void)window;
    struct reading *reading = context;
    const struct asnap_py_str_layout *layout = reading->layout;
    struct str_object *object = &reading->objects[wanted->place];
    if (bytes == NULL)
        return NULL;
    uint32_t bits = kind_bits(asnap_py_u32(bytes + layout->state));
    uint32_t kind = bits & 7;
    bool is_compact = (bits >> 3 & 1) != 0;
    bool is_ascii = (bits >> 4 & 1) != 0;
    uint64_t length = asnap_py_u64(bytes + layout->length);
    if ((kind != 1 && kind != 2 && kind != 4) || (is_ascii && kind != 1) || length > LONGEST / kind)
        return NULL;
    *object = (struct str_object){
        .length = length,
        .kind = kind,
        .data = wanted->address + (is_ascii && is_compact ? layout->ascii : layout->compact),
        .is_apart = !is_compact,
    };
    return NULL;
}

static struct asnap_error *take_pointer(void *context, const struct asnap_wanted *wanted,
                                        const uint8_t *bytes, const struct asnap_py_window *window)
{
    (void)window;
    struct reading *reading = context;
    struct str_object *object = &reading->objects[wanted->place];
    if (bytes == NULL)
        object->kind = 0;
    else
        object->data = asnap_py_u64(bytes);
    return NULL;
}

static uint32_t character(const uint8_t *bytes, uint32_t kind, uint64_t place)
{
    bytes += place * kind;
    return kind == 1 ? *bytes : kind == 2 ? asnap_py_u16(bytes) : asnap_py_u32(bytes);
}

static bool is_surrogate(uint32_t code)
{
    return code >= 0xd800 && code <= 0xdfff;
}

/* Whether a lone surrogate stands for a byte that is not UTF-8 (PEP 383). */
static bool is_byte(uint32_t code)
{
    return code >= 0xdc80 && code <= 0xdcff;
}

/* Writes a character; `escapes_bytes`: also one that stands for a byte. Returns how many bytes, and
 * tells of an escape. */
static size_t put(char *to, uint32_t code, bool escapes_bytes, bool *is_escaped)
{
    unsigned char *out = (unsigned char *)to;
    if (is_byte(code) && !escapes_bytes) {
        out[0] = (unsigned char)(code - 0xdc00);
        return 1;
    }
    if (code == 0 || is_surrogate(code)) {
        *is_escaped = true;
        return (size_t)sprintf(to, code == 0 ? "\\x%02" PRIx32 : "\\u%04" PRIx32, code);
    }
    if (code < 0x80) {
        out[0] = (unsigned char)code;
        return 1;
    }
    size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = length; i-- > 1; code >>= 6)
        out[i] = (unsigned char)(0x80 | (code & 0x3f));
    out[0] = (unsigned char)(first[length] | code);
    return length;
}

/* Whether a name is read again as the characters that it was made of: bytes that surrogates stand
 * for can be UTF-8 when they come together. */
static bool comes_back(const char *name, size_t size, const uint8_t *bytes, uint32_t kind)
{
    uint64_t place = 0;
    for (size_t at = 0; at < size; place++) {
        uint32_t code;
        at += asnap_utf8_decode_name(name + at, size - at, &code);
        if (code != character(bytes, kind, place))
            return false;
    }
    return true;
}

static struct asnap_error *take_characters(void *context, const struct asnap_wanted *wanted,
                                           const uint8_t *bytes,
                                           const struct asnap_py_window *window)
{
    (void)window;
    struct reading *reading = context;
    const struct str_object *object = &reading->objects[wanted->place];
    bool has_bytes = false;
    if (bytes == NULL)
        return NULL;
    for (uint64_t i = 0; i < object->length; i++) {
        uint32_t code = character(bytes, object->kind, i);
        has_bytes = has_bytes || is_byte(code);
        if (code > 0x10ffff)
            return NULL;
    }
    char *name = malloc((size_t)object->length * ESCAPE + 1);
    if (name == NULL)
        return asnap_error_no_memory();
    bool is_escaped = false;
    for (int escapes_bytes = 0; escapes_bytes < 2; escapes_bytes++) {
        size_t size = 0;
        is_escaped = false;
        for (uint64_t i = 0; i < object->length; i++)
            size += put(name + size, character(bytes, object->kind, i), escapes_bytes != 0,
                        &is_escaped);
        name[size] = '\0';
        if (!has_bytes || (!is_escaped && comes_back(name, size, bytes, object->kind)))
            break;
    }
    reading->found->escaped += is_escaped;
    reading->names[wanted->place] = name;
    return NULL;
}

static struct asnap_error *read_all(const struct asnap_py_memory *py, struct reading *reading,
                                    size_t count, struct asnap_wanted *wanted)
{
    static const char step[] = "reading file names";
    const struct asnap_py_str_layout *layout = reading->layout;
    for (size_t i = 0; i < count; i++)
        wanted[i] = (struct asnap_wanted){
            .address = reading->addresses[i], .size = layout->state + STATE, .place = (uint32_t)i};
    struct asnap_error *error = asnap_py_gather(py, wanted, count, step, take_head, reading);
    size_t apart = 0;
    for (size_t i = 0; i < count && error == NULL; i++) {
        const struct str_object *object = &reading->objects[i];
        if (object->kind != 0 && object->is_apart)
            wanted[apart++] =
                (struct asnap_wanted){.address = object->data, .size = WORD, .place = (uint32_t)i};
    }
    if (error == NULL)
        error = asnap_py_gather(py, wanted, apart, step, take_pointer, reading);
    size_t known = 0;
    for (size_t i = 0; i < count && error == NULL; i++) {
        const struct str_object *object = &reading->objects[i];
        if (object->kind != 0)
            wanted[known++] = (struct asnap_wanted){
                .address = object->data,
                .size = (uint32_t)((object->length + 1) * object->kind), /* with its NUL */
                .place = (uint32_t)i,
            };
    }
    return error != NULL ? error
                         : asnap_py_gather(py, wanted, known, step, take_characters, reading);
}

/* What stands for the name of an object that is none. */
static struct asnap_error *name_unreadable(struct reading *reading, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (reading->names[i] != NULL)
            continue;
        reading->found->unreadable++;
        if (asprintf(&reading->names[i], "<unreadable name at 0x%" PRIx64 ">",
                     reading->addresses[i]) < 0) {
            reading->names[i] = NULL;
            return asnap_error_no_memory();
        }
    }
    return NULL;
}

struct asnap_error *asnap_py_names_read(const struct asnap_py_memory *py,
                                        const struct asnap_py_str_layout *layout,
                                        const uint64_t *addresses, size_t count, char **names,
                                        struct asnap_py_names_found *found)
{
    struct reading reading = {
        .layout = layout,
        .addresses = addresses,
        .objects = calloc(count + 1, sizeof(struct str_object)),
        .names = names,
        .found = found,
    };
    struct asnap_wanted *wanted = calloc(count + 1, sizeof(*wanted));
    *found = (struct asnap_py_names_found){0};
    struct asnap_error *error = NULL;
    if (reading.objects == NULL || wanted == NULL)
        error = asnap_error_no_memory();
    if (error == NULL)
        error = read_all(py, &reading, count, wanted);
    if (error == NULL)
        error = name_unreadable(&reading, count);
    free(wanted);
    free(reading.objects);
    return error;
}
