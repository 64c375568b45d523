#include "traced.h"

#include "lock.h"
#include "root.h"
#include "watch.h"

/* Other threads that never stop giving could keep the lanes from ever being found empty.
 * After so many looks the peak rises all the same: it is too high then by no more than
 * what they gave during the call. */
enum { LOOKS = 1000 };

struct asnap_traced_lane asnap_traced_lanes[ASNAP_TRACED_LANES];

static uint32_t peak_lock;
static uint64_t reserve;   /* slack in no lane */
static uint64_t held_back; /* what no lane is to have, so that a limit is noticed */

/* Lanes that may hold slack: numbers of threads rise from 1, and 0 is none. */
static uint32_t lanes_in_use(void)
{
    uint32_t count = __atomic_load_n(&allocsnap_root.thread_count, __ATOMIC_ACQUIRE);
    if (count == 0)
        return 1;
    return count < ASNAP_TRACED_LANES ? count : ASNAP_TRACED_LANES;
}

static uint64_t drain(uint64_t *lane)
{
    return __atomic_fetch_and(lane, ~ASNAP_TRACED_SLACK, __ATOMIC_ACQ_REL) & ASNAP_TRACED_SLACK;
}

/* Takes what is missing from a lane that has it, and half of the rest: its threads will
 * want the other half. */
static uint64_t take_share(uint64_t *lane, uint64_t missing)
{
    uint64_t word = __atomic_load_n(lane, __ATOMIC_RELAXED);
    for (;;) {
        uint64_t slack = word & ASNAP_TRACED_SLACK;
        uint64_t share = slack <= missing ? slack : missing + (slack - missing) / 2;
        if (__atomic_compare_exchange_n(lane, &word, word - share, true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED))
            return share;
    }
}

/* Takes from lanes until `held` is `wanted` or more. True: all were looked at and found
 * empty, and `given` is what it was. */
static bool look(uint64_t wanted, uint64_t *held, uint64_t *given)
{
    uint64_t given_now = 0;
    bool empty = true;
    for (uint32_t i = 0; i < lanes_in_use(); i++) {
        uint64_t *lane = &asnap_traced_lanes[i].word;
        uint64_t word = __atomic_load_n(lane, __ATOMIC_ACQUIRE);
        given_now += word >> ASNAP_TRACED_SLACK_BITS;
        if ((word & ASNAP_TRACED_SLACK) == 0)
            continue;
        empty = false;
        *held += take_share(lane, wanted - *held);
        if (*held >= wanted)
            return false;
    }
    bool same = *given == given_now;
    *given = given_now;
    return empty && same;
}

/* Collects slack, until it is `wanted` or all that there is. */
static uint64_t collect(uint64_t wanted)
{
    uint64_t held = reserve;
    uint64_t given = UINT64_MAX;
    reserve = 0;
    for (int i = 0; i < LOOKS && held < wanted; i++)
        if (look(wanted, &held, &given))
            break;
    return held;
}

/* Not counted as given: whoever looks holds the lock. */
static void put_down(uint64_t *lane, uint64_t bytes)
{
    uint64_t part = bytes < ASNAP_TRACED_LARGE ? bytes : ASNAP_TRACED_LARGE - 1;
    __atomic_fetch_add(lane, part, __ATOMIC_RELEASE);
    reserve += bytes - part;
}

/* Takes from the reserve what the lanes are not to have. All lanes were collected. */
static void hold_back(void)
{
    uint64_t limit = asnap_watch_limit(ASNAP_TABLE_WATCH_SIZE);
    uint64_t all = reserve + held_back;
    uint64_t peak = allocsnap_root.peak_bytes;
    uint64_t above = limit != 0 && peak > limit ? peak - limit : 0;
    held_back = above < all ? above : all;
    reserve = all - held_back;
}

/* All lanes and the reserve are empty, and so many bytes more are wanted. */
static void pass_on(uint64_t missing, uint64_t bytes)
{
    uint64_t back = missing < held_back ? missing : held_back;
    held_back -= back;
    if (back < missing)
        __atomic_store_n(&allocsnap_root.peak_bytes, allocsnap_root.peak_bytes + (missing - back),
                         __ATOMIC_RELEASE);
    uint64_t limit = asnap_watch_limit(ASNAP_TABLE_WATCH_SIZE);
    uint64_t traced = allocsnap_root.peak_bytes - held_back;
    if (limit != 0 && traced > limit) {
        asnap_watch_reach(ASNAP_TABLE_WATCH_SIZE, traced, bytes);
        hold_back();
    }
}

void asnap_traced_take_slowly(uint64_t *lane, uint64_t bytes)
{
    asnap_lock(&peak_lock);
    uint64_t held = collect(bytes);
    if (held < bytes) {
        pass_on(bytes - held, bytes);
        held = bytes;
    }
    if (held > bytes)
        put_down(lane, held - bytes);
    asnap_unlock(&peak_lock);
}

void asnap_traced_renew_limit(void)
{
    asnap_lock(&peak_lock);
    reserve = collect(UINT64_MAX);
    hold_back();
    asnap_unlock(&peak_lock);
}

void asnap_traced_give_reserve(uint64_t bytes)
{
    asnap_lock(&peak_lock);
    reserve += bytes;
    asnap_unlock(&peak_lock);
}

void asnap_traced_spill(uint64_t *lane)
{
    asnap_lock(&peak_lock);
    reserve += drain(lane);
    asnap_unlock(&peak_lock);
}

void asnap_traced_reset_peak(void)
{
    asnap_lock(&peak_lock);
    uint64_t held = collect(UINT64_MAX);
    __atomic_store_n(&allocsnap_root.peak_bytes, allocsnap_root.peak_bytes - held - held_back,
                     __ATOMIC_RELEASE);
    held_back = 0;
    asnap_unlock(&peak_lock);
}

/* Where one lock is mended, its holder has taken or given something that is in no account, and
 * others may have: the peak can only come too soon until all are. */
void asnap_traced_mend(const uint32_t *only, uint64_t size)
{
    if (only == NULL) {
        for (uint32_t i = 0; i < lanes_in_use(); i++)
            drain(&asnap_traced_lanes[i].word);
        if (allocsnap_root.peak_bytes < size)
            allocsnap_root.peak_bytes = size;
        reserve = allocsnap_root.peak_bytes - size;
        held_back = 0;
        hold_back();
    }
    if (asnap_lock_is_orphan(&peak_lock, only))
        __atomic_store_n(&peak_lock, 0, __ATOMIC_RELEASE);
}
