/* Reads SIP messages as baresip does, with libre: each is length (4 bytes, highest first) and bytes on stdin, and
 * becomes a line of name=hex on stdout. A message that libre cannot read is `fault=` with its error number in hex. */
#define HAVE_INTTYPES_H 1
#define HAVE_STDBOOL_H 1
#define HAVE_INET6 1
#include <stdbool.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <re.h>

static void put(const char *name, const char *bytes, size_t length)
{
	if (!bytes || !length)
		return;
	printf("%s=", name);
	for (size_t i = 0; i < length; i++)
		printf("%02x", (unsigned char)bytes[i]);
	putchar(' ');
}

static void put_pl(const char *name, const struct pl *pl)
{
	put(name, pl->p, pl->l);
}

static void put_text(const char *name, const char *text)
{
	put(name, text, strlen(text));
}

static void put_number(const char *name, unsigned long number)
{
	char text[32];
	snprintf(text, sizeof(text), "%lu", number);
	put_text(name, text);
}

/* The address in a header of this name, when there is one. */
static void put_address(const char *name, const struct sip_hdr *hdr)
{
	struct sip_addr addr;
	if (!hdr)
		return;
	if (!pl_strcmp(&hdr->val, "*"))
		put_text(name, "*");
	else if (sip_addr_decode(&addr, &hdr->val))
		put_text(name, "(unreadable)");
	else
		put_pl(name, &addr.auri);
}

static const char *const addresses[] = {"P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID",
					"Diversion", "Refer-To", "Referred-By", "Reply-To"};

static const char *direction(enum sdp_dir dir)
{
	switch (dir) {
	case SDP_INACTIVE: return "inactive";
	case SDP_RECVONLY: return "recvonly";
	case SDP_SENDONLY: return "sendonly";
	default: return "sendrecv";
	}
}

/* Where the first audio stream is, and what it may do, as its writer says it (libre turns it round). */
static void put_sdp(struct mbuf *mb)
{
	struct sdp_session *session = NULL;
	struct sdp_media *audio = NULL;
	struct sa ours;
	char text[128];

	sa_set_str(&ours, "192.0.2.200", 9);
	if (sdp_session_alloc(&session, &ours))
		return;
	if (!sdp_media_add(&audio, session, "audio", 4000, "RTP/AVP") &&
	    !sdp_format_add(NULL, audio, false, "8", "PCMA", 8000, 1, NULL, NULL, NULL, false, NULL) &&
	    !sdp_format_add(NULL, audio, false, "0", "PCMU", 8000, 1, NULL, NULL, NULL, false, NULL)) {
		if (!sdp_decode(session, mb, true)) {
			re_snprintf(text, sizeof(text), "%J %s", sdp_media_raddr(audio),
				    direction(sdp_media_rdir(audio)));
			put_text("audio", text);
		}
	}
	mem_deref(session);
}

static void read_message(uint8_t *bytes, size_t length)
{
	struct sip_msg *msg = NULL;
	struct mbuf *mb = mbuf_alloc(length + 1);
	int fault;

	mbuf_write_mem(mb, bytes, length);
	mbuf_set_pos(mb, 0);
	fault = sip_msg_decode(&msg, mb);
	if (fault) {
		put_number("fault", (unsigned long)fault);
	}
	else {
		const struct sip_hdr *contact = sip_msg_hdr(msg, SIP_HDR_CONTACT);
		if (msg->req)
			put_pl("uri", &msg->ruri);
		else
			put_number("status", msg->scode);
		if (msg->req)
			put_pl("method", &msg->met);
		put_pl("from", &msg->from.auri);
		put_pl("from-tag", &msg->from.tag);
		put_pl("to", &msg->to.auri);
		put_pl("to-tag", &msg->to.tag);
		put_pl("call-id", &msg->callid);
		put_number("cseq", msg->cseq.num);
		put_pl("cseq-method", &msg->cseq.met);
		put_number("vias", sip_msg_hdr_count(msg, SIP_HDR_VIA));
		put_pl("branch", &msg->via.branch);
		put_address("contact", contact);
		put_pl("length", &msg->clen);
		put("body", (const char *)mbuf_buf(mb), mbuf_get_left(mb));
		for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++)
			put_address(addresses[i], sip_msg_xhdr(msg, addresses[i]));
		for (const struct le *le = list_head(&msg->hdrl); le; le = le->next)
			put_pl("name", &((const struct sip_hdr *)le->data)->name);
		if (msg_ctype_cmp(&msg->ctyp, "application", "sdp") && mbuf_get_left(mb))
			put_sdp(mb);
	}
	putchar('\n');
	mem_deref(msg);
	mem_deref(mb);
}

int main(void)
{
	uint8_t head[4];

	if (libre_init())
		return 1;
	while (fread(head, 1, 4, stdin) == 4) {
		size_t length = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
		uint8_t *bytes = length > 1 << 20 ? NULL : malloc(length + 1);
		if (!bytes || fread(bytes, 1, length, stdin) != length)
			return 1;
		read_message(bytes, length);
		free(bytes);
	}
	return fflush(stdout) != 0;
}
