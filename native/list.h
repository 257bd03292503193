#ifndef FPSTACK_LIST_H
#define FPSTACK_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* A ring of nodes inside the structures they tie together; a node alone points at itself. */
struct node {
	struct node *next, *previous;
};

#define owner_of(node, type, member) ((type *)((char *)(node) - offsetof(type, member)))

static inline void list_init(struct node *node)
{
	node->next = node->previous = node;
}

static inline bool list_empty(const struct node *head)
{
	return head->next == head;
}

static inline void list_add(struct node *head, struct node *node)
{
	node->next = head->next;
	node->previous = head;
	head->next->previous = node;
	head->next = node;
}

/* Harmless for a node that is in no list. */
static inline void list_remove(struct node *node)
{
	node->previous->next = node->next;
	node->next->previous = node->previous;
	list_init(node);
}

#endif
