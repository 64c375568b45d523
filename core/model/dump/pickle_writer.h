/* Writing values for Python's unpickler: protocol 4 (PEP 3154; the opcodes are listed
 * in CPython's Lib/pickletools.py). */
#ifndef ASNAP_MODEL_PICKLE_WRITER_H
#define ASNAP_MODEL_PICKLE_WRITER_H

#include "file_writer.h"

struct asnap_pickle {
    struct asnap_file_writer writer;
    uint32_t memo_count;
};

/* Instructions without an argument, as the letters they are. */
enum asnap_pickle_opcode {
    ASNAP_PICKLE_MARK = '(',
    ASNAP_PICKLE_NONE = 'N',
    ASNAP_PICKLE_STOP = '.',
    ASNAP_PICKLE_APPENDS = 'e',
    ASNAP_PICKLE_TUPLE = 't',
    ASNAP_PICKLE_SETITEMS = 'u',
    ASNAP_PICKLE_BUILD = 'b',
    ASNAP_PICKLE_EMPTY_TUPLE = ')',
    ASNAP_PICKLE_EMPTY_LIST = ']',
    ASNAP_PICKLE_EMPTY_DICT = '}',
    ASNAP_PICKLE_TUPLE2 = 0x86,
    ASNAP_PICKLE_NEWOBJ = 0x81,
};

void asnap_pickle_start(struct asnap_pickle *pickle);
void asnap_pickle_opcode(struct asnap_pickle *pickle, enum asnap_pickle_opcode opcode);
void asnap_pickle_number(struct asnap_pickle *pickle, uint64_t number);

/* The class `name` of a module. */
void asnap_pickle_class(struct asnap_pickle *pickle, const char *module, const char *name);

/* A str. Bytes that are not UTF-8 become the surrogates that Python's surrogateescape
 * stands for them. */
void asnap_pickle_string(struct asnap_pickle *pickle, const char *string);

/* Keeps the value that was written last, and returns its number. */
uint32_t asnap_pickle_keep(struct asnap_pickle *pickle);

/* The value that was kept under a number. */
void asnap_pickle_kept(struct asnap_pickle *pickle, uint32_t number);

/* Writes what is left; returns the first failure. */
struct asnap_error *asnap_pickle_end(struct asnap_pickle *pickle);

#endif
