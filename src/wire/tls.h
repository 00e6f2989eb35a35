/*
 * TLS 1.3 between agent and hub, where the two ends have to fit (RFC 8446, appendix B.4).
 *
 * A hub holds a connection for each machine for days, idle but for heartbeats: what a cipher keeps
 * in memory counts, not how fast it is. AES-CCM and ChaCha20 do without the tables of AES-GCM; that
 * is 1.4 and 0.7 KiB less for each machine. OpenSSL does not offer CCM by itself.
 */
#ifndef WIRE_TLS_H
#define WIRE_TLS_H

/* What an agent offers its hub. */
#define WIRE_TLS_OFFERED                                                                           \
	"TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:"                  \
	"TLS_AES_128_CCM_SHA256"
/* What a hub takes, the first one that is offered. */
#define WIRE_TLS_PREFERRED                                                                         \
	"TLS_AES_128_CCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384:"                  \
	"TLS_AES_128_GCM_SHA256"

#endif
