/* Which blocks a sample takes, what they stand for, and whether estimates and their stated errors
 * are what they claim to be, over many samples of heaps that are known. */
#include <math.h>
#include <string.h>

#include "allocsnap.h"
#include "own_table.h"
#include "root.h"
#include "sampler.h"
#include "unit.h"

enum {
    MODE = 7,
    PERIOD = 4096,
};

static void begin(uint64_t seed, uint64_t period)
{
    asnap_sampler_forget();
    asnap_sampler_seed(seed, true);
    allocsnap_root.applied.sample_period = period;
}

static void end(void)
{
    asnap_sampler_forget();
    own_table_open();
}

static double chance_of(uint64_t size, uint64_t period)
{
    return -expm1(-(double)(size == 0 ? 1 : size) / (double)period);
}

/* ---- which blocks ---- */

/* How many of `count` blocks of a size are taken, as standard deviations from what is expected. */
static double deviation(uint64_t size, uint64_t period, uint64_t count)
{
    uint64_t taken = 0;
    for (uint64_t i = 0; i < count; i++)
        taken += asnap_sampler_take(size, MODE) == ASNAP_SAMPLED;
    double chance = chance_of(size, period);
    double spread = sqrt((double)count * chance * (1 - chance));
    return ((double)taken - (double)count * chance) / (spread > 0 ? spread : 1);
}

ASNAP_TEST(sampler, takes_a_block_as_often_as_its_size_says)
{
    static const uint64_t sizes[] = {0, 1, 2, 16, 100, 2048, 4095, 4096, 8192, 40960, 1 << 20};
    begin(1, PERIOD);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        CU_ASSERT(fabs(deviation(sizes[i], PERIOD, 2000000)) < 4);
    /* A period of one byte takes all but the smallest, and the largest one hardly any. */
    begin(2, 1);
    CU_ASSERT(fabs(deviation(1, 1, 2000000)) < 4);
    CU_ASSERT_EQUAL(asnap_sampler_take(UINT64_MAX, MODE), ASNAP_SAMPLED);
    begin(3, ASNAP_SAMPLE_PERIOD_MAX);
    CU_ASSERT_EQUAL(deviation(0, ASNAP_SAMPLE_PERIOD_MAX, 1000) < 1, true);
    CU_ASSERT(fabs(deviation(UINT64_C(1) << 39, ASNAP_SAMPLE_PERIOD_MAX, 100000)) < 4);
    end();
}

/* Whether a block is taken tells nothing of the next. */
ASNAP_TEST(sampler, takes_blocks_independently)
{
    enum { COUNT = 1000000, SIZE = PERIOD };
    bool last = false;
    uint64_t after_taken[2] = {0};
    uint64_t taken[2] = {0};
    begin(4, PERIOD);
    for (int i = 0; i < COUNT; i++) {
        bool now = asnap_sampler_take(SIZE, MODE) == ASNAP_SAMPLED;
        after_taken[last]++;
        taken[last] += now;
        last = now;
    }
    double chance = chance_of(SIZE, PERIOD);
    for (int i = 0; i < 2; i++) {
        double n = (double)after_taken[i];
        CU_ASSERT(fabs((double)taken[i] - n * chance) < 4 * sqrt(n * chance * (1 - chance)));
    }
    end();
}

ASNAP_TEST(sampler, begins_again_with_another_sample)
{
    begin(5, ASNAP_SAMPLE_PERIOD_MAX);
    CU_ASSERT_EQUAL(asnap_sampler_take(1, MODE), ASNAP_NOT_SAMPLED);
    CU_ASSERT(asnap_sampler.left > PERIOD * 1000u);
    allocsnap_root.applied.sample_period = PERIOD;
    CU_ASSERT(fabs(deviation(PERIOD, PERIOD, 1)) < 100);
    CU_ASSERT_EQUAL(asnap_sampler_take(1000 * PERIOD, MODE + 1), ASNAP_SAMPLED);
    CU_ASSERT(asnap_sampler.left < PERIOD * 50u);
    end();
}

static bool same_choice(uint64_t first_seed, uint64_t second_seed, bool is_same_thread)
{
    enum { COUNT = 1000 };
    static bool taken[COUNT];
    bool same = true;
    begin(first_seed, PERIOD);
    for (int i = 0; i < COUNT; i++)
        taken[i] = asnap_sampler_take(500, MODE) == ASNAP_SAMPLED;
    if (is_same_thread)
        begin(second_seed, PERIOD);
    else
        asnap_sampler_forget();
    for (int i = 0; i < COUNT; i++)
        same = same && taken[i] == (asnap_sampler_take(500, MODE) == ASNAP_SAMPLED);
    end();
    return same;
}

/* As a forked child's only thread, each new thread has numbers of its own. */
ASNAP_TEST(sampler, threads_and_seeds_have_numbers_of_their_own)
{
    CU_ASSERT_FALSE(same_choice(6, 7, true));
    CU_ASSERT_FALSE(same_choice(6, 6, false));
}

