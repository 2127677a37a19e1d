/* SPDX-License-Identifier: BSD-2-Clause */
/* The shape of human ages follows k8s.io/apimachinery/pkg/util/duration (HumanDuration). */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

#define MINUTE 60
#define HOUR   3600
#define DAY    86400
#define YEAR   (365 * DAY)

static uint64_t read_ns(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t clock_ms(void)
{
	return read_ns(CLOCK_MONOTONIC) / 1000000u;
}

uint64_t clock_coarse_ns(void)
{
	return read_ns(CLOCK_MONOTONIC_COARSE);
}

const char *clock_rfc3339(int64_t unix_s, char *buf)
{
	time_t t = (time_t)unix_s;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(buf, 24, "%Y-%m-%dT%H:%M:%SZ", &tm))
		buf[0] = '\0';
	return buf;
}

/* The larger unit, then the rest in the smaller one unless it is zero. */
static const char *two_units(char *buf, int64_t big, char big_unit, int64_t small, char small_unit)
{
	if (small)
		(void)snprintf(buf, 24, "%lld%c%lld%c", (long long)big, big_unit, (long long)small,
			       small_unit);
	else
		(void)snprintf(buf, 24, "%lld%c", (long long)big, big_unit);
	return buf;
}

const char *clock_human_age(int64_t s, char *buf)
{
	if (s < 0)
		s = 0;
	if (s < 2 * MINUTE)
		return two_units(buf, s, 's', 0, 0);
	if (s < 10 * MINUTE)
		return two_units(buf, s / MINUTE, 'm', s % MINUTE, 's');
	if (s < 3 * HOUR)
		return two_units(buf, s / MINUTE, 'm', 0, 0);
	if (s < 8 * HOUR)
		return two_units(buf, s / HOUR, 'h', s % HOUR / MINUTE, 'm');
	if (s < 2 * DAY)
		return two_units(buf, s / HOUR, 'h', 0, 0);
	if (s < 8 * DAY)
		return two_units(buf, s / DAY, 'd', s % DAY / HOUR, 'h');
	if (s < 2 * (int64_t)YEAR)
		return two_units(buf, s / DAY, 'd', 0, 0);
	if (s < 8 * (int64_t)YEAR)
		return two_units(buf, s / YEAR, 'y', s % YEAR / DAY, 'd');
	return two_units(buf, s / YEAR, 'y', 0, 0);
}
