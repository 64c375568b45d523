/* Build IDs (NT_GNU_BUILD_ID), in bytes and as text. */
#ifndef ASNAP_SYMBOLS_BUILD_ID_H
#define ASNAP_SYMBOLS_BUILD_ID_H

#include <stddef.h>

#define ASNAP_BUILD_ID_MAX 64

struct asnap_build_id {
    size_t size; /* 0: none */
    unsigned char bytes[ASNAP_BUILD_ID_MAX];
};

/* Its hexadecimal text has two digits for each byte, and an end. */
#define ASNAP_BUILD_ID_TEXT (2 * ASNAP_BUILD_ID_MAX + 1)

/* A build ID in hexadecimal; what is none gives one of size 0. */
struct asnap_build_id asnap_build_id_read(const char *text);

void asnap_build_id_write(const struct asnap_build_id *build_id, char text[ASNAP_BUILD_ID_TEXT]);

#endif
