#include "age_steps.h"

#include "allocsnap.h"

const struct asnap_age_step asnap_age_steps[ASNAP_AGE_STEPS] = {
    {0, 0, "unknown age"},           {0, 1, "< 1 s"},
    {1, 10, "1 s to < 10 s"},        {10, 60, "10 s to < 1 min"},
    {60, 600, "1 min to < 10 min"},  {600, 3600, "10 min to < 1 h"},
    {3600, 86400, "1 h to < 1 day"}, {86400, UINT64_MAX, "1 day or more"},
};

uint32_t asnap_age_step(uint32_t newest, uint32_t time)
{
    if (time == ASNAP_TIME_UNKNOWN)
        return 0;
    uint32_t seconds = (newest - time) / ASNAP_TIMES_PER_SECOND;
    uint32_t step = 1;
    while (seconds >= asnap_age_steps[step].below)
        step++;
    return step;
}
