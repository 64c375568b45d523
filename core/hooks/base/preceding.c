#include "preceding.h"

#include <string.h>

#include "readable.h"

/* Of a function whose size its file does not tell, so much is looked at; of none more than that. */
enum { FUNCTIONS_MAX = 40, UNKNOWN_BYTES = 64, CODE_MAX = 4096 };

struct function {
    uint64_t start;
    uint64_t bytes;
    uint32_t function;
};

static struct {
    struct function list[FUNCTIONS_MAX];
    uint32_t count;
} preceding, own;

static void add(uint64_t start, uint64_t bytes, uint32_t function, bool is_own)
{
    uint32_t *count = is_own ? &own.count : &preceding.count;
    if (start == 0 || *count == FUNCTIONS_MAX)
        return;
    struct function *added = is_own ? &own.list[*count] : &preceding.list[*count];
    *added = (struct function){start, bytes != 0 ? bytes : UNKNOWN_BYTES, function};
    ++*count;
}

bool asnap_preceding_find(struct asnap_libraries *libraries, const char *name, uint32_t function)
{
    uint64_t bytes = 0;
    void *found = asnap_symbol_before(libraries, name, &bytes);
    add((uint64_t)(uintptr_t)asnap_symbol_own(libraries, name), 1, function, true);
    add((uint64_t)(uintptr_t)found, bytes, function, false);
    if (found != NULL)
        allocsnap_root.preceded |= function;
    return found != NULL;
}

void asnap_preceding_passed(uint32_t function)
{
    if ((allocsnap_root.preceded & function & ~allocsnap_root.passed_on) != 0)
        __atomic_fetch_or(&allocsnap_root.passed_on, function, __ATOMIC_RELAXED);
}

void asnap_preceding_called_from(uint64_t pc, uint32_t functions)
{
    for (uint32_t i = 0; i < preceding.count; i++)
        if (pc - 1 - preceding.list[i].start < preceding.list[i].bytes)
            asnap_preceding_passed(preceding.list[i].function & functions);
}

/* ---- where code leads ---- */

static bool read_bytes(struct asnap_known_pages *known, uint64_t address, void *bytes, size_t count)
{
    return asnap_readable_copy(known, address, bytes, count);
}

#if defined(__x86_64__)

enum { STEP = 1, INSTRUCTION = 6 };

static uint64_t relative(const uint8_t *displacement, uint64_t end)
{
    int32_t offset;
    memcpy(&offset, displacement, sizeof(offset));
    return end + (uint64_t)(int64_t)offset;
}

/* Where a call or a jump by way of memory leads; 0: this is none. */
static uint64_t by_memory(struct asnap_known_pages *known, uint64_t at, const uint8_t *code)
{
    uint64_t target = 0;
    if (code[0] != 0xff || (code[1] != 0x15 && code[1] != 0x25) ||
        !read_bytes(known, relative(code + 2, at + INSTRUCTION), &target, sizeof(target)))
        return 0;
    return target;
}

/* Through an entry of the procedure linkage table: endbr64 and a prefix may come first. */
static uint64_t through_linkage(struct asnap_known_pages *known, uint64_t entry)
{
    uint8_t code[4 + 1 + INSTRUCTION];
    size_t skipped = 0;
    if (!read_bytes(known, entry, code, sizeof(code)))
        return entry;
    if (memcmp(code, "\xf3\x0f\x1e\xfa", 4) == 0)
        skipped += 4;
    if (code[skipped] == 0xf2)
        skipped++;
    uint64_t target = by_memory(known, entry + skipped, code + skipped);
    return target != 0 ? target : entry;
}

/* What the code at a place of a function calls or jumps to; 0: it does neither. */
static uint64_t led_to(struct asnap_known_pages *known, uint64_t start, uint64_t at)
{
    (void)start;
    uint8_t code[INSTRUCTION];
    if (!read_bytes(known, at, code, sizeof(code)))
        return 0;
    if (code[0] == 0xe8 || code[0] == 0xe9)
        return through_linkage(known, relative(code + 1, at + 5));
    return by_memory(known, at, code);
}

#else

enum { STEP = 4, INSTRUCTION = 4 };

/* A number of so many bits from a place in an instruction, with its sign, times 2^shift. */
static uint64_t field(uint32_t code, unsigned place, unsigned bits, unsigned shift)
{
    uint64_t top = (uint64_t)code << (64 - place - bits);
    return (uint64_t)((int64_t)top >> (64 - bits)) << shift;
}

