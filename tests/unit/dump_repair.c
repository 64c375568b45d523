#include "dump_repair.h"

#include <string.h>

#include "checksum.h"
#include "dump_format.h"

static uint64_t sum_of(const unsigned char *bytes, size_t size)
{
    struct asnap_checksum sum = {0};
    asnap_checksum_add(&sum, bytes, size);
    return asnap_checksum_end(&sum);
}

void dump_repair(unsigned char *bytes, size_t size)
{
    struct asnap_dump_header header;
    struct asnap_dump_section section;
    if (size < sizeof(header))
        return;
    memcpy(&header, bytes, sizeof(header));
    if (header.section_count > (size - sizeof(header)) / sizeof(section))
        return;
    size_t end = sizeof(header) + header.section_count * sizeof(section);
    for (size_t at = sizeof(header); at < end; at += sizeof(section)) {
        memcpy(&section, bytes + at, sizeof(section));
        if (section.offset > size || section.size > size - section.offset)
            continue;
        section.checksum = sum_of(bytes + section.offset, (size_t)section.size);
        memcpy(bytes + at, &section, sizeof(section));
    }
    header.checksum = 0;
    memcpy(bytes, &header, sizeof(header));
    header.checksum = sum_of(bytes, end);
    memcpy(bytes, &header, sizeof(header));
}
