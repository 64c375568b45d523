#include "eh_frame.h"

#include <stddef.h>
#include <string.h>

/* DW_EH_PE encodings (LSB 10.5.1). */
enum {
    ENCODING_ABSOLUTE = 0x00,
    ENCODING_ULEB = 0x01,
    ENCODING_U2 = 0x02,
    ENCODING_U4 = 0x03,
    ENCODING_U8 = 0x04,
    ENCODING_SLEB = 0x09,
    ENCODING_S2 = 0x0a,
    ENCODING_S4 = 0x0b,
    ENCODING_S8 = 0x0c,
    ENCODING_PC_RELATIVE = 0x10,
    ENCODING_DATA_RELATIVE = 0x30,
    ENCODING_ALIGNED = 0x50,
    ENCODING_OMIT = 0xff,
};

struct entry {
    const uint8_t *start;
    struct asnap_bytes body; /* after the length */
};

bool asnap_bytes_unsigned(struct asnap_bytes *bytes, unsigned size, uint64_t *value)
{
    if ((size_t)(bytes->end - bytes->at) < size)
        return false;
    uint64_t number = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(&number, bytes->at, size);
#else
    memcpy((uint8_t *)&number + sizeof(number) - size, bytes->at, size);
#endif
    bytes->at += size;
    *value = number;
    return true;
}

bool asnap_bytes_uleb(struct asnap_bytes *bytes, uint64_t *value)
{
    uint64_t number = 0;
    for (unsigned shift = 0; bytes->at < bytes->end; shift += 7) {
        uint8_t byte = *bytes->at++;
        if (shift < 64)
            number |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            *value = number;
            return true;
        }
    }
    return false;
}

bool asnap_bytes_sleb(struct asnap_bytes *bytes, int64_t *value)
{
    uint64_t number = 0;
    for (unsigned shift = 0; bytes->at < bytes->end;) {
        uint8_t byte = *bytes->at++;
        if (shift < 64)
            number |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
        if ((byte & 0x80) == 0) {
            if (shift < 64 && (byte & 0x40) != 0)
                number |= ~UINT64_C(0) << shift;
            *value = (int64_t)number;
            return true;
        }
    }
    return false;
}

static bool read_signed(struct asnap_bytes *bytes, unsigned size, uint64_t *value)
{
    uint64_t number;
    if (!asnap_bytes_unsigned(bytes, size, &number))
        return false;
    unsigned spare = 64 - 8 * size;
    *value = (uint64_t)((int64_t)(number << spare) >> spare);
    return true;
}

static bool read_number(struct asnap_bytes *bytes, uint8_t format, uint64_t *value)
{
    switch (format) {
    case ENCODING_ABSOLUTE:
    case ENCODING_U8:
    case ENCODING_S8:
        return asnap_bytes_unsigned(bytes, 8, value);
    case ENCODING_U4:
        return asnap_bytes_unsigned(bytes, 4, value);
    case ENCODING_U2:
        return asnap_bytes_unsigned(bytes, 2, value);
    case ENCODING_S4:
        return read_signed(bytes, 4, value);
    case ENCODING_S2:
        return read_signed(bytes, 2, value);
    case ENCODING_ULEB:
        return asnap_bytes_uleb(bytes, value);
    case ENCODING_SLEB:
        return asnap_bytes_sleb(bytes, (int64_t *)value);
    default:
        return false;
    }
}

bool asnap_bytes_pointer(struct asnap_bytes *bytes, uint8_t encoding, uint64_t *value)
{
    uint64_t place = (uint64_t)(uintptr_t)bytes->at;
    uint64_t number;
    if (!read_number(bytes, encoding & 0x0f, &number))
        return false;
    switch (encoding & 0xf0) {
    case ENCODING_ABSOLUTE:
        *value = number;
        return true;
    case ENCODING_PC_RELATIVE:
        *value = number == 0 ? 0 : number + place;
        return true;
    default:
        return false;
    }
}

bool asnap_bytes_block(struct asnap_bytes *bytes, struct asnap_bytes *block)
{
    uint64_t length;
    if (!asnap_bytes_uleb(bytes, &length) || length > (uint64_t)(bytes->end - bytes->at))
        return false;
    block->at = bytes->at;
    block->end = bytes->at += length;
    return true;
}

/* The entry at `start`; a length of 0 marks the end of the section. */
static bool open_entry(const uint8_t *start, struct asnap_bytes readable, struct entry *entry)
{
    if (start < readable.at || start >= readable.end)
        return false;
    struct asnap_bytes bytes = {start, readable.end};
    uint64_t length;
    if (!asnap_bytes_unsigned(&bytes, 4, &length))
        return false;
    if (length == UINT32_MAX && !asnap_bytes_unsigned(&bytes, 8, &length))
        return false;
    if (length == 0 || length > (uint64_t)(bytes.end - bytes.at))
        return false;
    entry->start = start;
    entry->body.at = bytes.at;
    entry->body.end = bytes.at + length;
    return true;
}

