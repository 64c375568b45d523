/* Numbers as text, the same in every locale. */
#ifndef ASNAP_RENDER_NUMBER_TEXT_H
#define ASNAP_RENDER_NUMBER_TEXT_H

#include "allocsnap.h"

/* Enough for any number here. */
#define ASNAP_NUMBER_SIZE 40

/* "6%", below one percent "0.3%". */
void asnap_format_percent(double percent, char buffer[ASNAP_NUMBER_SIZE]);

/* As asnap_format_size, of the average size of `count` blocks; `count` is not 0. */
void asnap_format_average(uint64_t size, uint64_t count, char buffer[ASNAP_NUMBER_SIZE]);

/* size / count as a JSON number: an integer where it is one, else the shortest
 * number that reads back as the same double, as Python writes it. */
void asnap_format_ratio(uint64_t size, uint64_t count, char buffer[ASNAP_NUMBER_SIZE]);

#endif
