#include "record_index.h"

#include <stddef.h>

#include "pages.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { FIRST_LINES = 32 };

_Static_assert(sizeof(struct asnap_index_line) == 64, "a line is one cache line");

/* Where a key's item is looked for. */
struct home {
    uint32_t line;
    uint32_t tag; /* in the upper bits, as in an item */
};

static struct asnap_index_line *lines_of(const struct asnap_table_shard *shard)
{
    return (struct asnap_index_line *)(uintptr_t)shard->index;
}

/* The multiplier differs from that of the shards, so that the blocks of one shard spread
 * over all lines. */
static inline struct home home_of(uint64_t key, uint32_t line_count)
{
    uint64_t address = asnap_table_key_address(key);
    uint64_t hash = (address >> 9) * UINT64_C(0xd6e8feb86659fd93);
    uint32_t tag = (uint32_t)(address >> 4 & 31) << 3 | (uint32_t)(hash >> 24 & 7);
    return (struct home){
        .line = (uint32_t)((hash >> 32) * line_count >> 32),
        .tag = tag << ASNAP_INDEX_NUMBER_BITS,
    };
}

/* The items of a line that have this tag, a bit each; `mask` says which bits count. Items
 * are bits 1 to 15. */
static inline uint32_t matches(const struct asnap_index_line *line, uint32_t mask, uint32_t tag)
{
#if defined(__SSE2__)
    const __m128i *words = (const __m128i *)line;
    __m128i masks = _mm_set1_epi32((int)mask);
    __m128i tags = _mm_set1_epi32((int)tag);
    __m128i first = _mm_cmpeq_epi32(_mm_and_si128(_mm_load_si128(words), masks), tags);
    __m128i second = _mm_cmpeq_epi32(_mm_and_si128(_mm_load_si128(words + 1), masks), tags);
    __m128i third = _mm_cmpeq_epi32(_mm_and_si128(_mm_load_si128(words + 2), masks), tags);
    __m128i fourth = _mm_cmpeq_epi32(_mm_and_si128(_mm_load_si128(words + 3), masks), tags);
    __m128i halves =
        _mm_packs_epi16(_mm_packs_epi32(first, second), _mm_packs_epi32(third, fourth));
    return (uint32_t)_mm_movemask_epi8(halves) & ~1u;
#else
    uint32_t bits = 0;
    for (uint32_t i = 0; i < ASNAP_INDEX_LINE_ITEMS; i++)
        bits |= (uint32_t)((line->items[i] & mask) == tag) << (i + 1);
    return bits;
#endif
}

static uint32_t next_line(uint32_t line, uint32_t line_count)
{
    return line + 1 == line_count ? 0 : line + 1;
}

static size_t lines_bytes(uint32_t line_count)
{
    return line_count * sizeof(struct asnap_index_line);
}

bool asnap_index_open(struct asnap_table_shard *shard)
{
    void *lines = asnap_pages_map(lines_bytes(FIRST_LINES));
    if (lines == NULL)
        return false;
    shard->index = (uint64_t)(uintptr_t)lines;
    shard->line_count = FIRST_LINES;
    return true;
}

void asnap_index_close(struct asnap_table_shard *shard)
{
    asnap_pages_unmap(lines_of(shard), lines_bytes(shard->line_count));
    shard->index = 0;
    shard->line_count = 0;
}

bool asnap_index_find(const struct asnap_table_shard *shard, uint64_t key,
                      struct asnap_index_place *place)
{
    const uint32_t number_mask = ASNAP_INDEX_RECORDS_MAX;
    struct home home = home_of(key, shard->line_count);
    for (uint32_t at = home.line;; at = next_line(at, shard->line_count)) {
        const struct asnap_index_line *line = &lines_of(shard)[at];
        uint32_t bits = matches(line, ~number_mask, home.tag);
        for (; bits != 0; bits &= bits - 1) {
            uint32_t item = (uint32_t)__builtin_ctz(bits) - 1;
            uint32_t number = line->items[item] & number_mask;
            if (number == 0 || asnap_index_record(shard, number - 1)->key != key)
                continue;
            *place = (struct asnap_index_place){at, item, number - 1};
            return true;
        }
        if (line->passed == 0)
            return false;
    }
}

static void place_item(struct asnap_index_line *lines, uint32_t line_count, uint64_t key,
                       uint32_t record)
{
    struct home home = home_of(key, line_count);
    for (uint32_t at = home.line;; at = next_line(at, line_count)) {
        uint32_t empty = matches(&lines[at], UINT32_MAX, 0);
        if (empty != 0) {
            lines[at].items[__builtin_ctz(empty) - 1] = home.tag | (record + 1);
            return;
        }
        lines[at].passed++;
    }
}

/* By a quarter: the index stays small, and each item moves four times or so in all. */
static bool grow(struct asnap_table_shard *shard)
{
    uint32_t line_count = shard->line_count + shard->line_count / 4;
    struct asnap_index_line *lines = asnap_pages_map(lines_bytes(line_count));
    if (lines == NULL)
        return false;
    for (uint32_t i = 0; i < shard->used; i++) {
        uint64_t key = asnap_index_record(shard, i)->key;
        if (key != 0)
            place_item(lines, line_count, key, i);
    }
    asnap_index_close(shard);
    shard->index = (uint64_t)(uintptr_t)lines;
    shard->line_count = line_count;
    return true;
}

/* Lines are kept full to seven eighths at most; without memory, to the last. */
bool asnap_index_reserve(struct asnap_table_shard *shard)
{
    uint64_t room = (uint64_t)shard->line_count * ASNAP_INDEX_LINE_ITEMS;
    return __builtin_expect(shard->count < room - room / 8, 1) || grow(shard) ||
           shard->count < room;
}

void asnap_index_add(struct asnap_table_shard *shard, uint64_t key, uint32_t record)
{
    place_item(lines_of(shard), shard->line_count, key, record);
}

void asnap_index_remove(struct asnap_table_shard *shard, uint64_t key,
                        const struct asnap_index_place *place)
{
    struct asnap_index_line *lines = lines_of(shard);
    lines[place->line].items[place->item] = 0;
    for (uint32_t at = home_of(key, shard->line_count).line; at != place->line;
         at = next_line(at, shard->line_count))
        lines[at].passed--;
}

void asnap_index_prefetch(const struct asnap_table_shard *shard, uint64_t key)
{
    uint64_t index = __atomic_load_n(&shard->index, __ATOMIC_RELAXED);
    uint32_t line_count = __atomic_load_n(&shard->line_count, __ATOMIC_RELAXED);
    uint64_t place = index + (uint64_t)home_of(key, line_count).line * 64;
    __builtin_prefetch((const void *)(uintptr_t)place, 1);
}
