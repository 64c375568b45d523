/* What frames are called in files whose frames are one text each. */
#ifndef ASNAP_EXPORT_FRAME_LABELS_H
#define ASNAP_EXPORT_FRAME_LABELS_H

#include "allocsnap_export.h"
#include "export_strings.h"

/* The number in `strings` of each frame's label: its function, or where it has none its file and
 * line. A character of `escaped` is not in it as it is. To be freed. Fails with NO_MEMORY only. */
struct asnap_error *asnap_frame_functions(const struct asnap_snapshot *snapshot,
                                          struct asnap_strings *strings, const char *escaped,
                                          uint32_t **labels);

/* What writes the label of a frame as the string that is being made. */
typedef void asnap_frame_label(const struct asnap_frame *frame, struct asnap_strings *strings,
                               const void *context);

/* The same of labels that the caller makes. */
struct asnap_error *asnap_frame_labels(const struct asnap_snapshot *snapshot,
                                       struct asnap_strings *strings, asnap_frame_label *label,
                                       const void *context, uint32_t **labels);

/* The number of the label of one place: its file and line, or where it has no line its function and
 * file. Fails with NO_MEMORY only. */
struct asnap_error *asnap_frame_line(const struct asnap_frame *frame, struct asnap_strings *strings,
                                     uint32_t *label);

#endif
