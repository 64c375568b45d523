/* Says whether the hooks are in this process, and whether they trace. */
#include "allocsnap_hooks.h"

#include <stdio.h>
#include <sys/auxv.h>

int main(void)
{
    int tracked = allocsnap_track(1, 1, 1);
    printf("secure %lu, hooks %s, tracing %s\n", getauxval(AT_SECURE),
           allocsnap_hooks_track != NULL ? "loaded" : "absent", tracked == 0 ? "on" : "off");
    return 0;
}
