/* A length of time in the words of a log: "850 ms", "12.4 s", "3 min 20 s", "2 h 5 min", "4 d 1 h".
 */
#ifndef AGENT_DURATION_H
#define AGENT_DURATION_H

#include <stdint.h>

#define DURATION_TEXT_SIZE 48

/* Into text, which is returned. */
const char *duration_words(int64_t ms, char text[DURATION_TEXT_SIZE]);

#endif
