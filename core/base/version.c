#include "allocsnap.h"

const char *asnap_version(void)
{
    return ASNAP_VERSION_STRING;
}
