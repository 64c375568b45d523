/* What a process that reads debug information writes to the one that asked for it, through a
 * pipe: for each module one message after the other, from BEGIN to END. A message is a header,
 * and as many bytes as it says. The asker trusts none of it. */
#ifndef ASNAP_SYMBOLS_NAMING_MESSAGES_H
#define ASNAP_SYMBOLS_NAMING_MESSAGES_H

#include <stdint.h>

enum asnap_naming_message {
    ASNAP_NAMING_BEGIN = 1, /* uint64_t: number of the module; they rise */
    ASNAP_NAMING_STRING,    /* its bytes; strings are counted from 0, over all modules */
    ASNAP_NAMING_NAMED,     /* a struct asnap_told_naming, and its frames */
    ASNAP_NAMING_DONE,      /* uint64_t: so many more addresses are done */
    ASNAP_NAMING_PROBLEM,   /* uint32_t asnap_error_code, and the message's bytes */
    ASNAP_NAMING_END,       /* uint32_t: 0, or ASNAP_ERROR_NO_MEMORY, which ends all */
};

struct asnap_naming_header {
    uint32_t message;
    uint32_t bytes;
};

/* No message is longer, and all strings of a process together are not, nor those for a few
 * addresses: debug information can make much of little. */
#define ASNAP_NAMING_BYTES_MAX (UINT32_C(1) << 20)
#define ASNAP_NAMING_STRINGS_MAX (UINT64_C(256) << 20)
#define ASNAP_NAMING_STRINGS_ALWAYS (UINT64_C(16) << 20)
#define ASNAP_NAMING_STRINGS_OF_ADDRESS (UINT64_C(4) << 10)

/* In place of the number of a string: there is none. */
#define ASNAP_NAMING_NO_STRING UINT32_MAX

struct asnap_told_naming {
    uint64_t address;
    uint32_t prefers_symbol; /* 0 or 1 */
    uint32_t frame_count;
    uint32_t allocates; /* number of a string */
    uint32_t reserved;
};

struct asnap_told_frame {
    uint32_t filename; /* number of a string */
    uint32_t function;
    uint32_t lineno;
    uint32_t inlined; /* 0 or 1 */
};

#endif
