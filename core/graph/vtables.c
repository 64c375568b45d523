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

static bool look(struct asnap_vtables *vtables, uint64_t word)
{
    const struct asnap_graph_facts *facts = vtables->facts;
    const struct asnap_region *region = asnap_inferior_region(facts, word);
    uint64_t words[3]; /* offset to top, type information, the first function */
    bool read;
    if (word % 8 != 0 || !is_constant(region) || word - region->start < 16)
        return false;
    struct asnap_error *error = asnap_inferior_copy(facts, word - 16, words, sizeof(words), &read);
    if (error != NULL) {
        asnap_error_destroy(error);
        vtables->interrupted = true;
        return false;
    }
    int64_t offset = read ? (int64_t)words[0] : OFFSET_MAX;
    if (!read || offset <= -OFFSET_MAX || offset >= OFFSET_MAX)
        return false;
    const struct asnap_region *type = asnap_inferior_region(facts, words[1]);
    if (words[1] != 0 && (type == NULL || words[1] % 8 != 0 || !asnap_region_is_file(type)))
        return false;
    return is_code(facts, words[2]) || (words[2] == 0 && words[1] != 0);
}

bool asnap_vtables_has(void *context, uint64_t word)
{
    struct asnap_vtables *vtables = context;
    size_t place = (word >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 54;
    if (word == 0)
        return false;
    if (vtables->known[place].word != word) {
        vtables->known[place].is_vtable = look(vtables, word);
        vtables->known[place].word = word;
    }
    return vtables->known[place].is_vtable;
}
