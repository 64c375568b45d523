#include "number_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* printf writes the decimal point of the locale, which may be several bytes. */
static void use_point(char *number)
{
    static const char digits[] = "0123456789";
    char *point = number + strspn(number, "+-0123456789");
    if (*point == '\0' || *point == ' ' || *point == 'e')
        return;
    char *fraction = point + strcspn(point, digits);
    *point = '.';
    memmove(point + 1, fraction, strlen(fraction) + 1);
}

/* tracemalloc._format_size, to the letter. */
static void format_size(double size, bool sign, char buffer[ASNAP_NUMBER_SIZE])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    size_t last = sizeof(units) / sizeof(units[0]) - 1;
    while (unit < last && fabs(size) >= 10.0 * 1024) {
        size /= 1024;
        unit++;
    }
    int decimals = unit != 0 && fabs(size) < 100 ? 1 : 0;
    snprintf(buffer, ASNAP_NUMBER_SIZE, sign ? "%+.*f %s" : "%.*f %s", decimals, size, units[unit]);
    use_point(buffer);
}

void asnap_format_size(int64_t size, bool sign, char *buffer, size_t buffer_size)
{
    char text[ASNAP_NUMBER_SIZE];
    format_size((double)size, sign, text);
    snprintf(buffer, buffer_size, "%s", text);
}

void asnap_format_average(uint64_t size, uint64_t count, char buffer[ASNAP_NUMBER_SIZE])
{
    format_size((double)size / (double)count, false, buffer);
}

void asnap_format_percent(double percent, char buffer[ASNAP_NUMBER_SIZE])
{
    if (percent >= 0.95)
        snprintf(buffer, ASNAP_NUMBER_SIZE, "%.0f", percent);
    else
        snprintf(buffer, ASNAP_NUMBER_SIZE, "%.1f", percent);
    use_point(buffer);
    strncat(buffer, "%", ASNAP_NUMBER_SIZE - strlen(buffer) - 1);
}

void asnap_format_ratio(uint64_t size, uint64_t count, char buffer[ASNAP_NUMBER_SIZE])
{
    if (size % count == 0) {
        snprintf(buffer, ASNAP_NUMBER_SIZE, "%" PRIu64, size / count);
        return;
    }
    double ratio = (double)size / (double)count;
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(buffer, ASNAP_NUMBER_SIZE, "%.*g", precision, ratio);
        if (strtod(buffer, NULL) == ratio)
            break;
    }
    use_point(buffer);
}
