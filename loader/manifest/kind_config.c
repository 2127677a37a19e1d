/* SPDX-License-Identifier: BSD-2-Clause */
/* ConfigMap and Secret of the core group. Their values are checked in config.c. */
#include "manifest/fields.h"

const struct field configmap_fields[] = {
	ROW_ENVELOPE,
	{.name = "binaryData",
	 .type = FIELD_MAP,
	 .item = &row_text,
	 .text = "Bytes by key, in base64. No key may be in data too.",
	 .acts = ACTS_NEVER},
	{.name = "data",
	 .type = FIELD_MAP,
	 .item = &row_text,
	 .text = "Texts by key; ca.crt holds the certificates of authorities.",
	 .acts = ACTS_USERSPACE},
	{.name = "immutable",
	 .type = FIELD_BOOL,
	 .text = "Once true, neither it nor data can be changed.",
	 .acts = ACTS_META},
	FIELD_END,
};

const struct field secret_fields[] = {
	ROW_ENVELOPE,
	{.name = "data",
	 .type = FIELD_MAP,
	 .item = &row_text,
	 .text = "Values by key, in base64: tls.crt and tls.key, or ca.crt.",
	 .acts = ACTS_USERSPACE},
	{.name = "immutable",
	 .type = FIELD_BOOL,
	 .text = "Once true, neither it nor data can be changed.",
	 .acts = ACTS_META},
	{.name = "stringData",
	 .type = FIELD_MAP,
	 .item = &row_text,
	 .text = "Values by key, as they are; laid over data when the Secret is stored.",
	 .acts = ACTS_USERSPACE},
	{.name = "type",
	 .type = FIELD_STRING,
	 .preset = "\"Opaque\"",
	 .text = "What it is for; kubernetes.io/tls must have tls.crt and tls.key.",
	 .acts = ACTS_META},
	FIELD_END,
};
