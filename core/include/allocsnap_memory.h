/* The part of liballocsnap's interface that reads the inferior's memory without the
 * debugger, where that is faster; allocsnap.h includes it. */
#ifndef ALLOCSNAP_MEMORY_H
#define ALLOCSNAP_MEMORY_H

#include "allocsnap.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Memory that this library reads itself, and has the debugger read where it cannot. */
struct asnap_direct_memory;

/* The memory of the process `pid` of this host (process_vm_readv(2)). That it is the one that the
 * debugger means is for the caller to know. The debugger is asked, through `debugger`, for
 * each read that the kernel does not do whole. Copies `debugger`; its context must live as long.
 * Fails with INVALID_ARGUMENT and NO_MEMORY only. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_direct_memory_of_process(int32_t pid, const struct asnap_memory *debugger,
                               struct asnap_direct_memory **direct);

/* The memory that a core file holds, which must be as asnap_core_map_create found it; `map` must
 * live as long. The debugger is asked for what the file does not hold, such as code that was not
 * dumped, and for all where the program headers contradict each other. Fails as above. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_direct_memory_of_core(const struct asnap_core_map *map, const struct asnap_memory *debugger,
                            struct asnap_direct_memory **direct);

/* Lends what reads it. */
ASNAP_API const struct asnap_memory *
asnap_direct_memory_reader(const struct asnap_direct_memory *direct);
ASNAP_API void asnap_direct_memory_destroy(struct asnap_direct_memory *direct);

#ifdef __cplusplus
}
#endif

#endif
