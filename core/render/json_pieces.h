/* What JSON of different things has in common. */
#ifndef ASNAP_RENDER_JSON_PIECES_H
#define ASNAP_RENDER_JSON_PIECES_H

#include "text_buffer.h"

/* Writes `name` as it stands, with its comma, quotes and colon; then the number. */
void asnap_json_field(struct asnap_text *text, const char *name, uint64_t number);

/* Writes the frames of a whole stack as a field, null where they are not known. */
void asnap_json_total(struct asnap_text *text, uint32_t total_nframe);

/* Writes a frame, and where its code lies, as an object. */
void asnap_json_frame(struct asnap_text *text, const struct asnap_frame *frame,
                      const struct asnap_place *place);

#endif
