#include "registered_frames.h"

#include <link.h>
#include <stddef.h>
#include <unwind.h>

/* What libgcc tells beside the entry (gcc's unwind-dw2-fde.h). */
struct registered_bases {
    void *text;
    void *data;
    void *function;
};
extern const void *_Unwind_Find_FDE(void *pc, struct registered_bases *bases);

/* The memory that libgcc was loaded into. */
static uint64_t libgcc_start;
static uint64_t libgcc_end;

/* A dl_iterate_phdr callback: notes the object that holds the function. */
static int note_object(struct dl_phdr_info *object, size_t size, void *argument)
{
    const uint64_t *wanted = argument;
    (void)size;
    for (unsigned i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &object->dlpi_phdr[i];
        uint64_t start = object->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_LOAD && *wanted - start < header->p_memsz) {
            libgcc_start = start;
            libgcc_end = start + header->p_memsz;
            return 1;
        }
    }
    return 0;
}

static _Unwind_Reason_Code end_at_once(struct _Unwind_Context *context, void *argument)
{
    (void)context;
    (void)argument;
    return _URC_END_OF_STACK;
}

void asnap_registered_init(void)
{
    /* An exception of a program with a libgcc within itself may pass through operator new
     * here: then this one must have its table of register sizes, which it makes when it
     * unwinds for the first time. */
    _Unwind_Backtrace(end_at_once, NULL);
    uint64_t function = (uint64_t)(uintptr_t)_Unwind_Find_FDE;
    dl_iterate_phdr(note_object, &function);
}

bool asnap_registered_is_libgcc(uint64_t pc)
{
    return pc - libgcc_start < libgcc_end - libgcc_start;
}

bool asnap_registered_find(uint64_t pc, struct asnap_fde *fde)
{
    struct registered_bases bases;
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
