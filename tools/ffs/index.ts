// FFS (UFS1) images on the host: made from a tree, read, and checked.

export { FfsError } from "./error.js";
export { FfsImage, nameText } from "./image.js";
export type { WalkedFile } from "./image.js";
export { makeImage } from "./make.js";
export type { MakeOptions } from "./make.js";
export { fileOfBytes, readTree } from "./tree.js";
export type { DeviceNode, DirectoryNode, FileNode, LinkNode, TreeNode } from "./tree.js";
export { CHECKS, PHASE_TITLES, check, fsck, summaryLine } from "./fsck.js";
export type { CheckName, Finding, FsckReport, FsckSummary } from "./fsck.js";