/* What nothing was asked of is told from what was asked and not taken. */
ASNAP_TEST(sampler, notes_the_next_block_while_it_holds)
{
    begin(8, ASNAP_SAMPLE_PERIOD_MAX);
    CU_ASSERT_EQUAL(asnap_sampler_take(1, MODE), ASNAP_NOT_SAMPLED);
    uint64_t left = asnap_sampler.left;
    asnap_sampler_hold();
    CU_ASSERT_FALSE(asnap_sampler_passes(1, MODE));
    CU_ASSERT_EQUAL(asnap_sampler_decide(1, MODE), ASNAP_ONLY_NOTED);
    CU_ASSERT_EQUAL(asnap_sampler.left, left - 1);
    CU_ASSERT_EQUAL(asnap_sampler_take(1, MODE), ASNAP_NOT_SAMPLED);
    asnap_sampler_hold();
    CU_ASSERT_EQUAL(asnap_sampler_decide(UINT64_C(1) << 46, MODE), ASNAP_SAMPLED);
    asnap_sampler_hold();
    asnap_sampler_release();
    CU_ASSERT_EQUAL(asnap_sampler_take(1, MODE), ASNAP_NOT_SAMPLED);
    asnap_sampler_release();
    end();
}

/* ---- what they stand for ---- */

static bool is_near(double number, double wanted, double tolerance)
{
    return fabs(number - wanted) <= tolerance;
}

ASNAP_TEST(sampler, weighs_blocks_by_the_inverse_of_their_chance)
{
    static const uint64_t periods[] = {1, 2, 3, 1000, 4096, 524288, 1000003, (UINT64_C(1) << 40)};
    for (size_t i = 0; i < sizeof(periods) / sizeof(periods[0]); i++) {
        uint64_t period = periods[i];
        for (double factor = 1e-9; factor < 100; factor *= 1.1) {
            uint64_t size = (uint64_t)(factor * (double)period);
            struct asnap_sample_weight weight = asnap_sample_weight(size, period);
            double wanted = 1 / chance_of(size, period);
            CU_ASSERT(is_near((double)weight.count / 65536, wanted, 2e-5 + wanted * 1e-6));
            CU_ASSERT(is_near((double)weight.size, (double)size * wanted,
                              1 + (double)size * wanted * 1e-6));
        }
    }
    CU_ASSERT_EQUAL(asnap_sample_weight(UINT64_C(1) << 56, 1).size, UINT64_C(1) << 56);
    CU_ASSERT_EQUAL(asnap_sample_weight(0, 4096).size, 0);
}

/* ---- estimates over many samples ---- */

/* A heap that is known: lines with blocks of some sizes, of which some are freed again. */
struct line {
    uint64_t sizes[3];
    uint32_t count; /* blocks of each size that stay; as many are freed */
};

static const struct line lines[] = {
    {{16, 24, 100}, 4000},         /* far below the period */
    {{1000, 2000, 3000}, 200},     /* below it */
    {{4000, 4096, 5000}, 100},     /* around it */
    {{16, 4096, 100000}, 120},     /* mixed: an average size would be biased */
    {{20000, 50000, 1000000}, 20}, /* far above */
    {{0, 0, 1}, 20000},            /* empty ones count as blocks */
};

enum { LINES = sizeof(lines) / sizeof(lines[0]), SIZES = 3, THREADS = 4, RUNS = 1000 };

static uint64_t true_size(size_t line)
{
    uint64_t size = 0;
    for (size_t i = 0; i < SIZES; i++)
        size += lines[line].sizes[i] * lines[line].count;
    return size;
}

static uint64_t true_count(size_t line)
{
    return (uint64_t)lines[line].count * SIZES;
}

/* Adds the blocks that a sample of the heap has, allocated by threads in turns. */
static void add_sample(struct asnap_builder *builder, const uint32_t *tracebacks)
{
    struct asnap_sampler threads[THREADS] = {0};
    uint64_t address = 0x1000;
    uint32_t next = 0;
    for (uint32_t line = 0; line < LINES; line++) {
        for (uint32_t i = 0; i < 2 * SIZES * lines[line].count; i++) {
            uint64_t size = lines[line].sizes[i % SIZES];
            bool stays = i / SIZES % 2 == 0;
            /* Each thread counts for itself. */
            asnap_sampler = threads[next];
            bool taken = asnap_sampler_take(size, MODE) == ASNAP_SAMPLED;
            threads[next] = asnap_sampler;
            next = (next + 1) % THREADS;
            const struct asnap_trace trace = {
                .address = address, .size = size, .traceback_id = tracebacks[line]};
            address += size + 1;
            if (taken && stays)
                ASNAP_ASSERT_OK(asnap_builder_traces(builder, &trace, 1));
        }
    }
}

