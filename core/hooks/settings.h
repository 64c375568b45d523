/* What the environment asks for. */
#ifndef ASNAP_HOOKS_SETTINGS_H
#define ASNAP_HOOKS_SETTINGS_H

#include <stdint.h>

/* The frame limit that ALLOCSNAP asks for; 0: do not trace. Unset or empty gives the
 * default. A bad value is reported on standard error and gives 0, as does a program
 * that runs with another user's rights. Works before libc has its environment. */
uint32_t asnap_settings_frame_limit(void);

#endif
