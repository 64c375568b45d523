/* The functions and sources of frames, each once, for Firefox Profiler's tables. */
#ifndef ASNAP_EXPORT_FIREFOX_FUNCTIONS_H
#define ASNAP_EXPORT_FIREFOX_FUNCTIONS_H

#include "frame_rows.h"

struct asnap_firefox_function {
    uint32_t name;   /* strings; of what has no name its file */
    uint32_t source; /* place among the sources */
    uint32_t module; /* place among the rows' modules; ASNAP_NONE: not known */
};

struct asnap_firefox_functions {
    struct asnap_firefox_function *functions;
    uint32_t count;
    uint32_t *of_frames; /* of each of the rows' frames */
    uint32_t *sources;   /* strings */
    uint32_t source_count;
    struct asnap_intern index;
    struct asnap_firefox_function wanted;
};

/* Of all frames of these rows; may be deinitialised after a failure, which is NO_MEMORY. */
struct asnap_error *asnap_firefox_functions_init(struct asnap_firefox_functions *functions,
                                                 const struct asnap_frame_rows *rows);
void asnap_firefox_functions_deinit(struct asnap_firefox_functions *functions);

#endif