enum { REGISTER = 0x1f };

/* adrp: the page of an address, which it puts into a register. */
static bool is_page(uint32_t code, uint32_t number)
{
    return (code & 0x9f000000) == 0x90000000 && (code & REGISTER) == number;
}

static uint64_t page_of(uint32_t code, uint64_t at)
{
    return (at & ~UINT64_C(0xfff)) + field(code, 5, 19, 14) + (uint64_t)(code >> 29 & 3) * 0x1000;
}

/* ldr: a word of 64 bits at a register plus a number, which it puts into a register. */
static bool is_load(uint32_t code, uint32_t number)
{
    return (code & 0xffc00000) == 0xf9400000 && (code & REGISTER) == number;
}

static uint32_t load_base(uint32_t code)
{
    return code >> 5 & REGISTER;
}

static uint64_t load_offset(uint32_t code)
{
    return (uint64_t)(code >> 10 & 0xfff) * 8;
}

/* Through an entry of the procedure linkage table: adrp x16, ldr x17 from there; bti may come
 * first. */
static uint64_t through_linkage(struct asnap_known_pages *known, uint64_t entry)
{
    uint32_t code[3];
    uint64_t target;
    if (!read_bytes(known, entry, code, sizeof(code)))
        return entry;
    uint32_t first = code[0] == 0xd503245f ? 1 : 0;
    uint32_t page = code[first];
    uint32_t load = code[first + 1];
    if (!is_page(page, 16) || !is_load(load, 17) || load_base(load) != 16)
        return entry;
    uint64_t slot = page_of(page, entry + first * sizeof(page)) + load_offset(load);
    return read_bytes(known, slot, &target, sizeof(target)) ? target : entry;
}

/* Where br or blr leads by a register that was loaded from the global offset table not long before
 * (-fno-plt): adrp and ldr, between which others may be. */
static uint64_t by_memory(struct asnap_known_pages *known, uint64_t start, uint64_t at,
                          uint32_t number)
{
    enum { BEFORE_MAX = 16 };
    uint32_t code[BEFORE_MAX];
    uint64_t target;
    uint64_t count = (at - start) / sizeof(*code);
    if (count > BEFORE_MAX)
        count = BEFORE_MAX;
    uint64_t first = at - count * sizeof(*code);
    if (!read_bytes(known, first, code, count * sizeof(*code)))
        return 0;
    uint64_t load = count;
    while (load > 0 && !is_load(code[load - 1], number))
        load--;
    if (load-- == 0)
        return 0;
    uint64_t page = load;
    while (page > 0 && !is_page(code[page - 1], load_base(code[load])))
        page--;
    if (page-- == 0)
        return 0;
    uint64_t slot = page_of(code[page], first + page * sizeof(*code)) + load_offset(code[load]);
    return read_bytes(known, slot, &target, sizeof(target)) ? target : 0;
}

/* b and bl; br and blr. */
static uint64_t led_to(struct asnap_known_pages *known, uint64_t start, uint64_t at)
{
    uint32_t code;
    if (!read_bytes(known, at, &code, sizeof(code)))
        return 0;
    if ((code >> 26 & 0x1f) == 5)
        return through_linkage(known, at + field(code, 0, 26, 2));
    if ((code & 0xffdffc1f) == 0xd61f0000)
        return by_memory(known, start, at, code >> 5 & REGISTER);
    return 0;
}

#endif

/* Whether this is the hooks' function of the same kind: one that takes blocks back, or one that
 * makes them. */
static bool is_own(uint64_t address, uint32_t function)
{
    bool takes_back = (function & ASNAP_TABLE_TAKE_BACK) != 0;
    for (uint32_t i = 0; i < own.count; i++)
        if (own.list[i].start == address)
            return takes_back == ((own.list[i].function & ASNAP_TABLE_TAKE_BACK) != 0);
    return false;
}

void asnap_preceding_read_code(void)
{
    struct asnap_known_pages known = {.moving = true};
    for (uint32_t i = 0; i < preceding.count; i++) {
        struct function *one = &preceding.list[i];
        if ((asnap_preceding_doubtful() & one->function) == 0)
            continue;
        uint64_t bytes = one->bytes < CODE_MAX ? one->bytes : CODE_MAX;
        for (uint64_t at = 0; at < bytes; at += STEP)
            if (is_own(led_to(&known, one->start, one->start + at), one->function))
                asnap_preceding_passed(one->function);
    }
}
