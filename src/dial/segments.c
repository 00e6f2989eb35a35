/* What the system's TCP can tell of a connection (TCP_INFO), beyond what it delivers. */
#include "dial/transfer.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

int segments_look(const struct walker *walker, struct segments *segments)
{
	int fd = walker->walk->conn ? conn_fd(walker->walk->conn)
			 : walker->transfer ? walker->transfer->fd
								: -1;
	struct tcp_info info = {0};
	socklen_t len = sizeof info;
	*segments = (struct segments){.acknowledged = false};
	if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) ||
		len < offsetof(struct tcp_info, tcpi_rcv_ooopack) + sizeof info.tcpi_rcv_ooopack)
		return -1;
	/* These outlive a reset. The SYN is acknowledged like a byte, and is none. */
	uint64_t sent = info.tcpi_bytes_sent - info.tcpi_bytes_retrans + info.tcpi_notsent_bytes;
	segments->acknowledged = info.tcpi_bytes_acked + walker->alert_size > sent;
	segments->overtaken = info.tcpi_rcv_ooopack > 0;
	segments->mss = info.tcpi_snd_mss;
	segments->retransmits = info.tcpi_total_retrans;
	segments->rtt_ms = info.tcpi_rtt / 1000.0;
	return 0;
}

void segments_evidence(const struct walker *walker, struct evidence *evidence)
{
	struct segments seen;
	if (segments_look(walker, &seen))
		return;
	evidence_add(evidence, "clienthello-size", "%zu bytes", walker->hello_size);
	evidence_add(evidence, "clienthello-acknowledged", "%s%s", seen.acknowledged ? "yes" : "no",
		walker->via_proxy ? " (by the proxy)" : "");
	if (seen.overtaken)
		evidence_add(evidence, "gap", "later segments came back, an earlier one never did");
	if (seen.retransmits)
		evidence_add(evidence, "retransmits", "%u", seen.retransmits);
	evidence_add(evidence, "mss", "%u", seen.mss);
	evidence_add(evidence, "rtt-ms", "%.1f", seen.rtt_ms);
}
