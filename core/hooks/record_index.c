#include "record_index.h"

#include <stddef.h>

#include "pages.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* An index of FIRST_LINES is a page; a small one grows by half. */
enum { FIRST_LINES = 64, SMALL_LINES = 1024 };

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

/* Bits 1 to 15 say which items of a line have a tag, and which are free. */
struct line_bits {
    uint32_t tagged;
    uint32_t empty;
};

#if defined(__SSE2__)

static inline uint32_t equal_words(const __m128i words[4], __m128i mask, __m128i wanted)
{
    __m128i low = _mm_packs_epi32(_mm_cmpeq_epi32(_mm_and_si128(words[0], mask), wanted),
                                  _mm_cmpeq_epi32(_mm_and_si128(words[1], mask), wanted));
    __m128i high = _mm_packs_epi32(_mm_cmpeq_epi32(_mm_and_si128(words[2], mask), wanted),
                                   _mm_cmpeq_epi32(_mm_and_si128(words[3], mask), wanted));
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high)) & ~1u;
}

static inline struct line_bits look_at(const struct asnap_index_line *line, uint32_t tag)
{
    const __m128i *place = (const __m128i *)line;
    const __m128i words[4] = {_mm_load_si128(place), _mm_load_si128(place + 1),
                              _mm_load_si128(place + 2), _mm_load_si128(place + 3)};
    return (struct line_bits){
        .tagged = equal_words(words, _mm_set1_epi32((int)~ASNAP_INDEX_RECORDS_MAX),
                              _mm_set1_epi32((int)tag)),
        .empty = equal_words(words, _mm_set1_epi32(-1), _mm_setzero_si128()),
    };
}

#else

static inline struct line_bits look_at(const struct asnap_index_line *line, uint32_t tag)
{
    struct line_bits bits = {0, 0};
    for (uint32_t i = 0; i < ASNAP_INDEX_LINE_ITEMS; i++) {
        uint32_t item = line->items[i];
        bits.tagged |= (uint32_t)((item & ~(uint32_t)ASNAP_INDEX_RECORDS_MAX) == tag) << (i + 1);
        bits.empty |= (uint32_t)(item == 0) << (i + 1);
    }
    return bits;
}

#endif

static uint32_t next_line(uint32_t line, uint32_t line_count)
{
    return line + 1 == line_count ? 0 : line + 1;
}

static size_t lines_bytes(uint32_t line_count)
{
    return line_count * sizeof(struct asnap_index_line);
}

/* Lines are kept full to seven eighths at most. */
static void set_index(struct asnap_table_shard *shard, void *lines, uint32_t line_count)
{
    uint32_t room = line_count * ASNAP_INDEX_LINE_ITEMS;
    shard->index = (uint64_t)(uintptr_t)lines;
    shard->line_count = line_count;
    shard->index_limit = room - room / 8;
}

bool asnap_index_open(struct asnap_table_shard *shard)
{
    void *lines = asnap_pages_map(lines_bytes(FIRST_LINES));
    if (lines == NULL)
        return false;
    set_index(shard, lines, FIRST_LINES);
    return true;
}

void asnap_index_close(struct asnap_table_shard *shard)
{
    asnap_pages_unmap(lines_of(shard), lines_bytes(shard->line_count));
    shard->index = 0;
    shard->line_count = 0;
}

bool asnap_index_find(const struct asnap_table_shard *shard, uint64_t key,
                      struct asnap_index_search *search)
{
    struct home home = home_of(key, shard->line_count);
    const struct asnap_index_line *line = &lines_of(shard)[home.line];
    struct line_bits bits = look_at(line, home.tag);
    search->home = search->line = home.line;
    search->tag = home.tag;
    search->empty = bits.empty;
    for (;;) {
        for (uint32_t tagged = bits.tagged & ~bits.empty; tagged != 0; tagged &= tagged - 1) {
            search->item = (uint32_t)__builtin_ctz(tagged) - 1;
            search->record = (line->items[search->item] & ASNAP_INDEX_RECORDS_MAX) - 1;
            if (asnap_index_record(shard, search->record)->key == key)
                return true;
        }
        if (__builtin_expect(line->passed == 0, 1))
            return false;
        search->line = next_line(search->line, shard->line_count);
        line = &lines_of(shard)[search->line];
        bits = look_at(line, home.tag);
    }
}

static void place_item(struct asnap_index_line *lines, uint32_t line_count, uint32_t line,
                       uint32_t item)
{
    uint32_t empty;
    while ((empty = look_at(&lines[line], 0).empty) == 0) {
        lines[line].passed++;
        line = next_line(line, line_count);
    }
    lines[line].items[__builtin_ctz(empty) - 1] = item;
}

/* By a quarter: the index stays dense, and each item moves four times or so in all. */
static bool grow(struct asnap_table_shard *shard)
{
    uint32_t line_count = shard->line_count;
    line_count += line_count < SMALL_LINES ? line_count / 2 : line_count / 4;
    struct asnap_index_line *lines = asnap_pages_map(lines_bytes(line_count));
    if (lines == NULL)
        return false;
    for (uint32_t i = 0; i < shard->used; i++) {
        uint64_t key = asnap_index_record(shard, i)->key;
        struct home home = home_of(key, line_count);
        if (key != 0)
            place_item(lines, line_count, home.line, home.tag | (i + 1));
    }
    asnap_index_close(shard);
    set_index(shard, lines, line_count);
    return true;
}

/* Without memory the lines are filled to the last. */
bool asnap_index_make_room(struct asnap_table_shard *shard)
{
    return grow(shard) || shard->count < (uint64_t)shard->line_count * ASNAP_INDEX_LINE_ITEMS;
}

void asnap_index_add(struct asnap_table_shard *shard, const struct asnap_index_search *search,
                     uint32_t record)
{
    struct asnap_index_line *lines = lines_of(shard);
    uint32_t item = search->tag | (record + 1);
    if (__builtin_expect(search->empty != 0, 1))
        lines[search->home].items[__builtin_ctz(search->empty) - 1] = item;
    else
        place_item(lines, shard->line_count, search->home, item);
}

void asnap_index_remove(struct asnap_table_shard *shard, struct asnap_index_search *search)
{
    struct asnap_index_line *lines = lines_of(shard);
    lines[search->line].items[search->item] = 0;
    if (search->line == search->home)
        search->empty |= 2u << search->item;
    for (uint32_t at = search->home; at != search->line; at = next_line(at, shard->line_count))
        lines[at].passed--;
}

void asnap_index_prefetch(const struct asnap_table_shard *shard, uint64_t key)
{
    uint64_t index = __atomic_load_n(&shard->index, __ATOMIC_RELAXED);
    uint32_t line_count = __atomic_load_n(&shard->line_count, __ATOMIC_RELAXED);
    uint64_t place = index + (uint64_t)home_of(key, line_count).line * 64;
    __builtin_prefetch((const void *)(uintptr_t)place, 1);
}
