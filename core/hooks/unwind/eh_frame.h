/* Finding the call frame information of a place in a program: .eh_frame_hdr and .eh_frame
 * (Linux Standard Base Core 5.0, 10.6), as they are in memory. */
#ifndef ASNAP_HOOKS_EH_FRAME_H
#define ASNAP_HOOKS_EH_FRAME_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes in this process that can be read: [at, end). */
struct asnap_bytes {
    const uint8_t *at;
    const uint8_t *end;
};

/* What a frame description entry and its common information entry say. */
struct asnap_fde {
    uint64_t pc_begin; /* describes [pc_begin, pc_end) */
    uint64_t pc_end;
    uint64_t code_alignment;
    int64_t data_alignment;
    uint64_t return_register; /* the column of the return address */
    bool signal_frame;
    bool augmented;             /* entries say how long what they have beside instructions is */
    struct asnap_bytes initial; /* the common instructions */
    struct asnap_bytes instructions; /* and those of this entry */
    uint8_t pointer_encoding;        /* of addresses in the instructions */
};

/* Looks through the table of .eh_frame_hdr for the entry that describes `pc`; `header` is
 * that section, and both it and the entries lie within `readable`. Where there is no such
 * section (NULL), `readable` is .eh_frame, and is gone through. False: there is none, or it cannot
 * be read. */
bool asnap_fde_find(struct asnap_bytes header, struct asnap_bytes readable, uint64_t pc,
                    struct asnap_fde *fde);

/* Reads the entry at `entry`, which is within `readable`. */
bool asnap_fde_read(const uint8_t *entry, struct asnap_bytes readable, struct asnap_fde *fde);

/* Numbers of the format; false where the bytes end first. */
bool asnap_bytes_unsigned(struct asnap_bytes *bytes, unsigned size, uint64_t *value);
bool asnap_bytes_uleb(struct asnap_bytes *bytes, uint64_t *value);
bool asnap_bytes_sleb(struct asnap_bytes *bytes, int64_t *value);
/* An address in a DW_EH_PE encoding that is absolute or relative to its own place. */
bool asnap_bytes_pointer(struct asnap_bytes *bytes, uint8_t encoding, uint64_t *value);
/* A length, and the bytes after it. */
bool asnap_bytes_block(struct asnap_bytes *bytes, struct asnap_bytes *block);

#endif
