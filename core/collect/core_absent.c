/* What of the program's memory a core file lacks. */
#include "core_map.h"

uint64_t asnap_core_map_absent(const struct asnap_core_map *map, uint64_t start, uint64_t end)
{
    size_t count;
    const struct asnap_core_piece *pieces = asnap_core_map_pieces(map, &count);
    size_t low = 0;
    size_t high = count;
    uint64_t absent = 0;
    /* The first that ends after `start`. */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (pieces[middle].end <= start)
            low = middle + 1;
        else
            high = middle;
    }
    for (; count != 0 && start < end; low++) {
        if (low == count || pieces[low].start >= end)
            return absent + (end - start);
        if (pieces[low].start > start)
            absent += pieces[low].start - start;
        uint64_t from = pieces[low].start > start ? pieces[low].start : start;
        start = pieces[low].end < end ? pieces[low].end : end;
        if (pieces[low].offset == ASNAP_CORE_LOST)
            absent += start - from;
    }
    return absent;
}
