/* Where libdwarf's versions differ. For dwarf_access.c only. */
#ifndef ASNAP_SYMBOLS_DWARF_COMPAT_H
#define ASNAP_SYMBOLS_DWARF_COMPAT_H

/* libelf's headers come first: some versions of libdwarf's header declare Elf. */
#include <libelf.h>

#if __has_include(<libdwarf-2/libdwarf.h>)
#include <libdwarf-2/dwarf.h>
#include <libdwarf-2/libdwarf.h>
#elif __has_include(<libdwarf/libdwarf.h>)
#include <libdwarf/dwarf.h>
#include <libdwarf/libdwarf.h>
#elif __has_include(<libdwarf-0/libdwarf.h>)
#include <libdwarf-0/dwarf.h>
#include <libdwarf-0/libdwarf.h>
#else
#include <dwarf.h>
#include <libdwarf.h>
#endif

/* Versions from 2021's autumn on name themselves; those before (Debian 12 has
 * 20210528) want an access mode and an error to finish with. */
#ifdef DW_LIBDWARF_VERSION
static inline int compat_init(int fd, Dwarf_Debug *dbg, Dwarf_Error *error)
{
    return dwarf_init_b(fd, DW_GROUPNUMBER_ANY, NULL, NULL, dbg, error);
}

static inline void compat_finish(Dwarf_Debug dbg)
{
    dwarf_finish(dbg);
}

static inline void compat_free_ranges(Dwarf_Debug dbg, Dwarf_Ranges *ranges, Dwarf_Signed count)
{
    dwarf_dealloc_ranges(dbg, ranges, count);
}
#else
static inline int compat_init(int fd, Dwarf_Debug *dbg, Dwarf_Error *error)
{
    return dwarf_init_b(fd, DW_DLC_READ, DW_GROUPNUMBER_ANY, NULL, NULL, dbg, error);
}

static inline void compat_finish(Dwarf_Debug dbg)
{
    Dwarf_Error error = NULL;
    dwarf_finish(dbg, &error);
}

static inline void compat_free_ranges(Dwarf_Debug dbg, Dwarf_Ranges *ranges, Dwarf_Signed count)
{
    dwarf_ranges_dealloc(dbg, ranges, count);
}
#endif

/* Language codes assigned after DWARF 5 (dwarfstd.org). */
#ifndef DW_LANG_C_plus_plus_17
#define DW_LANG_C_plus_plus_17 0x002b
#define DW_LANG_C_plus_plus_20 0x002c
#endif

#endif
