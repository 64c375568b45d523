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

void asnap_json_frame(struct asnap_text *text, const struct asnap_frame *frame)
{
    asnap_text_string(text, "{\"filename\":");
    asnap_text_json_string(text, frame->filename);
    asnap_json_field(text, ",\"lineno\":", frame->lineno);
    asnap_text_string(text, ",\"function\":");
    asnap_text_json_string(text, frame->function);
    asnap_text_string(text, frame->inlined ? ",\"inlined\":true}" : ",\"inlined\":false}");
}
