/* The least that the common workload costs: the loop of an event kernel without an exchange.
 *
 * For each parameter set: entries at the closes of a list of crossings, stop-loss and take-profit found in a pyramid of
 * extremes (16, 256 and 4,096 bars), reversal at the next opposite crossing, one unit, a fee of the notional at each
 * fill. No orders, no margin, no decimals, no daily balances, no metrics: the net profit and the number of trades alone.
 * Built and timed by _bench_limit.py.
 */
#include <stdint.h>

typedef struct {
    const double *close, *low, *high;
    const double *low16, *high16, *low256, *high256, *low4096, *high4096;
    int64_t n;
} Market;

/* The first bar in [i, last) whose low reaches `below` or whose high reaches `above`, or `last`. */
static int64_t touched(const Market *m, int64_t i, int64_t last, double below, double above) {
    while (i < last) {
        if ((i & 15) == 0) {
            if ((i & 4095) == 0 && i + 4096 <= last && m->low4096[i >> 12] > below && m->high4096[i >> 12] < above) {
                i += 4096;
                continue;
            }
            if ((i & 255) == 0 && i + 256 <= last && m->low256[i >> 8] > below && m->high256[i >> 8] < above) {
                i += 256;
                continue;
            }
            if (i + 16 <= last && m->low16[i >> 4] > below && m->high16[i >> 4] < above) {
                i += 16;
                continue;
            }
        }
        if (m->low[i] <= below || m->high[i] >= above) return i;
        i++;
    }
    return last;
}

/* Run the sets of one pair of windows: `event_bar` in order, `event_side` +1 or -1; `stops` and `targets` one a set. */
void run_sets(const double *arrays[9], int64_t n, const int32_t *event_bar, const int8_t *event_side, int64_t n_events,
              const double *stops, const double *targets, int64_t n_sets, double fee, double *profit, int64_t *trades) {
    const Market m = {arrays[0], arrays[1], arrays[2], arrays[3], arrays[4],
                      arrays[5], arrays[6], arrays[7], arrays[8], n};
    for (int64_t j = 0; j < n_sets; j++) {
        double total = 0.0;
        int64_t count = 0, e = 0;
        while (e < n_events) {
            const int64_t bar = event_bar[e];
            const int side = event_side[e];
            const double entry = m.close[bar];
            const double stop = entry * (1.0 - side * stops[j]), target = entry * (1.0 + side * targets[j]);
            const double below = side > 0 ? stop : target, above = side > 0 ? target : stop;
            /* The crossing that reverses is the next one: crossings alternate. */
            const int64_t turn = e + 1 < n_events ? event_bar[e + 1] : n;
            const int64_t hit = touched(&m, bar + 1, turn < n ? turn + 1 : n, below, above);
            double exit;
            if (hit <= turn && hit < n) {
                exit = (side > 0) == (m.low[hit] <= below) ? stop : target;
                e++;
                /* A signal on the bar of a stop is dropped. */
                while (e < n_events && event_bar[e] <= hit) e++;
            } else {
                exit = turn < n ? m.close[turn] : m.close[n - 1];
                e++;
            }
            total += side * (exit - entry) - fee * (entry + exit);
            count++;
        }
        profit[j] = total;
        trades[j] = count;
    }
}