static struct asnap_snapshot *sample(uint64_t seed)
{
    struct asnap_builder *builder = NULL;
    struct asnap_snapshot *snapshot = NULL;
    uint32_t tracebacks[LINES];
    begin(seed, PERIOD);
    ASNAP_ASSERT_OK(asnap_builder_create(&builder));
    ASNAP_ASSERT_OK(asnap_builder_sample_period(builder, PERIOD));
    for (uint32_t line = 0; line < LINES; line++) {
        const struct asnap_frame frame = {.filename = "a.c", .lineno = line + 1};
        uint32_t id = 0;
        ASNAP_ASSERT_OK(asnap_builder_frame(builder, &frame, 0, ASNAP_NO_MAPPING, &id));
        ASNAP_ASSERT_OK(asnap_builder_traceback(builder, &id, 1, 1, &tracebacks[line]));
    }
    add_sample(builder, tracebacks);
    ASNAP_ASSERT_OK(asnap_builder_finish(builder, 1, &snapshot));
    asnap_builder_destroy(builder);
    return snapshot;
}

/* One estimated number, over all runs. */
struct watched {
    double truth;
    double sum;
    double squares;
    int covered; /* runs in which the truth was within two stated errors */
};

static void watch(struct watched *watched, double estimate, double error)
{
    double off = estimate - watched->truth;
    watched->sum += off;
    watched->squares += off * off;
    watched->covered += fabs(off) <= 2 * error;
}

static void expect_unbiased(const struct watched *watched)
{
    const double runs = RUNS;
    double mean = watched->sum / runs;
    double variance = watched->squares / runs - mean * mean;
    CU_ASSERT(fabs(mean) <= 3 * sqrt(variance / runs));
}

/* The numbers of one run. */
static void watch_run(uint64_t seed, struct watched *sizes, struct watched *counts)
{
    struct asnap_snapshot *snapshot = sample(seed);
    struct asnap_statistics *statistics = NULL;
    bool seen[LINES + 1] = {false};
    ASNAP_ASSERT_OK(asnap_statistics_create(snapshot, ASNAP_KEY_LINENO, false, &statistics));
    for (size_t i = 0; i < asnap_statistics_count(statistics); i++) {
        uint32_t line = asnap_statistics_frame(statistics, i, 0).lineno - 1;
        struct asnap_estimate estimate = asnap_statistics_estimate(statistics, i);
        struct asnap_statistic row = asnap_statistics_row(statistics, i);
        CU_ASSERT_EQUAL(row.size, estimate.size);
        CU_ASSERT_EQUAL(row.count, (uint64_t)floor(estimate.count + 0.5));
        watch(&sizes[line], (double)estimate.size, estimate.size_error);
        watch(&counts[line], estimate.count, estimate.count_error);
        seen[line] = true;
    }
    /* What nothing was sampled of has no row. */
    for (size_t i = 0; i < LINES; i++) {
        if (seen[i])
            continue;
        watch(&sizes[i], 0, 0);
        watch(&counts[i], 0, 0);
    }
    struct asnap_estimate total = asnap_statistics_total_estimate(statistics);
    CU_ASSERT_EQUAL(asnap_statistics_total_size(statistics), total.size);
    watch(&sizes[LINES], (double)total.size, total.size_error);
    watch(&counts[LINES], total.count, total.count_error);
    asnap_statistics_destroy(statistics);
    asnap_snapshot_destroy(snapshot);
}

ASNAP_TEST(sampler, estimates_are_right_on_average_and_err_as_stated)
{
    struct watched sizes[LINES + 1] = {0};
    struct watched counts[LINES + 1] = {0};
    for (size_t i = 0; i < LINES; i++) {
        sizes[i].truth = (double)true_size(i);
        counts[i].truth = (double)true_count(i);
        sizes[LINES].truth += sizes[i].truth;
        counts[LINES].truth += counts[i].truth;
    }
    for (uint64_t seed = 0; seed < RUNS; seed++)
        watch_run(seed, sizes, counts);
    for (size_t i = 0; i <= LINES; i++) {
        expect_unbiased(&sizes[i]);
        expect_unbiased(&counts[i]);
    }
    /* Of the lines of which tens of blocks are sampled, and of all together. */
    CU_ASSERT(sizes[0].covered >= RUNS * 93 / 100 && sizes[0].covered <= RUNS * 97 / 100);
    CU_ASSERT(counts[0].covered >= RUNS * 93 / 100 && counts[0].covered <= RUNS * 97 / 100);
    CU_ASSERT(sizes[1].covered >= RUNS * 93 / 100 && sizes[1].covered <= RUNS * 97 / 100);
    CU_ASSERT(sizes[2].covered >= RUNS * 93 / 100 && sizes[2].covered <= RUNS * 97 / 100);
    CU_ASSERT(sizes[LINES].covered >= RUNS * 93 / 100 && sizes[LINES].covered <= RUNS * 97 / 100);
    end();
}
