#include "asked.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static void answer(const char *line, const struct asked_row *rows, size_t count, void *data)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(line, rows[i].name) == 0) {
			rows[i].run(data);
			return;
		}
	printf("{\"error\": \"one of these was expected:");
	for (size_t i = 0; i < count; i++)
		printf(" %s", rows[i].name);
	printf("\"}\n");
	fflush(stdout);
}

bool asked_read(struct asked *asked, const struct asked_row *rows, size_t count, void *data)
{
	char bytes[64];
	ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
	for (ssize_t i = 0; i < got; i++) {
		if (bytes[i] == '\n') {
			asked->line[asked->len] = '\0';
			asked->len = 0;
			answer(asked->line, rows, count, data);
		} else if (asked->len < sizeof asked->line - 1) {
			asked->line[asked->len++] = bytes[i];
		}
	}
	return got > 0;
}

bool asked_watch(int epoll)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
	return epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event) == 0;
}
