/* The part of liballocsnap's interface that names the frames of snapshots later, and says
 * what their names are from; allocsnap.h includes it. */
#ifndef ALLOCSNAP_NAMES_H
#define ALLOCSNAP_NAMES_H

#include "allocsnap.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether debug information is read by a process that is forked for it, so that a file that
 * libdwarf does not survive costs its own names and nothing else. To begin with it is read in
 * this process. */
ASNAP_API void asnap_symbolizer_read_apart(struct asnap_symbolizer *symbolizer, bool apart);

/* How far the frames of a new snapshot are named. What is left out is a frame
 * ASNAP_NAMED_ADDRESS, which asnap_snapshot_symbolize can name later. */
enum asnap_naming_extent {
    ASNAP_NAMING_WHOLE,         /* all of them; INTERRUPTED where `progress` stops it */
    ASNAP_NAMING_UNTIL_STOPPED, /* those of the files that were done when `progress` stops it */
    ASNAP_NAMING_NOTHING,       /* none: no file is looked at */
};

/* As asnap_snapshot_create, which names the whole. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_snapshot_create_named(struct asnap_raw *raw, struct asnap_symbolizer *symbolizer,
                            enum asnap_naming_extent extent, const struct asnap_progress *progress,
                            struct asnap_snapshot **snapshot);

/* A snapshot of the same traces whose frames have better names, from the files at the
 * paths that were mapped, or from those of asnap_symbolizer_set_files, if their build IDs
 * are those that were mapped. Frames with a line stay as they are; of the others, those
 * of which more is known now change. What is told by asnap_symbolizer_set_regions is not
 * looked at. Notes on the files that are looked at are made anew; rules of
 * asnap_snapshot_skip are not kept. Fails with NO_MEMORY or INTERRUPTED. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_snapshot_symbolize(const struct asnap_snapshot *snapshot, struct asnap_symbolizer *symbolizer,
                         const struct asnap_progress *progress, struct asnap_snapshot **named);

/* The blocks whose frames, those that they are attributed to, are in one file and have
 * their names from the same. */
struct asnap_naming_part {
    const char *path; /* of what was mapped there; NULL where it is not known */
    uint8_t named_by; /* asnap_named_by */
    bool has_line;
    uint64_t size;  /* bytes in its blocks */
    uint64_t count; /* its blocks, at least one */
};

struct asnap_naming_summary;

/* Sums up the blocks of a snapshot, the largest part first. Fails with NO_MEMORY only. */
ASNAP_API ASNAP_MUST_CHECK struct asnap_error *
asnap_naming_summary_create(const struct asnap_snapshot *snapshot,
                            struct asnap_naming_summary **summary);
ASNAP_API void asnap_naming_summary_destroy(struct asnap_naming_summary *summary);
ASNAP_API size_t asnap_naming_summary_count(const struct asnap_naming_summary *summary);
ASNAP_API struct asnap_naming_part
asnap_naming_summary_part(const struct asnap_naming_summary *summary, size_t index);

/* How many of its frames are bare addresses (ASNAP_NAMED_ADDRESS). Of a filtered
 * snapshot, those of the snapshot it was made from. */
ASNAP_API size_t asnap_snapshot_unnamed_count(const struct asnap_snapshot *snapshot);

#ifdef __cplusplus
}
#endif

#endif
