/* What the files that call libdwarf share. For them only. */
#ifndef ASNAP_SYMBOLS_DWARF_HANDLE_H
#define ASNAP_SYMBOLS_DWARF_HANDLE_H

#include "dwarf_access.h"
#include "dwarf_compat.h"
#include "error.h"
#include "line_program.h"
#include "split_addresses.h"

struct asnap_dwarf {
    Dwarf_Debug dbg;
    const struct asnap_elf *elf;
    struct asnap_line_sections line_sections;
    struct asnap_contents range_lists; /* .debug_rnglists */
    struct asnap_dwarf *supplement;    /* NULL: there is none */
    uint64_t work;                     /* steps that it may still take */
    size_t spare_frames;               /* beyond those that each address may have */
    bool is_split;                     /* addresses are looked up in those below */
    struct asnap_split_addresses addresses;
};

/* The error for a call that gave `result`; NULL where it did not fail. Frees
 * `reason`. */
static inline struct asnap_error *damage(struct asnap_dwarf *dwarf, int result, Dwarf_Error reason,
                                         const char *what)
{
    if (result != DW_DLV_ERROR)
        return NULL;
    struct asnap_error *error = asnap_error_create(
        ASNAP_ERROR_DAMAGED,
        "%s: damaged debug information (%s: %.80s): some of its source lines "
        "are not named",
        dwarf->elf->path, what, reason == NULL ? "unknown" : dwarf_errmsg(reason));
    if (reason != NULL)
        dwarf_dealloc_error(dwarf->dbg, reason);
    return error;
}

/* Ends a call whose failure only means that something is not known. */
static inline bool is_ok(struct asnap_dwarf *dwarf, int result, Dwarf_Error reason)
{
    if (result == DW_DLV_ERROR && reason != NULL)
        dwarf_dealloc_error(dwarf->dbg, reason);
    return result == DW_DLV_OK;
}

/* An attribute to be freed with dwarf_dealloc, or NULL. */
static inline Dwarf_Attribute attribute_of(struct asnap_dwarf *dwarf,
                                           const struct asnap_entry *entry, Dwarf_Half name)
{
    Dwarf_Error reason = NULL;
    Dwarf_Attribute attribute = NULL;
    int result = dwarf_attr(entry->handle, name, &attribute, &reason);
    return is_ok(dwarf, result, reason) ? attribute : NULL;
}

#endif
