/* SPDX-License-Identifier: BSD-2-Clause */
/* A Backend's words besides its endpoints: fields and annotations with one value each. */
#include <string.h>

#include "manifest/annotations.h"
#include "model/backend.h"
#include "model/mode.h"

enum app_protocol backend_app(const struct object *o)
{
	const struct node *list = node_at(o->res.root, "spec.appProtocols");
	enum app_protocol app = APP_HTTP1;

	for (size_t i = 0; i < node_count(list); i++) {
		if (strcmp(node_item(list, i)->text, "gateway.envoyproxy.io/h2c") == 0)
			app = APP_H2C;
	}
	return app;
}

bool backend_resets(const struct object *o)
{
	return strcmp(annotation_value(o->res.root, ANNOTATION_ON_REMOVAL), "reset") == 0;
}

void backend_read_words(struct backend *b)
{
	const struct node *root = b->object->res.root;
	const char *tier = annotation_value(root, ANNOTATION_TIER);

	b->tier = node_bool_at(root, "spec.fallback", false) ? 1 : 0;
	if (tier)
		b->tier = (uint8_t)(tier[0] - '0');
	b->dynamic = strcmp(node_text_at(root, "spec.type", "Endpoints"), "DynamicResolver") == 0;
	b->reset_on_removal = backend_resets(b->object);
	b->mode = mode_of_word(annotation_value(root, ANNOTATION_FORWARDING));
	b->xdp_names = strcmp(annotation_value(root, ANNOTATION_FQDN_PATH), "xdp") == 0;
	b->udp_replies = strcmp(annotation_value(root, ANNOTATION_UDP_REPLIES), "expected") == 0;
	b->app = backend_app(b->object);
}
