// The grammar of the shell: tokens to trees (tree.ts), by recursive descent.
import { strcmp } from "../../../libkern";
import { is_space } from "../../lib/stdlib";
import { after_alias, expand_alias, forget_aliases } from "./aliases";
import {
  T_AND, T_APPEND, T_BACKGROUND, T_CASE_END, T_CLOBBER, T_CLOSE, T_DUP_IN, T_DUP_OUT, T_END, T_HERE, T_HERE_STRIP, T_IN, T_NEWLINE,
  T_OPEN, T_OR, T_OUT, T_PIPE, T_READWRITE, T_SEMICOLON, T_WORD, await_here_document, next_token, syntax_error, token,
} from "./lexer";
import { begin_command, source } from "./source";
import { SKIP_NONE, alloc, alloc_string, sh } from "./state";
import {
  N_AND, N_BACKGROUND, N_CASE, N_FOR, N_FUNCTION, N_GROUP, N_IF, N_NOT, N_OR, N_PIPE, N_SEQUENCE, N_SIMPLE, N_SUBSHELL,
  N_UNTIL, N_WHILE, Node, R_APPEND, R_CLOBBER, R_DUP_IN, R_DUP_OUT, R_HERE, R_IN, R_OUT, R_READWRITE, Redirection, Word,
} from "./tree";
import { name_length } from "./variables";

const NONE = changetype<Node>(0);
/** Most bytes of the text of a job. */
const MOST_TEXT: u32 = 200;

function new_node(kind: u32): Node {
  const node = changetype<Node>(alloc(offsetof<Node>()));
  node.kind = kind;
  return node;
}

function pair(kind: u32, left: Node, right: Node): Node {
  const node = new_node(kind);
  node.left = left;
  node.right = right;
  return node;
}

function is_word(text: usize): bool {
  return token.kind == T_WORD && token.quoted == 0 && strcmp(token.text, text) == 0;
}

function unexpected(): void {
  if (token.kind == T_END) syntax_error(cs("end of file unexpected"));
  else if (token.kind == T_NEWLINE) syntax_error(cs("newline unexpected"));
  else if (token.kind == T_WORD) syntax_error(cs("word unexpected"));
  else syntax_error(cs("operator unexpected"));
}

/** Takes the keyword or is a mistake. */
function expect_word(text: usize): void {
  if (is_word(text)) next_token();
  else unexpected();
}

function skip_newlines(): void {
  while (token.kind == T_NEWLINE && sh.skip == SKIP_NONE) next_token();
}

/** Whether the token ends a list of commands. */
function ends_list(): bool {
  if (sh.skip != SKIP_NONE || token.kind == T_END || token.kind == T_CLOSE || token.kind == T_CASE_END) return true;
  if (token.kind != T_WORD || token.quoted != 0) return false;
  return is_word(cs("then")) || is_word(cs("else")) || is_word(cs("elif")) || is_word(cs("fi")) || is_word(cs("do")) ||
    is_word(cs("done")) || is_word(cs("esac")) || is_word(cs("}"));
}

function redirection_kind(): u32 {
  switch (token.kind) {
    case T_IN: return R_IN;
    case T_OUT: return R_OUT;
    case T_CLOBBER: return R_CLOBBER;
    case T_APPEND: return R_APPEND;
    case T_READWRITE: return R_READWRITE;
    case T_DUP_IN: return R_DUP_IN;
    case T_DUP_OUT: return R_DUP_OUT;
    case T_HERE:
    case T_HERE_STRIP: return R_HERE;
    default: return 0;
  }
}

/** Removes the quotes of a here-document's delimiter, in place. */
function unquote(text: usize): void {
  let to = text;
  for (; load<u8>(text) != 0; text++) {
    const byte = load<u8>(text);
    if (byte != 0x27 && byte != 0x22 && byte != 0x5c) store<u8>(to++, byte);
  }
  store<u8>(to, 0);
}

/** Parses redirections as long as there are any, behind those of `node`. */
function parse_redirections(node: Node): void {
  while (redirection_kind() != 0 && sh.skip == SKIP_NONE) {
    const made = changetype<Redirection>(alloc(offsetof<Redirection>()));
    made.kind = redirection_kind();
    const isInput = made.kind == R_IN || made.kind == R_READWRITE || made.kind == R_DUP_IN || made.kind == R_HERE;
    made.fd = token.fd >= 0 ? token.fd : isInput ? 0 : 1;
    made.strips = token.kind == T_HERE_STRIP ? 1 : 0;
    next_token();
    if (token.kind != T_WORD) {
      unexpected();
      return;
    }
    made.word = token.text;
    if (made.kind == R_HERE) {
      made.literal = token.quoted;
      if (token.quoted != 0) unquote(made.word);
      await_here_document(made);
    }
    next_token();
    if (changetype<usize>(node.redirections) == 0) node.redirections = made;
    else {
      let last = node.redirections;
      while (changetype<usize>(last.next) != 0) last = last.next;
      last.next = made;
    }
  }
}

