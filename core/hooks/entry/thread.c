#include "thread.h"

__thread struct asnap_thread asnap_thread;
