#include "vtables.h"

#include "error.h"
#include "inferior_map.h"

#define OFFSET_MAX ((int64_t)16 << 20)

static bool is_code(const struct asnap_graph_facts *facts, uint64_t address)
{
    const struct asnap_region *region = asnap_inferior_region(facts, address);
    return region != NULL && (region->flags & ASNAP_REGION_EXECUTABLE) != 0;
}

static bool is_constant(const struct asnap_region *region)
{
    return region != NULL && asnap_region_is_file(region) &&
           (region->flags & ASNAP_REGION_READABLE) != 0 &&
           (region->flags & (ASNAP_REGION_WRITABLE | ASNAP_REGION_EXECUTABLE)) == 0;
}

static bool is_data(const struct asnap_region *region)
{
    return region != NULL && (region->flags & ASNAP_REGION_EXECUTABLE) == 0;
}

static bool copy(struct asnap_vtables *vtables, uint64_t address, void *bytes, size_t size)
{
    bool read;
    struct asnap_error *error = asnap_inferior_copy(vtables->facts, address, bytes, size, &read);
    if (error != NULL) {
        asnap_error_destroy(error);
        vtables->interrupted = true;
        return false;
    }
    return read;
}

static bool begins_name(char first)
{
    /* gcc puts '*' before names that are local. */
    return first == '*' || (first >= '0' && first <= '9') || (first >= 'A' && first <= 'Z');
}

/* Whether type information is at an address (2.9.5): the vtable pointer of a class of the C++
 * library, of which a program can have a copy in its own data, and the address of a mangled name,
 * which a core may lack. */
static bool is_type(struct asnap_vtables *vtables, uint64_t address)
{
    const struct asnap_graph_facts *facts = vtables->facts;
    const struct asnap_region *region = asnap_inferior_region(facts, address);
    uint64_t words[2];
    char first;
    if (address % 8 != 0 || !is_data(region) || !asnap_region_is_file(region) ||
        !copy(vtables, address, words, sizeof(words)) || words[0] % 8 != 0 ||
        !is_data(asnap_inferior_region(facts, words[0])))
        return false;
    /* It may lie beside code. */
    const struct asnap_region *name = asnap_inferior_region(facts, words[1]);
    if (name == NULL || !asnap_region_is_file(name) || (name->flags & ASNAP_REGION_WRITABLE) != 0)
        return false;
    return !copy(vtables, words[1], &first, 1) || begins_name(first);
}

static bool look(struct asnap_vtables *vtables, uint64_t word)
{
    const struct asnap_graph_facts *facts = vtables->facts;
    const struct asnap_region *region = asnap_inferior_region(facts, word);
    uint64_t words[3]; /* offset to top, type information, the first function */
    if (region != NULL && !is_constant(region)) {
        vtables->none_from = region->start;
        vtables->none_to = region->end;
    }
    if (word % 8 != 0 || !is_constant(region) || word - region->start < 16 ||
        !copy(vtables, word - 16, words, sizeof(words)))
        return false;
    int64_t offset = (int64_t)words[0];
    if (offset <= -OFFSET_MAX || offset >= OFFSET_MAX || offset % 8 != 0)
        return false;
    if (words[1] == 0) /* built without type information */
        return offset <= 0 && is_code(facts, words[2]);
    return (words[2] == 0 || is_code(facts, words[2])) && is_type(vtables, words[1]);
}

bool asnap_vtables_has(void *context, uint64_t word)
{
    struct asnap_vtables *vtables = context;
    size_t place = (word >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 54;
    if (word == 0 || (word >= vtables->none_from && word < vtables->none_to))
        return false;
    if (vtables->known[place].word != word) {
        vtables->known[place].is_vtable = look(vtables, word);
        vtables->known[place].word = word;
    }
    return vtables->known[place].is_vtable;
}