/** Takes a word token; appends it to the list whose last word is `last`. Returns it. */
function take_word(last: Word): Word {
  const word = changetype<Word>(alloc(offsetof<Word>()));
  word.text = token.text;
  if (changetype<usize>(last) != 0) last.next = word;
  next_token();
  return word;
}

function is_assignment(text: usize): bool {
  const n = name_length(text);
  return n > 0 && load<u8>(text + n) == 0x3d;
}

/** name ( ) command: the body stays text, from here to where the parser stands after it. */
function parse_function(name: usize): Node {
  const node = new_node(N_FUNCTION);
  next_token();
  if (token.kind != T_CLOSE) unexpected();
  next_token();
  skip_newlines();
  const start = token.start;
  parse_command();
  const end = token.start;
  node.name = name;
  node.words = changetype<Word>(alloc_string(source().text + start, end - start));
  return node;
}

function parse_simple(): Node {
  const node = new_node(N_SIMPLE);
  let last_word = changetype<Word>(0);
  let last_assignment = changetype<Word>(0);
  while (sh.skip == SKIP_NONE) {
    parse_redirections(node);
    if (token.kind == T_OPEN && changetype<usize>(last_word) != 0 && last_word == node.words) {
      return parse_function(last_word.text);
    }
    const first = changetype<usize>(last_word) == 0;
    if (first || after_alias()) expand_alias();
    if (token.kind != T_WORD) {
      if (redirection_kind() != 0) continue;
      break;
    }
    if (first && is_assignment(token.text)) {
      last_assignment = take_word(last_assignment);
      if (changetype<usize>(node.assignments) == 0) node.assignments = last_assignment;
    } else {
      last_word = take_word(last_word);
      if (changetype<usize>(node.words) == 0) node.words = last_word;
    }
  }
  const isEmpty = changetype<usize>(node.words) == 0 && changetype<usize>(node.assignments) == 0 &&
    changetype<usize>(node.redirections) == 0;
  if (isEmpty) unexpected();
  return node;
}

function parse_if(): Node {
  const node = new_node(N_IF);
  next_token();
  node.left = parse_list();
  expect_word(cs("then"));
  node.right = parse_list();
  if (is_word(cs("elif"))) {
    node.third = parse_if();
    return node;
  }
  if (is_word(cs("else"))) {
    next_token();
    node.third = parse_list();
  }
  expect_word(cs("fi"));
  return node;
}

function parse_loop(kind: u32): Node {
  const node = new_node(kind);
  next_token();
  node.left = parse_list();
  expect_word(cs("do"));
  node.right = parse_list();
  expect_word(cs("done"));
  return node;
}

function parse_for(): Node {
  const node = new_node(N_FOR);
  next_token();
  if (token.kind != T_WORD) unexpected();
  node.name = token.text;
  next_token();
  skip_newlines();
  node.third = node;
  if (is_word(cs("in"))) {
    node.third = NONE;
    next_token();
    let last = changetype<Word>(0);
    while (token.kind == T_WORD && sh.skip == SKIP_NONE) {
      last = take_word(last);
      if (changetype<usize>(node.words) == 0) node.words = last;
    }
  }
  if (token.kind == T_SEMICOLON) next_token();
  skip_newlines();
  expect_word(cs("do"));
  node.right = parse_list();
  expect_word(cs("done"));
  return node;
}

/** One `pattern | pattern) commands ;;`. */
function parse_case_item(): Node {
  const item = new_node(N_CASE);
  if (token.kind == T_OPEN) next_token();
  let last = changetype<Word>(0);
  while (true) {
    if (token.kind != T_WORD) {
      unexpected();
      return item;
    }
    last = take_word(last);
    if (changetype<usize>(item.words) == 0) item.words = last;
    if (token.kind != T_PIPE) break;
    next_token();
  }
  if (token.kind != T_CLOSE) unexpected();
  next_token();
  item.right = parse_list();
  if (token.kind == T_CASE_END) next_token();
  else if (!is_word(cs("esac"))) unexpected();
  skip_newlines();
  return item;
}

