/* Which thread asked for a block, and when. What is not known is left out. */
#ifndef ASNAP_RENDER_BLOCK_ORIGIN_H
#define ASNAP_RENDER_BLOCK_ORIGIN_H

#include "page.h"

/* ", thread=4711 (2 "worker"), time=12.34 s (14:03:22)", as further fields of a row. */
void asnap_origin_fields(struct asnap_page *page, const struct asnap_snapshot *snapshot,
                         const struct asnap_trace *trace,
                         const struct asnap_render_options *options);

/* "thread 4711 (2 "worker")", of a row whose numbers these are. */
void asnap_origin_thread(struct asnap_page *page, struct asnap_bounds bounds);

/* ",\"thread\":4711,\"thread_label\":null", likewise. */
void asnap_origin_json_thread(struct asnap_text *text, struct asnap_bounds bounds,
                              const struct asnap_render_options *options);

/* A line of its own: "by thread 4711 (2 "worker"), 12.34 s after the start of the hooks, at
 * 2024-05-17 14:03:22". */
void asnap_origin_line(struct asnap_page *page, const struct asnap_snapshot *snapshot,
                       const struct asnap_trace *trace, const struct asnap_render_options *options);

/* " 0.31 s ago", before the time `now`; nothing where its time is not known. */
void asnap_origin_ago(struct asnap_page *page, const struct asnap_trace *trace, uint32_t now);

/* ",\"NAME\":0.31", likewise, and null where it is not known. */
void asnap_origin_json_ago(struct asnap_text *text, const char *name,
                           const struct asnap_trace *trace, uint32_t now);

/* ",\"thread\":4711,\"thread_label\":null,\"time\":12.34", with null for what is not known. */
void asnap_origin_json(struct asnap_text *text, const struct asnap_snapshot *snapshot,
                       const struct asnap_trace *trace, const struct asnap_render_options *options);

/* ",\"start\":1715954590.123456789": seconds since 1970, or null. */
void asnap_origin_json_start(struct asnap_text *text, const struct asnap_snapshot *snapshot);

#endif
