/* Naming program counters, inside the core. */
#ifndef ASNAP_SYMBOLS_SYMBOLIZER_H
#define ASNAP_SYMBOLS_SYMBOLIZER_H

#include "build_id.h"
#include "raw.h"

struct asnap_resolver;

/* What a symbolizer knows of the process and its files. */
struct asnap_resolver *asnap_symbolizer_resolver(struct asnap_symbolizer *symbolizer);

/* Problems met with the files of the addresses named since the regions were last
 * set, a line each, for the notes of a snapshot ("libx.so: damaged debug
 * information: ..."). They live until the next call with the symbolizer; those after it has
 * counted them are the same. */
size_t asnap_symbolizer_note_count(struct asnap_symbolizer *symbolizer);
const char *asnap_symbolizer_note(const struct asnap_symbolizer *symbolizer, size_t index);

/* A return address, and the module that it was in when it was noted (as in
 * asnap_raw_node). */
struct asnap_pc {
    uint64_t address;
    uint32_t module;
};

/* As asnap_symbolizer_name, for return addresses in these modules. One whose module is not
 * mapped at its place any more is named by the module's file. */
struct asnap_error *asnap_symbolizer_name_pcs(struct asnap_symbolizer *symbolizer,
                                              const struct asnap_raw_module *modules,
                                              const struct asnap_pc *pcs, size_t count,
                                              const struct asnap_progress *progress,
                                              struct asnap_named_pc *names);

/* The same, but looks up nothing: frame_count is 0 where the address was not named yet. */
struct asnap_error *asnap_symbolizer_known_pcs(struct asnap_symbolizer *symbolizer,
                                               const struct asnap_raw_module *modules,
                                               const struct asnap_pc *pcs, size_t count,
                                               struct asnap_named_pc *names);

/* Names return addresses in what was mapped once: the `module` of each is the number of
 * its mapping, whose file is known by its build ID. The regions that were set are not
 * looked at; the notes are of this naming. */
struct asnap_error *asnap_symbolizer_name_recorded(struct asnap_symbolizer *symbolizer,
                                                   const struct asnap_mapping *mappings,
                                                   const struct asnap_pc *pcs, size_t count,
                                                   const struct asnap_progress *progress,
                                                   struct asnap_named_pc *names);

/* The offsets of calls (asnap_place) before return addresses that one of the two above has just
 * named: in these modules, or where `mappings` is not NULL, in what was mapped once. */
struct asnap_error *asnap_symbolizer_offsets(struct asnap_symbolizer *symbolizer,
                                             const struct asnap_raw_module *modules,
                                             const struct asnap_mapping *mappings,
                                             const struct asnap_pc *pcs, size_t count,
                                             uint64_t *offsets);

/* What is, or was, mapped where the call before `pc` lies; the path lives as long as the
 * symbolizer or as `modules`. `build_id` gets room for the text that mapping->build_id then
 * points to. false: nothing is known to be. */
bool asnap_symbolizer_mapping(const struct asnap_symbolizer *symbolizer,
                              const struct asnap_raw_module *modules, struct asnap_pc pc,
                              char build_id[ASNAP_BUILD_ID_TEXT], struct asnap_mapping *mapping);

#endif
