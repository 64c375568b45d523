#include "json_pieces.h"

void asnap_json_field(struct asnap_text *text, const char *name, uint64_t number)
{
    asnap_text_string(text, name);
    asnap_text_number(text, number);
}

void asnap_json_total(struct asnap_text *text, uint32_t total_nframe)
{
    if (total_nframe == ASNAP_TOTAL_UNKNOWN)
        asnap_text_string(text, ",\"total_nframe\":null");
    else
        asnap_json_field(text, ",\"total_nframe\":", total_nframe);
}

void asnap_json_frame(struct asnap_text *text, const struct asnap_frame *frame,
                      const struct asnap_place *place)
{
    asnap_text_string(text, "{\"filename\":");
    asnap_text_json_string(text, frame->filename);
    asnap_json_field(text, ",\"lineno\":", frame->lineno);
    asnap_text_string(text, ",\"function\":");
    asnap_text_json_string(text, frame->function);
    asnap_text_string(text, frame->inlined ? ",\"inlined\":true" : ",\"inlined\":false");
    asnap_text_string(text, ",\"named_by\":");
    asnap_text_json_string(text, asnap_named_by_text(frame->named_by));
    asnap_text_string(text, ",\"module\":");
    asnap_text_json_string(text, place->module);
    asnap_text_string(text, ",\"build_id\":");
    asnap_text_json_string(text, place->build_id[0] == '\0' ? NULL : place->build_id);
    asnap_text_string(text, ",\"offset\":");
    if (place->offset != 0)
        asnap_text_number(text, place->offset);
    else
        asnap_text_string(text, "null");
    asnap_text_string(text, "}");
}
