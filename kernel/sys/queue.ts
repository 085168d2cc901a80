// Linked lists of <sys/queue.h>: LIST (head of one word, elements know the
// address of the pointer to them) and TAILQ (head {first, last}, elements
// {next, prev}). As in C the links are fields of the element; `field` is their
// byte offset, normally offsetof<T>("xx_list") of the first link word.
//
//   LIST head:   first@0              element: le_next@field, le_prev@field+4
//   TAILQ head:  tqh_first@0 last@4   element: tqe_next@field, tqe_prev@field+4
//
// le_prev, tqh_last and tqe_prev hold the address of a pointer, not of an element.
// Interrupt protection is the caller's.

export function LIST_INIT(head: usize): void {
  store<usize>(head, 0);
}

export function LIST_FIRST(head: usize): usize {
  return load<usize>(head);
}

export function LIST_NEXT(elm: usize, field: usize): usize {
  return load<usize>(elm + field);
}

export function LIST_INSERT_HEAD(head: usize, elm: usize, field: usize): void {
  const first = load<usize>(head);
  store<usize>(elm + field, first);
  if (first != 0) store<usize>(first + field + 4, elm + field);
  store<usize>(head, elm);
  store<usize>(elm + field + 4, head);
}

export function LIST_INSERT_AFTER(after: usize, elm: usize, field: usize): void {
  const next = load<usize>(after + field);
  store<usize>(elm + field, next);
  if (next != 0) store<usize>(next + field + 4, elm + field);
  store<usize>(after + field, elm);
  store<usize>(elm + field + 4, after + field);
}

export function LIST_REMOVE(elm: usize, field: usize): void {
  const next = load<usize>(elm + field);
  const prev = load<usize>(elm + field + 4);
  if (next != 0) store<usize>(next + field + 4, prev);
  store<usize>(prev, next);
}

export function TAILQ_INIT(head: usize): void {
  store<usize>(head, 0);
  store<usize>(head + 4, head);
}

export function TAILQ_FIRST(head: usize): usize {
  return load<usize>(head);
}

export function TAILQ_NEXT(elm: usize, field: usize): usize {
  return load<usize>(elm + field);
}

/** The element before `elm`, or 0; `tqe_prev` of the predecessor's link pair leads there as in C. */
export function TAILQ_PREV(elm: usize, field: usize): usize {
  const pair = load<usize>(elm + field + 4);
  return load<usize>(load<usize>(pair + 4));
}

export function TAILQ_LAST(head: usize): usize {
  const pair = load<usize>(head + 4);
  return load<usize>(load<usize>(pair + 4));
}

export function TAILQ_INSERT_HEAD(head: usize, elm: usize, field: usize): void {
  const first = load<usize>(head);
  store<usize>(elm + field, first);
  if (first != 0) store<usize>(first + field + 4, elm + field);
  else store<usize>(head + 4, elm + field);
  store<usize>(head, elm);
  store<usize>(elm + field + 4, head);
}

export function TAILQ_INSERT_TAIL(head: usize, elm: usize, field: usize): void {
  const last = load<usize>(head + 4);
  store<usize>(elm + field, 0);
  store<usize>(elm + field + 4, last);
  store<usize>(last, elm);
  store<usize>(head + 4, elm + field);
}

export function TAILQ_INSERT_BEFORE(before: usize, elm: usize, field: usize): void {
  const prev = load<usize>(before + field + 4);
  store<usize>(elm + field + 4, prev);
  store<usize>(elm + field, before);
  store<usize>(prev, elm);
  store<usize>(before + field + 4, elm + field);
}

export function TAILQ_REMOVE(head: usize, elm: usize, field: usize): void {
  const next = load<usize>(elm + field);
  const prev = load<usize>(elm + field + 4);
  if (next != 0) store<usize>(next + field + 4, prev);
  else store<usize>(head + 4, prev);
  store<usize>(prev, next);
}
