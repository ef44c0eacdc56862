/*
 * `udp-echo PORT`: sends every datagram back to who sent it, over IPv4 and IPv6, from the address that it was sent to. None of the guest's other programs
 * answers more than one asker, or over IPv6.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

/* The longest that a datagram can be. */
static char data[65536];

int main(int argc, char **argv) {
	int on = 1, off = 0;
	struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_port = htons(argc > 1 ? atoi(argv[1]) : 0)};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) || setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on) ||
	    bind(fd, (struct sockaddr *)&own, sizeof own)) {
		perror("udp-echo");
		return 1;
	}
	for (;;) {
		struct sockaddr_in6 asker;
		union {
			char bytes[256];
			struct cmsghdr aligned;
		} control;
		struct iovec whole = {data, sizeof data};
		struct msghdr message = {&asker, sizeof asker, &whole, 1, &control, sizeof control, 0};
		ssize_t length = recvmsg(fd, &message, 0);
		if (length < 0) {
			perror("udp-echo");
			return 1;
		}
		/* The control data, as they came, name the address to answer from. */
		whole.iov_len = length;
		message.msg_flags = 0;
		sendmsg(fd, &message, 0);
	}
}
