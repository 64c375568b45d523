#include "registered_frames.h"

#include <stddef.h>

/* What libgcc tells beside the entry (gcc's unwind-dw2-fde.h). */
struct registered_bases {
    void *text;
    void *data;
    void *function;
};
/* Where there is no libgcc, nothing is registered with it. */
extern __attribute__((weak)) const void *_Unwind_Find_FDE(void *pc, struct registered_bases *bases);

/* The memory that libgcc was loaded into. */
static uint64_t libgcc_start;
static uint64_t libgcc_end;

void asnap_registered_init(asnap_file_bounds *bounds)
{
    if (_Unwind_Find_FDE != NULL)
        bounds((uint64_t)(uintptr_t)_Unwind_Find_FDE, &libgcc_start, &libgcc_end);
}

bool asnap_registered_is_libgcc(uint64_t pc)
{
    return pc - libgcc_start < libgcc_end - libgcc_start;
}

bool asnap_registered_find(uint64_t pc, struct asnap_fde *fde)
{
    struct registered_bases bases;
    if (_Unwind_Find_FDE == NULL)
        return false;
    /* It is asked about return addresses. */
    const uint8_t *entry = _Unwind_Find_FDE((void *)(uintptr_t)(pc + 1), &bases);
    if (entry == NULL)
        return false;
    /* Its length and the distance to what it has in common with others are of 32 bits. */
    uint64_t at = (uint64_t)(uintptr_t)entry;
    struct asnap_bytes around = {entry - (at > UINT32_MAX ? UINT32_MAX : at - 1),
                                 entry + 2 * (uint64_t)UINT32_MAX};
    return asnap_fde_read(entry, around, fde) && pc >= fde->pc_begin && pc < fde->pc_end;
}