/* The data that an augmentation of the CIE announces, in the order of its letters. */
static bool read_augmentation(struct asnap_bytes *bytes, const char *letters, struct asnap_fde *fde)
{
    struct asnap_bytes data;
    fde->augmented = *letters != '\0';
    if (!fde->augmented)
        return true;
    if (*letters++ != 'z' || !asnap_bytes_block(bytes, &data))
        return false;
    for (; *letters != '\0'; letters++) {
        uint64_t value;
        uint64_t ignored;
        switch (*letters) {
        case 'R':
            if (!asnap_bytes_unsigned(&data, 1, &value))
                return false;
            fde->pointer_encoding = (uint8_t)value;
            break;
        case 'L':
            if (!asnap_bytes_unsigned(&data, 1, &value))
                return false;
            break;
        case 'P':
            if (!asnap_bytes_unsigned(&data, 1, &value) || value == ENCODING_ALIGNED ||
                !read_number(&data, value & 0x0f, &ignored))
                return false;
            break;
        case 'S':
            fde->signal_frame = true;
            break;
        case 'B': /* return addresses are signed with the other key: of no interest */
            break;
        default: /* what follows cannot be told apart, but its length is known */
            return true;
        }
    }
    return true;
}

static bool read_cie(const uint8_t *start, struct asnap_bytes readable, struct asnap_fde *fde)
{
    struct entry entry;
    uint64_t id;
    uint64_t version;
    if (!open_entry(start, readable, &entry))
        return false;
    struct asnap_bytes bytes = entry.body;
    if (!asnap_bytes_unsigned(&bytes, 4, &id) || id != 0 ||
        !asnap_bytes_unsigned(&bytes, 1, &version) || (version != 1 && version != 3))
        return false;
    const char *letters = (const char *)bytes.at;
    const uint8_t *end = memchr(bytes.at, 0, (size_t)(bytes.end - bytes.at));
    if (end == NULL)
        return false;
    bytes.at = end + 1;
    fde->signal_frame = false;
    fde->pointer_encoding = ENCODING_ABSOLUTE;
    if (!asnap_bytes_uleb(&bytes, &fde->code_alignment) ||
        !asnap_bytes_sleb(&bytes, &fde->data_alignment) ||
        !(version == 1 ? asnap_bytes_unsigned(&bytes, 1, &fde->return_register)
                       : asnap_bytes_uleb(&bytes, &fde->return_register)) ||
        !read_augmentation(&bytes, letters, fde))
        return false;
    fde->initial = bytes;
    return true;
}

bool asnap_fde_read(const uint8_t *start, struct asnap_bytes readable, struct asnap_fde *fde)
{
    struct entry entry;
    uint64_t distance;
    uint64_t length;
    struct asnap_bytes ignored;
    if (!open_entry(start, readable, &entry))
        return false;
    struct asnap_bytes bytes = entry.body;
    const uint8_t *place = bytes.at;
    if (!asnap_bytes_unsigned(&bytes, 4, &distance) || distance == 0 ||
        distance > (uint64_t)(place - readable.at) || !read_cie(place - distance, readable, fde) ||
        !asnap_bytes_pointer(&bytes, fde->pointer_encoding, &fde->pc_begin) ||
        !read_number(&bytes, fde->pointer_encoding & 0x0f, &length) ||
        (fde->augmented && !asnap_bytes_block(&bytes, &ignored)))
        return false;
    fde->pc_end = fde->pc_begin + length;
    fde->instructions = bytes;
    return true;
}

/* One line of the sorted table, both relative to the header. */
struct line {
    int32_t pc;
    int32_t entry;
};

/* The entry of the last line at or before `pc`, or NULL. */
static const uint8_t *search(const uint8_t *table, uint64_t count, const uint8_t *header,
                             uint64_t pc)
{
    int64_t wanted = (int64_t)(pc - (uint64_t)(uintptr_t)header);
    const uint8_t *found = NULL;
    struct line line;
    for (uint64_t low = 0, high = count; low < high;) {
        uint64_t middle = low + (high - low) / 2;
        memcpy(&line, table + middle * sizeof(line), sizeof(line));
        if (line.pc <= wanted) {
            found = header + line.entry;
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return found;
}

/* Goes through all entries; those of another kind (CIE) are passed over, and the end is marked. */
static bool scan(struct asnap_bytes section, uint64_t pc, struct asnap_fde *fde)
{
    struct entry entry;
    for (const uint8_t *at = section.at; open_entry(at, section, &entry); at = entry.body.end) {
        if (asnap_fde_read(at, section, fde) && pc >= fde->pc_begin && pc < fde->pc_end)
            return true;
    }
    return false;
}

bool asnap_fde_find(struct asnap_bytes header, struct asnap_bytes readable, uint64_t pc,
                    struct asnap_fde *fde)
{
    struct asnap_bytes bytes = header;
    uint64_t version;
    uint64_t frame_encoding;
    uint64_t count_encoding;
    uint64_t table_encoding;
    uint64_t count;
    uint64_t ignored;
    if (header.at == NULL)
        return scan(readable, pc, fde);
    if (!asnap_bytes_unsigned(&bytes, 1, &version) || version != 1 ||
        !asnap_bytes_unsigned(&bytes, 1, &frame_encoding) ||
        !asnap_bytes_unsigned(&bytes, 1, &count_encoding) ||
        !asnap_bytes_unsigned(&bytes, 1, &table_encoding) || count_encoding == ENCODING_OMIT ||
        table_encoding != (ENCODING_DATA_RELATIVE | ENCODING_S4) ||
        !read_number(&bytes, frame_encoding & 0x0f, &ignored) ||
        !read_number(&bytes, count_encoding & 0x0f, &count) ||
        count > (uint64_t)(bytes.end - bytes.at) / sizeof(struct line))
        return false;
    const uint8_t *entry = search(bytes.at, count, header.at, pc);
    return entry != NULL && asnap_fde_read(entry, readable, fde) && pc >= fde->pc_begin &&
           pc < fde->pc_end;
}
