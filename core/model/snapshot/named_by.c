#include "allocsnap.h"

const char *asnap_named_by_text(enum asnap_named_by named_by)
{
    static const char *const texts[ASNAP_NAMED_KINDS] = {
        [ASNAP_NAMED_NONE] = "none",           [ASNAP_NAMED_ADDRESS] = "address",
        [ASNAP_NAMED_SYMBOL] = "symbol table", [ASNAP_NAMED_DEBUGGER] = "debugger",
        [ASNAP_NAMED_LINE] = "line table",     [ASNAP_NAMED_INLINE] = "inline",
    };
    return named_by < ASNAP_NAMED_KINDS ? texts[named_by] : NULL;
}
