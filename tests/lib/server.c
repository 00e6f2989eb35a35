#include "lib/server.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct job {
	struct server *server;
	int fd;
};

static void *work(void *argument)
{
	struct job job = *(struct job *)argument;
	free(argument);
	job.server->serve(job.server, job.fd);
	shutdown(job.fd, SHUT_RDWR);
	return NULL;
}

static void *accept_loop(void *argument)
{
	struct server *server = argument;
	while (server->count < SERVER_MAX_CONNECTIONS) {
		int fd = accept(server->listener, NULL, NULL);
		if (fd < 0)
			break;
		struct job *job = xcalloc(1, sizeof *job);
		*job = (struct job){server, fd};
		server->fds[server->count] = fd;
		pthread_create(&server->workers[server->count++], NULL, work, job);
	}
	return NULL;
}

void server_start(struct server *server, void (*serve)(struct server *server, int fd), void *data)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	signal(SIGPIPE, SIG_IGN); /* a peer that has gone is no end of the test */
	*server = (struct server){.serve = serve, .data = data};
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(server->listener, (struct sockaddr *)&address, len) || listen(server->listener, 16) ||
		getsockname(server->listener, (struct sockaddr *)&address, &len))
		abort();
	server->port = ntohs(address.sin_port);
	pthread_create(&server->thread, NULL, accept_loop, server);
}

void server_stop(struct server *server)
{
	shutdown(server->listener, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	for (size_t i = 0; i < server->count; i++)
		shutdown(server->fds[i], SHUT_RDWR);
	for (size_t i = 0; i < server->count; i++) {
		pthread_join(server->workers[i], NULL);
		close(server->fds[i]);
	}
	close(server->listener);
}

SSL *server_tls(int fd, const struct cert *leaf, const struct cert *const *sent)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(context, leaf->x509);
	SSL_CTX_use_PrivateKey(context, leaf->key);
	for (; sent && *sent; sent++)
		SSL_CTX_add1_chain_cert(context, (*sent)->x509);
	SSL *ssl = SSL_new(context);
	SSL_CTX_free(context);
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1)
		return ssl;
	SSL_free(ssl);
	return NULL;
}

size_t server_request(SSL *ssl, char *text, size_t size)
{
	size_t len = 0;
	while (len + 1 < size && SSL_read(ssl, text + len, 1) == 1) {
		text[++len] = '\0';
		if (len >= 4 && strcmp(text + len - 4, "\r\n\r\n") == 0)
			return len;
	}
	return 0;
}

void server_say(SSL *ssl, const char *text)
{
	SSL_write(ssl, text, (int)strlen(text));
}
