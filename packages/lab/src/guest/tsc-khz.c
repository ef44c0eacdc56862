/*
 * `tsc-khz`: prints how often a millisecond this machine's time stamp counter counts. QEMU's emulation shows guests the counter as it is, and a guest that
 * is told need not measure it.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

/* Both clocks at one moment: of many readings the one that was interrupted least. */
static void read_both(uint64_t *ticks, uint64_t *nanoseconds) {
	uint64_t least = UINT64_MAX;
	for (int times = 0; times < 100; times++) {
		struct timespec now;
		uint64_t before = __rdtsc();
		clock_gettime(CLOCK_MONOTONIC, &now);
		uint64_t took = __rdtsc() - before;
		if (took >= least) continue;
		least = took;
		*ticks = before + took / 2;
		*nanoseconds = now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
	}
}

int main(void) {
	uint64_t ticks = 0, later_ticks = 0, start = 0, end = 0;
	read_both(&ticks, &start);
	nanosleep(&(struct timespec){0, 20000000}, NULL);
	read_both(&later_ticks, &end);
	printf("%llu\n", (unsigned long long)((later_ticks - ticks) * 1000000 / (end - start)));
}