function parse_case(): Node {
  const node = new_node(N_CASE);
  next_token();
  if (token.kind != T_WORD) unexpected();
  node.words = take_word(changetype<Word>(0));
  skip_newlines();
  expect_word(cs("in"));
  skip_newlines();
  let last = NONE;
  while (!is_word(cs("esac")) && sh.skip == SKIP_NONE) {
    const item = parse_case_item();
    if (changetype<usize>(last) == 0) node.left = item;
    else last.next = item;
    last = item;
  }
  next_token();
  return node;
}

function parse_compound(): Node {
  if (token.kind == T_OPEN) {
    next_token();
    const node = pair(N_SUBSHELL, parse_list(), NONE);
    if (token.kind != T_CLOSE) unexpected();
    next_token();
    return node;
  }
  if (is_word(cs("{"))) {
    next_token();
    const node = pair(N_GROUP, parse_list(), NONE);
    expect_word(cs("}"));
    return node;
  }
  if (is_word(cs("if"))) return parse_if();
  if (is_word(cs("while"))) return parse_loop(N_WHILE);
  if (is_word(cs("until"))) return parse_loop(N_UNTIL);
  if (is_word(cs("for"))) return parse_for();
  if (is_word(cs("case"))) return parse_case();
  return NONE;
}

function parse_command(): Node {
  expand_alias();
  if (ends_list()) {
    unexpected();
    return NONE;
  }
  const compound = parse_compound();
  if (changetype<usize>(compound) == 0) return parse_simple();
  parse_redirections(compound);
  return compound;
}

/** Gives a command its text, from offset `start` of the source to the token, on one line. */
function note_text(node: Node, start: u32): void {
  if (changetype<usize>(node) == 0 || sh.skip != SKIP_NONE) return;
  const from = source().text + start;
  let n = token.start - start;
  while (n > 0 && is_space(load<u8>(from + n - 1))) n--;
  if (n > MOST_TEXT) n = MOST_TEXT;
  node.text = alloc_string(from, n);
  for (let i: u32 = 0; i < n; i++) if (load<u8>(node.text + i) == 0x0a) store<u8>(node.text + i, 0x20);
}

function parse_pipeline(): Node {
  expand_alias();
  const start = token.start;
  let inverted = false;
  while (is_word(cs("!"))) {
    inverted = !inverted;
    next_token();
  }
  let first = parse_command();
  if (token.kind == T_PIPE) {
    let last = first;
    first = pair(N_PIPE, first, NONE);
    while (token.kind == T_PIPE && sh.skip == SKIP_NONE) {
      next_token();
      skip_newlines();
      const command = parse_command();
      if (sh.skip != SKIP_NONE) break;
      last.next = command;
      last = command;
    }
  }
  if (sh.interactive != 0) note_text(first, start);
  return inverted ? pair(N_NOT, first, NONE) : first;
}

/** An and-or list, which runs in the background if `&` follows it. */
function parse_job(): Node {
  const start = token.start;
  const command = parse_and_or();
  if (token.kind != T_BACKGROUND) return command;
  const node = pair(N_BACKGROUND, command, NONE);
  note_text(node, start);
  return node;
}

function parse_and_or(): Node {
  let left = parse_pipeline();
  while ((token.kind == T_AND || token.kind == T_OR) && sh.skip == SKIP_NONE) {
    const kind = token.kind == T_AND ? N_AND : N_OR;
    next_token();
    skip_newlines();
    left = pair(kind, left, parse_pipeline());
  }
  return left;
}

/** Commands up to something that ends a list; 0 for none. */
function parse_list(): Node {
  let list = NONE;
  skip_newlines();
  while (!ends_list()) {
    const command = parse_job();
    list = changetype<usize>(list) == 0 ? command : pair(N_SEQUENCE, list, command);
    if (token.kind != T_BACKGROUND && token.kind != T_SEMICOLON && token.kind != T_NEWLINE) break;
    next_token();
    skip_newlines();
  }
  return list;
}

/** The rest of a line after its first command. */
function parse_line(): Node {
  let list = NONE;
  while (token.kind != T_NEWLINE && token.kind != T_END && sh.skip == SKIP_NONE) {
    const command = parse_job();
    list = changetype<usize>(list) == 0 ? command : pair(N_SEQUENCE, list, command);
    if (token.kind == T_BACKGROUND || token.kind == T_SEMICOLON) next_token();
    else if (token.kind != T_NEWLINE && token.kind != T_END) unexpected();
  }
  return list;
}

/** Parses the next line of commands of the source; 0 for an empty line. `endp` is set to 1 at the end of the source. */
export function parse_complete(endp: usize): Node {
  begin_command();
  forget_aliases();
  token.here = changetype<Redirection>(0);
  next_token();
  const list = parse_line();
  store<u32>(endp, token.kind == T_END ? 1 : 0);
  return list;
}
