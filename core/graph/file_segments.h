/* The writable data of the program and its libraries, by their program headers in memory. What
 * begins as zeros has no file in the memory map, and is joined with what lies behind it. */
#ifndef ASNAP_GRAPH_FILE_SEGMENTS_H
#define ASNAP_GRAPH_FILE_SEGMENTS_H

#include "claims.h"

/* Claims them. Files whose headers cannot be read are left out. */
struct asnap_error *asnap_file_segments_claim(const struct asnap_graph_facts *facts,
                                              struct asnap_claims *claims);

#endif
