/* The notes of a core file. */
#ifndef ASNAP_CORE_NOTES_H
#define ASNAP_CORE_NOTES_H

#include "allocsnap_base.h"

/* Is handed a note of the kernel's: its type (NT_FILE, NT_AUXV) and where its contents are in
 * the file. */
typedef struct asnap_error *asnap_core_note_visitor(void *context, uint32_t type, uint64_t offset,
                                                    uint32_t size);

/* Goes through the notes in `size` bytes at `offset` of the file open as `fd`, which are there
 * (ELF gABI, chapter 5), and hands those named "CORE" or "LINUX" to `visit`, in turn, until one
 * makes an error. Ends where a note does not end within these bytes. */
struct asnap_error *asnap_core_notes_read(int fd, uint64_t offset, uint64_t size,
                                          asnap_core_note_visitor *visit, void *context);

#endif
