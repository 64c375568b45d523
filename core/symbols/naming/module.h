/* One mapped file: its addresses, and the names learnt for them. */
#ifndef ASNAP_SYMBOLS_MODULE_H
#define ASNAP_SYMBOLS_MODULE_H

#include <sys/types.h>

#include "dwarf_naming.h"
#include "elf_file.h"
#include "frame_store.h"
#include "naming_apart.h"
#include "other_files.h"

struct asnap_module;

/* Makes a module of the file that is mapped under `path`, a string of `store`, or was
 * and `is_unloaded` since: then the file must have the build ID that is told, or none where
 * none is. */
struct asnap_error *asnap_module_create(struct asnap_frame_store *store, const char *path,
                                        bool is_unloaded, struct asnap_module **module);
void asnap_module_destroy(struct asnap_module *module);

/* The path as given. */
const char *asnap_module_path(const struct asnap_module *module);

/* Gives the module its contents where they are in no file (the vDSO); takes over
 * `image`, which is NULL where they could not be read. What was learnt stays where
 * the image is the same as before. */
void asnap_module_set_image(struct asnap_module *module, char *image, size_t size);

/* Looks whether the file on disk is still the one that was looked at (device,
 * inode, size, time of change), and forgets what was learnt where it is not.
 * `build_id` is that of the contents in memory, of size 0 where it is not known: a
 * file with another one is not used, but one of `others`, which must outlive the
 * naming of addresses. */
struct asnap_error *asnap_module_refresh(struct asnap_module *module,
                                         const struct asnap_build_id *build_id,
                                         struct asnap_other_files *others);

/* Forgets what was learnt if it is not from the file at the module's own path, with debug
 * information that belongs there. */
void asnap_module_forget_others(struct asnap_module *module);

/* The link-time address of an offset in the file, by its program headers. false:
 * it is not loaded from there, or the file is unreadable. */
bool asnap_module_address(const struct asnap_module *module, uint64_t file_offset,
                          uint64_t *address);

/* The same of an offset from where the file began in memory, as the dynamic linker lays it
 * out: in `size` bytes. Where nothing else tells whether it is the right file, its segments must
 * take as many. Fails with NO_MEMORY only. */
struct asnap_error *asnap_module_address_of_loaded(struct asnap_module *module, uint64_t offset,
                                                   uint64_t size, uint64_t *address,
                                                   bool *is_found);

/* Whether there is a file, and it is the right one. */
bool asnap_module_is_read(const struct asnap_module *module);

/* What is known of a link-time address; NULL where it was not named yet. */
const struct asnap_named_pc *asnap_module_known(const struct asnap_module *module,
                                                uint64_t address);

/* The one frame of an address that nothing more is known of: the module's path. */
const struct asnap_named_pc *asnap_module_unnamed(const struct asnap_module *module);

/* Names addresses, which come sorted and each once, and remembers them: `number` is the
 * module's for `apart`, in whose child nothing is remembered. */
struct asnap_error *asnap_module_name(struct asnap_module *module, const char *debug_directories,
                                      struct asnap_apart *apart, uint64_t number,
                                      struct asnap_naming *namings, size_t count,
                                      struct asnap_naming_progress *progress);

/* Names the variable `offset` bytes behind where the file begins in memory, or behind the start of
 * its PT_TLS segment, with strings that the module's store keeps. Fails with NO_MEMORY only. */
struct asnap_error *asnap_module_variable(struct asnap_module *module,
                                          const char *debug_directories, uint64_t offset,
                                          bool is_thread_local, struct asnap_variable *variable);

/* Opens the module's file, and its debug file where that is apart, for their symbol tables; both
 * become NULL where there is none, or none of the right build. Fails with NO_MEMORY and
 * INTERRUPTED only. Close them. */
struct asnap_error *asnap_module_open(struct asnap_module *module, const char *debug_directories,
                                      struct asnap_elf **elf, struct asnap_elf **debug);

/* The first problem met with this file; NULL: none. */
const char *asnap_module_note(const struct asnap_module *module);

#endif
